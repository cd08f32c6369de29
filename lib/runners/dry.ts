import type { Runner } from './runner.ts';

/** Nowhere: every command succeeds at once and says nothing. */
export function dryRunner(): Runner {
  return {
    start: () => ({
      pid: undefined,
      ended: Promise.resolve({ code: 0, signal: undefined, trouble: undefined, stdout: '', stderr: '', tail: '', ms: 0 }),
      end: () => {},
      sweep: async () => 0,
    }),
  };
}
