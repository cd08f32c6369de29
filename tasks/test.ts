import { port, task } from 'taskwright';
import { z } from 'zod';
import { status } from './demo.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import { sayingWhy } from './support/pytest.ts';
import { SETTINGS_FILES, composeEnv, databaseInput, databaseOf } from './support/settings.ts';
import { installed, poetry } from './support/tools.ts';

const needed = (number: number, what: string) =>
  port(number, { remedy: `The tests need the ${what}: \`tasks demo.dev-start --wait\`, with the dev override (\`tasks override\`).` });

export const unit = task({
  summary: 'Run the unit tests of the backend, outside docker.',
  examples: ['test.unit', 'test.unit backend/tests/unit/core -- -k schema'],
  input: {
    infrahub: infrahubInput,
    paths: z.array(z.string()).default(['backend/tests/unit']).meta({ variadic: true }).describe('files and folders, in the checkout'),
    database: databaseInput,
    neo4j: z.boolean().default(false).describe('with the tests that only neo4j can do'),
    workers: z.int().min(1).optional().describe('processes side by side (pytest-xdist)'),
    verbose: z.boolean().default(true).describe('a line a test'),
    logLevel: z.string().default('CRITICAL').describe('INFRAHUB_LOG_LEVEL of the tests'),
  },
  env: { INFRAHUB_DB_TYPE: composeEnv.INFRAHUB_DB_TYPE },
  passthrough: true,
  dotenv: SETTINGS_FILES,
  cwd: inCheckout,
  requires: (scope) => {
    const folder = checkoutOf(scope);
    const services = layoutOf(folder).tests.needServices ? [needed(7687, 'database'), needed(6379, 'cache')] : [];
    return [checkout(folder), poetry, installed(folder), ...services];
  },
  after: [status],
  async run({ input, env, exec, passthrough, log }) {
    const words = [
      ...(input.workers === undefined ? [] : ['-n', input.workers]),
      ...(input.verbose ? ['-v'] : []),
      ...input.paths,
      ...(input.neo4j ? ['--neo4j'] : []),
      ...passthrough,
    ];
    // Through the environment's own python: a pytest found on PATH would not see the environment.
    const pytest = exec(['poetry', 'run', 'python', '-m', 'pytest', ...words], {
      env: { INFRAHUB_LOG_LEVEL: input.logLevel, INFRAHUB_DB_TYPE: databaseOf(input.database, env) },
    });
    await sayingWhy(pytest, log);
  },
});
