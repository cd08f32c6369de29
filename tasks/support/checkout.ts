import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Requirement } from 'taskwright';
import { path } from 'taskwright';
import type { Layout } from './layout.ts';
import { LAYOUTS, UNKNOWN } from './layouts/index.ts';

/** The checkout of Infrahub that the tasks work on: given, or found upwards from where the user stands. */
export const infrahubInput = path()
  .optional()
  .meta({ env: 'INFRAHUB_DIR', description: 'the checkout of Infrahub; default: found upwards from here' });

interface CheckoutScope {
  readonly input: { readonly infrahub?: string | undefined };
  readonly invocationDir: string;
}

/** Absolute. Where none is found: the folder the user stands in, which {@link checkout} then refuses. */
export function checkoutOf({ input, invocationDir }: CheckoutScope): string {
  if (input.infrahub !== undefined) return resolve(invocationDir, input.infrahub);
  for (let folder = invocationDir; ; folder = dirname(folder)) {
    if (layoutIn(folder)) return folder;
    if (dirname(folder) === folder) return invocationDir;
  }
}

export function layoutIn(folder: string): Layout | undefined {
  return LAYOUTS.find((layout) => layout.marks.every((mark) => existsSync(join(folder, mark))));
}

/** The layout of a checkout that is known to be one; a guess for a folder that is still to be cloned. */
export const layoutOf = (folder: string): Layout => layoutIn(folder) ?? UNKNOWN;

/** For `cwd` of tasks that run in the checkout. */
export const inCheckout = (scope: CheckoutScope): string => checkoutOf(scope);

/**
 * The id of something that depends on the files of a checkout. It is a path below the checkout's, so
 * that what provides the folder (`clone`, `git.switch`) provides this too.
 */
export const idInCheckout = (folder: string, what: string): string => `file:${join(folder, '.git', what)}`;

/** The folder is a checkout of Infrahub. */
export function checkout(folder: string): Requirement {
  return {
    id: idInCheckout(folder, 'checkout'),
    title: 'a checkout of Infrahub',
    check: () =>
      layoutIn(folder)
        ? undefined
        : {
            problem: `no checkout of Infrahub at ${folder}`,
            remedy: 'Run `tasks clone` to get one; or stand in one, or name it: `--infrahub DIR`, `INFRAHUB_DIR`.',
          },
  };
}
