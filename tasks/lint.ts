import { task } from 'taskwright';
import { z } from 'zod';
import * as backend from './backend.ts';
import { yamllint } from './format.ts';
import * as sdk from './sdk.ts';
import { infrahubInput } from './support/checkout.ts';
import * as sync from './sync.ts';

export const lint = task({
  summary: 'Lint all code of the checkout, its parts side by side.',
  examples: ['lint', 'lint --keep-going', 'lint --docker'],
  input: { infrahub: infrahubInput, docker: z.boolean().default(false).describe('Python in the container for tests, with its tools') },
  needs: ({ input }) => [
    yamllint({ infrahub: input.infrahub }),
    ...[sdk.lint, backend.lint, sync.lint].map((part) => part({ infrahub: input.infrahub, docker: input.docker })),
  ],
});
