import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namedConfig, searchConfig } from './find-config.ts';
import type { Kept } from './loader/store.ts';
import { checkKept, readKept, storeFolder } from './loader/store.ts';

/** Which config it is (R4), and what is kept of it. Looks, and loads nothing. */
export interface WhereToLook {
  /** The folder the user stands in. */
  readonly cwd: string;
  /** The config, named by the user; relative to `cwd`. */
  readonly file?: string | undefined;
  /** The search for a config ends here. */
  readonly home: string | undefined;
  /** Where compiled files are kept. Default: in `.tasks` at the root. */
  readonly cacheDir?: string | undefined;
}

export interface ProjectPlace {
  readonly file: string;
  /** Its folder. */
  readonly root: string;
  readonly notices: readonly string[];
  /** What is compiled of this config. */
  readonly store: string;
  /** The folder of all such. */
  readonly storesOfAll: string;
}

/** @throws {ConfigError} where there is none */
export function findProject({ cwd, file: named, home, cacheDir }: WhereToLook): ProjectPlace {
  const { file, notices } = named === undefined ? searchConfig(cwd, home) : { file: namedConfig(cwd, named), notices: [] };
  const root = dirname(file);
  const storesOfAll = cacheDir === undefined ? join(root, '.tasks', 'cache', 'config') : join(cacheDir, 'config');
  return { file, root, notices, storesOfAll, store: storeFolder(storesOfAll, file) };
}

/** What is kept of an earlier load, if all that it was made of still looks the same. */
export function freshKept(store: string, entry: string): Kept | undefined {
  const kept = readKept(store, entry);
  if (!kept) return undefined;
  const checked = checkKept(store, kept, Date.now());
  return checked.changed.length === 0 ? checked.kept : undefined;
}

/** The folder for state is its owner's, and out of git's sight. @returns whether it can be written to */
export function prepareState(root: string, cacheDir: string | undefined): boolean {
  try {
    const state = cacheDir ?? join(root, '.tasks');
    mkdirSync(state, { recursive: true, mode: 0o700 });
    if (cacheDir === undefined) writeFileSync(join(state, '.gitignore'), '*\n', { flag: 'wx' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST' && (error as NodeJS.ErrnoException).syscall === 'open';
  }
}
