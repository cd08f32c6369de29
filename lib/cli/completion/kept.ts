import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CONFIG_NAMES } from '../../find-config.ts';
import type { ProjectPlace } from '../../find-project.ts';
import { stampOf } from '../../loader/load-graph.ts';
import type { Kept } from '../../loader/store.ts';
import { writeAside } from '../../loader/store.ts';

/**
 * The table where shells find it, with what they need to see whether it still holds: paths and how
 * `stat` prints them, and paths that must stay absent. `stamps` is written last: without it nothing holds.
 */
export function keepTable({ root, file, storesOfAll }: ProjectPlace, kept: Kept, table: string): void {
  const folder = join(root, '.tasks', 'cache', 'completion');
  const isFound = CONFIG_NAMES.some((name) => name === basename(file));
  // Shells look in `.tasks` alone, for the config that is found; and they cannot look into young files.
  if (dirname(storesOfAll) !== dirname(folder) || !isFound || Object.keys(kept.graph.young).length > 0) return;
  const us = import.meta.filename;
  const looks = Object.entries({ ...kept.graph.looks, [us]: stampOf(us) });
  for (const name of CONFIG_NAMES) looks.push([join(root, name), stampOf(join(root, name))]);
  const present = looks.filter(([, stamp]) => stamp !== '' && stamp !== 'dir');
  const absent = looks.filter(([, stamp]) => stamp === '');
  if (looks.some(([path]) => path.includes('\n'))) return;
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
  const stamps = lines(present.map(([, stamp]) => stamp));
  try {
    if (stamps === textOf(join(folder, 'stamps')) && table === textOf(join(folder, 'table'))) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    rmSync(join(folder, 'stamps'), { force: true });
    writeAside(join(folder, 'table'), table);
    writeAside(join(folder, 'files'), lines(present.map(([path]) => path)));
    writeAside(join(folder, 'absent'), lines(absent.map(([path]) => path)));
    writeAside(join(folder, 'stamps'), stamps);
  } catch {
    // Then Node is asked the next time, too.
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
