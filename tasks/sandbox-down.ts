import { existsSync } from 'node:fs';
import { task } from 'taskwright';
import { yamllint } from './format.ts';
import { sandboxPlaces } from './sandbox.ts';
import { load } from './schema.ts';
import { docker } from './support/docker.ts';
import { openInfrahub } from './support/infrahub-project.ts';
import { layoutOf } from './support/checkout.ts';
import { composeEnv, databaseInput } from './support/settings.ts';

/** The end of the guide in the sandbox: nothing stays behind. It asks nothing, as the data is the sandbox's own. */
export const sandboxDown = task({
  summary: 'Remove the containers and volumes of the sandbox.',
  hidden: true,
  input: { database: databaseInput },
  env: composeEnv,
  requires: [docker],
  cwd: ({ root }) => sandboxPlaces(root).checkout,
  after: [load, yamllint],
  upToDate: ({ root }) => (existsSync(sandboxPlaces(root).checkout) ? undefined : 'there is no sandbox'),
  async run({ input, root, env, exec }) {
    const { checkout } = sandboxPlaces(root);
    const compose = await openInfrahub({
      checkout,
      layout: layoutOf(checkout),
      use: 'demo',
      database: input.database,
      selection: 'everything',
      env,
      exec,
    });
    await compose.run(['down', '--remove-orphans', '--volumes', '--timeout', '1']);
  },
});
