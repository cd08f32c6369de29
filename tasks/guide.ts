import { join } from 'node:path';
import { task } from 'taskwright';
import { z } from 'zod';
import { clone } from './clone.ts';
import { destroy, devStart, status } from './demo.ts';
import { check, init } from './env.ts';
import { format, yamllint } from './format.ts';
import { switch as switchBranch } from './git.ts';
import { install } from './install.ts';
import { override } from './override.ts';
import { sandboxDown } from './sandbox-down.ts';
import { sandboxPlaces } from './sandbox.ts';
import { load } from './schema.ts';
import { checkoutOf, infrahubInput, layoutIn, layoutOf } from './support/checkout.ts';
import { DATABASES } from './support/layout.ts';
import { unit } from './test.ts';

/** Infrahub's backend guide, from the clone to a server with a schema. */
export const guide = task({
  summary: "Walk Infrahub's backend guide, step by step.",
  description:
    'Clones, writes the settings, installs, starts the services, runs the unit tests, starts the server, loads a schema, formats and lints. `--sandbox` does it on a miniature in .sandbox/, with the real tools, and leaves nothing running. `--skip-unmet` leaves out what this machine cannot do.',
  examples: ['guide --sandbox --yes', 'guide --sandbox --skip-unmet --yes', 'guide --infrahub ~/infrahub'],
  input: {
    sandbox: z.boolean().default(false).describe('on a miniature of Infrahub in .sandbox/'),
    infrahub: infrahubInput,
    url: z.string().min(1).default('git@github.com:opsmill/infrahub.git').describe('where to clone from'),
    branch: z.string().min(1).default('develop').describe('branch of the checkout'),
    database: z.enum(DATABASES).default('memgraph').describe('the graph database'),
    schema: z.string().optional().describe('schema file, in the checkout'),
    port: z.int().min(1).max(65535).default(8000).describe('port of the server'),
    keep: z.boolean().default(false).describe('leave the containers of the sandbox running'),
  },
  needs: ({ input, root, invocationDir }) => {
    const places = sandboxPlaces(root);
    const found = checkoutOf({ input, invocationDir });
    // Without a checkout around us there will be one below us.
    const own = input.infrahub !== undefined || layoutIn(found) ? found : join(invocationDir, 'infrahub');
    const infrahub = input.sandbox ? places.checkout : own;
    const { database, port } = input;
    return {
      clone: clone({ target: infrahub, url: input.sandbox ? places.origin : input.url, sandbox: input.sandbox }),
      switch: switchBranch({ infrahub, branch: input.branch }),
      init: init({ infrahub, database, storage: input.sandbox ? places.storage : undefined }),
      check: check({ infrahub }),
      override: override({ infrahub }),
      install: install({ infrahub }),
      destroy: destroy({ infrahub, database }),
      devStart: devStart({ infrahub, database, wait: true }),
      status: status({ infrahub, database }),
      unit: unit({ infrahub, database }),
      load: load({ infrahub, port, paths: [join(infrahub, input.schema ?? layoutOf(infrahub).example.schema)] }),
      format: format({ infrahub }),
      yamllint: yamllint({ infrahub }),
      cleanUp: input.sandbox && !input.keep ? sandboxDown({ database }) : undefined,
    };
  },
});
