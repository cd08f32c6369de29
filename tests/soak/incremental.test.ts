import { test } from 'vitest';
import { soakIncremental } from './incremental.ts';

/** `SOAK=1000 npm run soak`: more cases than fit into every run of the tests. */
const CASES = Number(process.env['SOAK'] ?? 30);

test(
  `after random changes of files, code, variables and input, ${CASES} times: the results of a run without cache, and no step without a reason (R32, R33)`,
  async () => {
    await soakIncremental(CASES);
  },
  CASES * 20_000,
);
