import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** The processes of this machine, as far as we may look at them: from `/proc`, elsewhere from `ps`. */
export interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** When it began, in a form of the platform's own: tells apart two that had the same pid. */
  readonly start: string;
  readonly isZombie: boolean;
}

export function processes(): readonly Listed[] {
  if (process.platform !== 'linux') return fromPs(['-A']);
  return pidsNow().flatMap((pid) => fromProc(pid) ?? []);
}

/** When the process with this id began; `undefined` where there is none, or it is over and only not fetched yet. */
export function startOf(pid: number): string | undefined {
  const listed = process.platform === 'linux' ? fromProc(pid) : fromPs(['-p', String(pid)])[0];
  return listed?.isZombie ? undefined : listed?.start;
}

export interface Marked {
  readonly pid: number;
  /** The value of the variable that was asked for. */
  readonly value: string;
}

/**
 * Those that inherited `variable` with `text` in it, however far they have moved away from us. A program
 * may wipe out what it was given, and only Linux lets us look.
 */
export function processesWith(variable: string, text: string, isCandidate: (pid: number) => boolean = () => true): readonly Marked[] {
  if (process.platform !== 'linux') return [];
  return pidsNow().flatMap((pid) => {
    if (pid === process.pid || !isCandidate(pid)) return [];
    const value = readText(`/proc/${pid}/environ`)
      ?.split('\0')
      .find((entry) => entry.startsWith(`${variable}=`) && entry.includes(text));
    return value === undefined ? [] : [{ pid, value }];
  });
}

/** The name of its program, for messages. */
export function programOf(pid: number): string | undefined {
  return process.platform === 'linux' ? readText(`/proc/${pid}/comm`)?.trim() : undefined;
}

/** The newest process id of this machine; `undefined` where it cannot be told. */
export function newestPid(): number | undefined {
  const newest = Number(readText('/proc/loadavg')?.trim().split(' ').at(-1));
  return Number.isSafeInteger(newest) ? newest : undefined;
}

/** @param target  an id, or minus the id of a group */
export function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It is gone already, or another's.
  }
}

/** Zombies count: until its parent has fetched it, a process keeps its id. */
export function isThere(target: number): boolean {
  try {
    process.kill(target, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function pidsNow(): readonly number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function fromProc(pid: number): Listed | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // `pid (name) state parent group …`: the name may hold anything, so read from its last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parent: Number(fields[1]),
    group: Number(fields[2]),
    start: fields[19] ?? '',
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    // It ended meanwhile, or is another's.
    return undefined;
  }
}

function fromPs(which: readonly string[]): readonly Listed[] {
  const { stdout } = spawnSync('ps', [...which, '-o', 'pid=,ppid=,pgid=,stat=,lstart='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...start] = line.trim().split(/\s+/);
    if (!pid || !state) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), start: start.join(' '), isZombie: state.startsWith('Z') }];
  });
}
