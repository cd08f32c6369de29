import { file, path, task } from 'taskwright';
import { z } from 'zod';
import { server } from './server.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';
import { refuseIfRefused } from './support/schema-refusal.ts';
import { installed, poetry } from './support/tools.ts';

export const load = task({
  summary: 'Load schema files into the server.',
  description: 'Starts the server of the checkout for as long as it takes, unless `--address` names one that runs.',
  examples: ['schema.load models/infrastructure_base.yml', 'schema.load models --address http://localhost:8000'],
  input: {
    paths: z.array(path()).min(1).meta({ variadic: true }).describe('schema files and folders'),
    infrahub: infrahubInput,
    branch: z.string().default('main').describe('branch of the data'),
    address: z.url().optional().describe('a server that runs already'),
    port: z.int().min(1).max(65535).default(8000).describe('port of the server that is started'),
  },
  output: z.object({ loaded: z.array(z.string()) }),
  dotenv: ['.envrc', '.env'],
  cwd: inCheckout,
  needs: ({ input }) => ({ server: input.address === undefined ? server({ infrahub: input.infrahub, port: input.port }) : undefined }),
  requires: (scope) => [
    checkout(checkoutOf(scope)),
    poetry,
    installed(checkoutOf(scope)),
    ...scope.input.paths.map((one) => file(one, { remedy: 'Name a file or folder that is there.' })),
  ],
  async run({ input, needs, exec }) {
    const address = input.address ?? needs.server?.address ?? 'http://localhost:8000';
    const said = await exec(['poetry', 'run', 'infrahubctl', 'schema', 'load', ...input.paths, '--branch', input.branch], {
      env: { INFRAHUB_ADDRESS: address.replace(/\/$/, '') },
    });
    refuseIfRefused(said, `the server at ${address}`);
    return { loaded: input.paths };
  },
});
