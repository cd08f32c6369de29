import { CommandFailedError, port, task } from 'taskwright';
import { z } from 'zod';
import { status } from './demo.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';
import { installed, poetry } from './support/tools.ts';

/** What pytest's own exit codes mean. */
const PYTEST_CODES: Readonly<Record<number, string>> = {
  1: 'some tests failed',
  2: 'the tests were interrupted',
  3: 'pytest itself failed',
  4: 'pytest was called wrongly',
  5: 'no test was collected',
};

export const unit = task({
  summary: 'Run the unit tests of the backend.',
  examples: ['test.unit', 'test.unit backend/tests/unit/core -- -k schema'],
  input: {
    infrahub: infrahubInput,
    paths: z.array(z.string()).default(['backend/tests/unit']).meta({ variadic: true }).describe('files and folders, in the checkout'),
    logLevel: z.string().default('CRITICAL').describe('INFRAHUB_LOG_LEVEL of the tests'),
  },
  passthrough: true,
  dotenv: ['.envrc', '.env'],
  cwd: inCheckout,
  requires: (scope) => [
    checkout(checkoutOf(scope)),
    poetry,
    installed(checkoutOf(scope)),
    port(7687, { remedy: 'The tests need the database: `tasks demo.dev-start --wait`, with the dev override (`tasks override`).' }),
    port(6379, { remedy: 'The tests need the cache: `tasks demo.dev-start --wait`, with the dev override (`tasks override`).' }),
  ],
  after: [status],
  async run({ input, exec, passthrough, log }) {
    try {
      // Through the environment's own python: a pytest found on PATH would not see the environment.
      await exec(['poetry', 'run', 'python', '-m', 'pytest', '-v', ...input.paths, ...passthrough], {
        env: { INFRAHUB_LOG_LEVEL: input.logLevel },
      });
    } catch (error) {
      const meaning = error instanceof CommandFailedError ? PYTEST_CODES[error.exitCode] : undefined;
      if (meaning !== undefined) log.warn(meaning);
      throw error;
    }
  },
});
