import { file, task, tool } from 'taskwright';
import { z } from 'zod';
import { clone } from './clone.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';

const switchBranch = task({
  summary: 'Switch the checkout to a branch.',
  input: { infrahub: infrahubInput, branch: z.string().min(1).default('develop').meta({ positional: true }).describe('the branch') },
  cwd: inCheckout,
  requires: (scope) => [tool('git', { remedy: 'Debian, Ubuntu: apt install git · macOS: brew install git' }), checkout(checkoutOf(scope))],
  // Another branch may have other files.
  provides: (scope) => [file(checkoutOf(scope))],
  after: [clone],
  upToDate: async ({ input, invocationDir, look }) => {
    const folder = checkoutOf({ input, invocationDir });
    const now = await look(['git', '-C', folder, 'rev-parse', '--abbrev-ref', 'HEAD']);
    return now.ok && now.text() === input.branch ? `already on ${input.branch}` : undefined;
  },
  async run({ input, exec }) {
    await exec(['git', 'switch', input.branch]);
  },
});

export { switchBranch as switch };
