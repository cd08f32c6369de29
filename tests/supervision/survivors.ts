import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Inherited by all that a run starts, wherever it moves. */
export const MARK = 'TASKWRIGHT_TEST_RUN';

/** Command lines of the processes that carry the mark, or that lie in the folder; a zombie carries none. */
export function survivorsOf(mark: string, folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const isOurs = read(`/proc/${pid}/environ`).split('\0').includes(`${MARK}=${mark}`) || linkOf(pid) === folder;
    const line = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
    return isOurs && line !== '' ? [`${pid} ${line}`] : [];
  });
}

/** The shell that watches over the process with this id. */
export function watchersOf(pid: number): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`).includes(`\0;${pid}-`));
}

/** Until there are none; the time limit of the test bounds it. */
export async function untilNone(look: () => readonly string[]): Promise<void> {
  while (look().length > 0) await pause(20);
}

function linkOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
