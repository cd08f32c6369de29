import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { Colors } from 'picocolors/types.js';
import { EXIT } from '../errors.ts';
import type { WhereToLook } from '../find-project.ts';
import type { Registry } from '../registry.ts';
import { coloursFor } from '../util/colours.ts';
import type { Host } from './host.ts';
import { listJson, renderList } from './list.ts';
import type { OwnOptions } from './own-options.ts';

/** What can be answered from a registry alone, be it of tasks or of what is kept of them. */
export function list(host: Host, registry: Registry, options: OwnOptions, namespace: string | undefined): number {
  const what = { namespace, all: options.all };
  const look = { ...what, ...paintFor(host), flat: options.flat, depth: options.depth };
  host.stdout.write(options.json ? document(listJson(registry, what)) : renderList(registry, look));
  return EXIT.ok;
}

export const document = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

export const nameOf = ({ program }: Host): string => program?.name ?? 'tasks';

export function paintFor(host: Host): { readonly program: string; readonly paint: Colors; readonly width: number | undefined } {
  return {
    program: nameOf(host),
    paint: coloursFor(host.stdout.colour),
    width: host.stdout.isTTY ? host.stdout.columns : undefined,
  };
}

export function tellNotices(host: Host, notices: readonly string[], options: OwnOptions): void {
  if (options.quiet || options.reporter === 'quiet') return;
  for (const notice of notices) host.stderr.write(`note: ${notice}\n`);
}

export function whereToLook(host: Host, leading: OwnOptions): WhereToLook {
  const { HOME, TASKS_CACHE_DIR } = host.env;
  return {
    cwd: invocationDirOf(host, leading),
    file: leading.file,
    home: HOME ?? homedir(),
    ...(TASKS_CACHE_DIR && { cacheDir: resolve(host.cwd, TASKS_CACHE_DIR) }),
  };
}

/** `-C` moves where the user stands. */
export const invocationDirOf = (host: Host, options: OwnOptions): string =>
  options.directory === undefined ? host.cwd : resolve(host.cwd, options.directory);
