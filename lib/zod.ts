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

let load = (): typeof Zod => createRequire(import.meta.filename)('zod') as typeof Zod;

/** For whoever knows a quicker way to load the same. */
export function loadZodBy(way: () => typeof Zod): void {
  load = way;
}

/** Loaded now, where nobody has needed it so far. */
export function zod(): typeof Zod {
  return instance ?? useZod(load());
}

/** Its namespace, loaded when something of it is asked for. */
export const lateZod: object = new Proxy(Object.create(null) as object, {
  // A promise asks whatever it is given for that.
  get: (_, key) => (key === 'then' ? undefined : Reflect.get(zod(), key)),
  has: (_, key) => Reflect.has(zod(), key),
  ownKeys: () => Reflect.ownKeys(zod()),
  getOwnPropertyDescriptor: (_, key) => {
    const found = Reflect.getOwnPropertyDescriptor(zod(), key);
    return found && { value: Reflect.get(zod(), key) as unknown, enumerable: found.enumerable ?? true, configurable: true, writable: true };
  },
});
