import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError, file, task } from 'taskwright';
import { z } from 'zod';
import { check } from './env.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import { portsId } from './support/preconditions.ts';

/** The compose override that publishes the ports of database, cache and queue to a local server. */
export const override = task({
  summary: 'Copy the dev override of the compose files into place.',
  input: { infrahub: infrahubInput, overwrite: z.boolean().default(false).describe('write over one that differs') },
  cwd: inCheckout,
  requires: (scope) => [
    checkout(checkoutOf(scope)),
    file(layoutOf(checkoutOf(scope)).compose.devOverride.template, { remedy: 'Is it the right branch? `tasks git.switch`' }),
  ],
  provides: (scope) => [{ id: portsId(checkoutOf(scope), 'dependencies') }],
  after: [check],
  upToDate: async ({ input, invocationDir }) => {
    const { source, target } = placesIn(checkoutOf({ input, invocationDir }));
    const [wanted, there] = await Promise.all([readFile(source), readFile(target).catch(() => undefined)]);
    return there?.equals(wanted) ? 'it is there, and equal' : undefined;
  },
  async run({ input, cwd, log, dryRun }) {
    const { source, target } = placesIn(cwd);
    const there = await readFile(target).catch(() => undefined);
    if (there !== undefined && !input.overwrite) {
      throw new UserError('differs', `${target} is there and differs from its template`, 1, {
        hint: 'Keep it; or write over it: `tasks override --overwrite`.',
      });
    }
    if (dryRun) return log(`would copy ${source} to ${target}`);
    await copyFile(source, target);
    log(`copied to ${target}`);
  },
});

function placesIn(checkoutFolder: string): { readonly source: string; readonly target: string } {
  const { file: target, template } = layoutOf(checkoutFolder).compose.devOverride;
  return { source: join(checkoutFolder, template), target: join(checkoutFolder, target) };
}
