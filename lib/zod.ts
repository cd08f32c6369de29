import { createRequire } from 'node:module';
import type * as Zod from 'zod';

/**
 * The one zod of this process. Whoever has it first hands it in: the package's entry, or the config that
 * imports it. It is not imported here, since much that taskwright answers needs no schema.
 */
let instance: typeof Zod | undefined;

/** @returns the one that counts: an earlier one, if there is one */
export function useZod(module: typeof Zod): typeof Zod {
  instance ??= module;
  return instance;
}

/** Loaded now, where nobody has needed it so far. */
export function zod(): typeof Zod {
  return instance ?? useZod(createRequire(import.meta.filename)('zod') as typeof Zod);
}

/** Undefined as long as nobody has needed it. */
export const zodSoFar = (): typeof Zod | undefined => instance;
