import { linkSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { startOf } from './processes.ts';

/**
 * A lock as a file that names its holder (R19).
 *
 * It is made whole and at once, by a link to a file that was written before. Its holder is dead when no
 * process has its id and start time, or the machine was started since; age alone says nothing. A dead
 * one's file is taken away under a lock of its own, named after that very file: of all who find it, one
 * removes it, and nobody can remove what another has put in its place.
 */
export interface Holder {
  /** Of this one taking of the lock. */
  readonly id: string;
  readonly pid: number;
  /** When that process began, in the platform's own form. */
  readonly start: string;
  readonly host: string;
  /** The machine as it was started this time. */
  readonly boot: string;
  /** Its space of process ids: a container has one of its own. */
  readonly space: string;
  /** In words: the step. */
  readonly what: string;
  /** The folder it works in. */
  readonly where: string;
  /** ISO. */
  readonly since: string;
}

export type Attempt =
  | { readonly kind: 'taken'; readonly release: () => void }
  /** `isForeign`: on another machine or in another container, where it cannot be looked at. */
  | { readonly kind: 'held'; readonly by: Holder; readonly file: string; readonly isForeign: boolean };

/** Take the lock if nobody who lives has it. */
export function tryFileLock(file: string, holder: Pick<Holder, 'what' | 'where'>): Attempt {
  const mine: Holder = { ...ourselves(), ...holder, id: randomUUID(), since: new Date().toISOString() };
  const written = `${file}.${mine.id}`;
  writeFileSync(written, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (;;) {
      if (linked(written, file)) return { kind: 'taken', release: () => releaseIfOurs(file, mine) };
      const by = holderOf(file);
      if (!by) continue;
      const found = heldBy(by, mine, file);
      if (found) return found;
      removeDead(file, by);
    }
  } finally {
    rmSync(written, { force: true });
  }
}

/** Who lives and has the lock now, without taking it. */
export function lookAtFileLock(file: string): Extract<Attempt, { kind: 'held' }> | undefined {
  const by = holderOf(file);
  return by && heldBy(by, ourselves(), file);
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Undefined where there is none; one that cannot be read was made by nobody who lives. */
function holderOf(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const read = JSON.parse(text) as Partial<Holder> | null;
    if (typeof read?.id === 'string' && typeof read.pid === 'number') return { ...NOBODY, ...read };
  } catch {
    // Cut off by a full disk, or not ours.
  }
  return { ...NOBODY, id: `unreadable-${text.length}` };
}

const NOBODY: Holder = { id: '', pid: 0, start: '', host: '', boot: '', space: '', what: '', where: '', since: '' };

/** Undefined when the holder is known to be dead. */
function heldBy(by: Holder, mine: Ourselves, file: string): Extract<Attempt, { kind: 'held' }> | undefined {
  if (by.pid === 0) return undefined;
  const isForeign = by.boot === mine.boot ? by.space !== mine.space : by.host !== mine.host;
  const isAlive = by.boot === mine.boot && startOf(by.pid) === by.start;
  return isForeign || isAlive ? { kind: 'held', by, file, isForeign } : undefined;
}

function removeDead(file: string, dead: Holder): void {
  const guard = tryFileLock(`${file}.dead-${dead.id}`, { what: 'clearing a lock away', where: dead.where });
  // Another who lives is at it.
  if (guard.kind === 'held') return;
  try {
    if (holderOf(file)?.id === dead.id) rmSync(file, { force: true });
  } finally {
    guard.release();
  }
}

function releaseIfOurs(file: string, mine: Holder): void {
  if (holderOf(file)?.id === mine.id) rmSync(file, { force: true });
}

type Ourselves = Pick<Holder, 'pid' | 'start' | 'host' | 'boot' | 'space'>;
let known: Ourselves | undefined;

function ourselves(): Ourselves {
  return (known ??= {
    pid: process.pid,
    start: startOf(process.pid) ?? '',
    host: hostname(),
    boot: read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    space: read(() => readlinkSync('/proc/self/ns/pid')),
  });
}

/** Only Linux tells. */
function read(look: () => string): string {
  try {
    return look();
  } catch {
    return '';
  }
}

/**
 * The folder of this user for what lives as long as processes do, made where it is missing: below
 * `XDG_RUNTIME_DIR`, else below the temporary folder.
 *
 * @throws where it is another's, or others may write to it
 */
export function runtimeFolder(env: Readonly<Record<string, string | undefined>>): string {
  const { XDG_RUNTIME_DIR } = env;
  const folder = XDG_RUNTIME_DIR ? join(XDG_RUNTIME_DIR, 'taskwright') : join(tmpdir(), `taskwright-${userInfo().username}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Some systems name a folder that is not there and cannot be made.
    if (XDG_RUNTIME_DIR) return runtimeFolder({});
    throw error;
  }
  const found = lstatSync(folder);
  const isOurs = process.platform === 'win32' || (found.uid === process.getuid?.() && (found.mode & 0o022) === 0);
  if (!found.isDirectory() || !isOurs) throw new Error(`${folder} is not a folder of this user alone`);
  return folder;
}
