import { port, portFree, task } from 'taskwright';
import { z } from 'zod';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';
import { SETTINGS_FILES, composeEnv, databaseInput, databaseOf } from './support/settings.ts';
import { installed, poetry } from './support/tools.ts';
import { unit } from './test.ts';

const dependency = (number: number, what: string) =>
  port(number, { remedy: `The server needs ${what}: \`tasks demo.dev-start --wait\`, with the dev override (\`tasks override\`).` });

export const server = task({
  summary: 'Run the server of the checkout, until Ctrl-C.',
  input: {
    infrahub: infrahubInput,
    listen: z.string().default('127.0.0.1').describe('address to listen on'),
    port: z.int().min(1).max(65535).default(8000).meta({ short: 'p' }).describe('port to listen on'),
    database: databaseInput,
    debug: z.boolean().default(true).describe('reload on change, as the guide has it'),
  },
  env: { INFRAHUB_DB_TYPE: composeEnv.INFRAHUB_DB_TYPE },
  output: z.object({ address: z.string() }),
  dotenv: SETTINGS_FILES,
  cwd: inCheckout,
  requires: (scope) => [
    checkout(checkoutOf(scope)),
    poetry,
    installed(checkoutOf(scope)),
    dependency(7687, 'the database'),
    dependency(6379, 'the cache'),
    dependency(5672, 'the message queue'),
    portFree(scope.input.port, {
      what: 'the server',
      remedy: 'End what holds it (`demo.start` has a server there too), or name another: `--port`.',
    }),
  ],
  after: [unit],
  service: { ready: ({ output }) => ({ http: `${output.address}/api/docs/`, within: '90s' }) },
  run({ input, env, exec }) {
    const words = [...(input.debug ? ['--debug'] : []), '--listen', input.listen, '--port', input.port];
    // Said, since the server's own default is not that of the tasks.
    void exec(['poetry', 'run', 'infrahub', 'server', 'start', ...words], { env: { INFRAHUB_DB_TYPE: databaseOf(input.database, env) } });
    const host = input.listen === '0.0.0.0' || input.listen === '::' ? '127.0.0.1' : input.listen;
    return { address: `http://${host.includes(':') ? `[${host}]` : host}:${input.port}` };
  },
});
