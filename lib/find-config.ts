import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from './errors.ts';
import { namesInWords } from './util/describe.ts';

/** Those that count (R4); of several in one folder the first. */
export const CONFIG_NAMES = ['tasks.config.ts', 'tasks.config.mts', 'tasks.config.js', 'tasks.config.mjs'] as const;

/** What the search looks at; handed in by tests. */
export interface Surroundings {
  readonly home: string | undefined;
  /** Of the user. Undefined on Windows, where nobody is asked. */
  readonly uid: number | undefined;
  /** Undefined for what is not there. */
  readonly look: (path: string) => { readonly device: number; readonly uid: number } | undefined;
}

export interface Search {
  /** The configs of the nearest folder that has one, the first of {@link CONFIG_NAMES} first. */
  readonly found: readonly string[];
  /** A config that was there, and belongs to somebody else. */
  readonly foreign?: string;
  /** The uppermost folder that was looked into, and why not further. */
  readonly last: string;
  readonly stoppedBy: string;
}

/**
 * The configs of the nearest folder that has any, from `start` upwards.
 *
 * Task files are code, so none is taken that a stranger may have put in the way: not above the home
 * folder, not beyond a mount point, and only where folder and file belong to the user, to root, or to
 * the owner of the folder the user stands in.
 */
export function findConfig(start: string, { home, uid, look }: Surroundings): Search {
  const here = look(start);
  const isTrusted = (owner: number): boolean => uid === undefined || owner === uid || owner === 0 || owner === here?.uid;
  for (let folder = start; ; folder = dirname(folder)) {
    const found = CONFIG_NAMES.map((name) => join(folder, name)).filter((path) => look(path));
    const foreign = found.find((path) => !isTrusted(look(path)?.uid ?? 0));
    if (foreign !== undefined) return { found: [], foreign, last: folder, stoppedBy: 'it belongs to somebody else' };
    if (found.length > 0) return { found, last: folder, stoppedBy: 'found' };
    const above = dirname(folder);
    const next = look(above);
    if (above === folder) return { found: [], last: folder, stoppedBy: 'the top' };
    if (folder === home) return { found: [], last: folder, stoppedBy: 'the home folder' };
    if (next && next.device !== look(folder)?.device) return { found: [], last: folder, stoppedBy: 'a mount point' };
    if (next && !isTrusted(next.uid)) return { found: [], last: folder, stoppedBy: 'the folder above belongs to somebody else' };
  }
}

/**
 * @param cwd   the folder the user stands in
 * @throws {ConfigError} that says where it was looked for, and how to begin
 */
export function searchConfig(cwd: string, home: string | undefined): { readonly file: string; readonly notices: readonly string[] } {
  const start = realPath(cwd);
  const search = findConfig(start, { home: home === undefined ? undefined : realPath(home), uid: process.getuid?.(), look: lookAt });
  const [file, ...others] = search.found;
  if (file !== undefined) {
    return {
      file,
      notices:
        others.length > 0
          ? [
              `\`${file}\` is used, and ${namesInWords(others.map((other) => basename(other)))} beside it ${others.length === 1 ? 'is' : 'are'} not`,
            ]
          : [],
    };
  }
  throw noConfigError(search, start);
}

/** @internal */
export function noConfigError(search: Search, start: string): ConfigError {
  if (search.foreign !== undefined) {
    return new ConfigError('config-foreign', `\`${search.foreign}\` belongs to somebody else and was not run`, {
      hint: `If you trust it, name it: \`--file ${search.foreign}\`.`,
    });
  }
  const upTo = search.last === start ? 'and not above it' : `and in each folder above it up to \`${search.last}\``;
  return new ConfigError('no-config', 'no `tasks.config.ts` was found', {
    facts: [`looked in \`${start}\` ${upTo} (${search.stoppedBy})`, 'a first one:', ...FIRST_CONFIG],
    hint: 'Save this as `tasks.config.ts`, or name a config with `--file`.',
  });
}

const FIRST_CONFIG = [
  "  import { defineConfig, task } from 'taskwright';",
  "  const hello = task({ summary: 'Say hello.', run: ({ $ }) => $`echo hello` });",
  '  export default defineConfig({ tasks: { hello } });',
];

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function lookAt(path: string): { readonly device: number; readonly uid: number } | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info && { device: info.dev, uid: info.uid };
}

/** @throws {ConfigError} when there is no such file, or it is none that can be a config */
export function namedConfig(cwd: string, given: string): string {
  const file = resolve(cwd, given);
  const info = statSync(file, { throwIfNoEntry: false });
  if (!info) throw new ConfigError('no-config', `\`${given}\` does not exist`, { facts: [`looked for \`${file}\``] });
  if (info.isDirectory()) {
    throw new ConfigError('no-config', `\`${given}\` is a folder; expected a config file`, {
      hint: `To work in that folder, write \`-C ${given}\`.`,
    });
  }
  if (!/\.[cm]?[jt]s$/.test(file)) throw new ConfigError('no-config', `\`${given}\`: expected a file that ends in .ts, .mts, .js or .mjs`);
  return realPath(file);
}
