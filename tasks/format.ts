import { task } from 'taskwright';
import { z } from 'zod';
import * as backend from './backend.ts';
import * as main from './main.ts';
import * as sdk from './sdk.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';
import { yamllintTool } from './support/tools.ts';
import * as sync from './sync.ts';

export const format = task({
  summary: 'Format the Python code of the checkout, part by part.',
  description: 'One part alone: `main.format`, `sdk.format`, `backend.format`, `sync.format`.',
  examples: ['format', 'format --check', 'format lint'],
  input: {
    infrahub: infrahubInput,
    check: z.boolean().default(false).describe('change nothing, fail when something would change'),
    docker: z.boolean().default(false).describe('in the container for tests, with its tools'),
  },
  needs: ({ input }) => [main.format(input), sdk.format(input), backend.format(input), sync.format(input)],
});

export const yamllint = task({
  summary: 'Lint the YAML files of the checkout.',
  input: { infrahub: infrahubInput },
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope)), yamllintTool],
  after: [format],
  sources: ['**/*.{yml,yaml}', '**/.yamllint', '.gitignore'],
  generates: [],
  async run({ exec }) {
    await exec(['yamllint', '.']);
  },
});
