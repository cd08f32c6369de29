import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ErasedSpec, InputScope, LockSpec } from './task.ts';
import type { Attempt } from './util/file-lock.ts';
import { lookAtFileLock, runtimeFolder, tryFileLock } from './util/file-lock.ts';
import { pause } from './util/pause.ts';

/**
 * Steps kept apart (R19), in two rings.
 *
 * Within the run a lock has as many places as the config says, one unless it does. Who is waited for by a
 * holder may enter: a callee its caller's, a user its service's. Across processes a lock has one holder,
 * the run: it takes the file with the first of its steps and gives it back with the last.
 */
export interface Lock {
  /** Unique among the locks of a run, and the order in which they are taken. */
  readonly key: string;
  readonly name: string;
  readonly machine: boolean;
}

/** What a step must hold, in order. */
export function locksOf(field: ErasedSpec['lock'], scope: InputScope<unknown>): readonly Lock[] {
  const given = typeof field === 'function' ? field(scope) : field;
  if (given === undefined) return [];
  const list = isList(given) ? given : [given];
  const locks = new Map(
    list.map((one) => {
      const { name, machine = false } = typeof one === 'string' ? { name: one } : one;
      const key = machine ? `machine:${name}` : name;
      return [key, { key, name, machine }] as const;
    }),
  );
  return [...locks.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const isList = (given: string | LockSpec | readonly (string | LockSpec)[]): given is readonly (string | LockSpec)[] => Array.isArray(given);

// ── Within a run ─────────────────────────────────────────────────────────────────────────────────

export interface LockTable<Step> {
  /**
   * Take all of them, or none.
   *
   * @param mayEnter  whether a holder waits for `step`
   * @returns the lock that is in the way; undefined when all are taken
   */
  take(step: Step, locks: readonly Lock[], mayEnter: (holder: Step) => boolean): Lock | undefined;
  /** @returns the locks that it gave back */
  give(step: Step): readonly Lock[];
  holdersOf(lock: Lock): readonly Step[];
  heldBy(step: Step): readonly Lock[];
}

/** @param capacities  places by name; 1 where none is given */
export function createLockTable<Step>(capacities: Readonly<Record<string, number>>): LockTable<Step> {
  const holders = new Map<string, Set<Step>>();
  const held = new Map<Step, readonly Lock[]>();
  const inTheWay = (lock: Lock, mayEnter: (holder: Step) => boolean): boolean => {
    const all = holders.get(lock.key);
    if (!all?.size) return false;
    let strangers = 0;
    for (const holder of all) if (!mayEnter(holder)) strangers++;
    return strangers >= (capacities[lock.name] ?? 1);
  };
  return {
    take(step, locks, mayEnter) {
      const blocked = locks.find((lock) => inTheWay(lock, mayEnter));
      if (blocked) return blocked;
      for (const { key } of locks) {
        const all = holders.get(key) ?? new Set();
        holders.set(key, all.add(step));
      }
      held.set(step, locks);
      return undefined;
    },
    give(step) {
      const locks = held.get(step) ?? [];
      held.delete(step);
      for (const { key } of locks) holders.get(key)?.delete(step);
      return locks;
    },
    holdersOf: ({ key }) => [...(holders.get(key) ?? [])],
    heldBy: (step) => held.get(step) ?? [],
  };
}

// ── Across processes ─────────────────────────────────────────────────────────────────────────────

export type LockHeld = Extract<Attempt, { kind: 'held' }>;

export interface ProcessLocks {
  /**
   * For one more step of this run. Waits while another process has it, unless it may not.
   *
   * @returns the holder that it may not wait for, or `stopped`; undefined when it is ours
   */
  enter(lock: Lock, wait: LockWait): Promise<LockHeld | 'stopped' | undefined>;
  /** A step has done with it; the last one gives it back. */
  leave(lock: Lock): void;
  /** Who has it, if it is another process that lives. */
  look(lock: Lock): LockHeld | undefined;
}

export interface LockWait {
  /** The step, for others who wait. */
  readonly what: string;
  readonly mayWait: boolean;
  readonly signal: AbortSignal;
  /** Once for each holder that is waited for. */
  readonly onWait: (held: LockHeld) => void;
}

const LOOK_AGAIN_MS = 100;

/** @param root  whose locks they are, but for those of the machine */
export function createProcessLocks(root: string, env: Readonly<Record<string, string | undefined>>): ProcessLocks {
  const ours = new Map<string, { steps: number; readonly release: () => void }>();
  let folder: string | undefined;

  function fileOf(lock: Lock): string {
    if (folder === undefined) {
      folder = join(runtimeFolder(env), 'locks');
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    const owner = lock.machine ? 'machine' : digestOf(realpathSync(root));
    // Any text is a name; what a file cannot be called is told apart by its digest.
    const plain = lock.name.replaceAll(/[^\w.-]/g, '_').slice(0, 60);
    return join(folder, `${owner}-${plain === lock.name ? plain : `${plain}-${digestOf(lock.name)}`}`);
  }

  async function enter(lock: Lock, wait: LockWait): Promise<LockHeld | 'stopped' | undefined> {
    let told = '';
    for (;;) {
      const entry = ours.get(lock.key);
      if (entry) {
        entry.steps++;
        return undefined;
      }
      if (wait.signal.aborted) return 'stopped';
      const attempt = tryFileLock(fileOf(lock), { what: wait.what, where: root });
      if (attempt.kind === 'taken') {
        ours.set(lock.key, { steps: 1, release: attempt.release });
        return undefined;
      }
      if (!wait.mayWait) return attempt;
      if (attempt.by.id !== told) wait.onWait(attempt);
      told = attempt.by.id;
      await pause(LOOK_AGAIN_MS, wait.signal);
    }
  }

  function leave(lock: Lock): void {
    const entry = ours.get(lock.key);
    if (!entry || --entry.steps > 0) return;
    ours.delete(lock.key);
    entry.release();
  }

  return { enter, leave, look: (lock) => (ours.has(lock.key) ? undefined : lookAtFileLock(fileOf(lock))) };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** `` `demo.destroy` (process 4711 in /home/me/app) has it since 12:03:04 ``. */
export function describeHolder({ by, isForeign, file }: LockHeld): string {
  const since = new Date(by.since);
  const when = Number.isNaN(since.getTime()) ? '' : ` since ${since.toLocaleTimeString('en-GB')}`;
  const where = isForeign
    ? `process ${by.pid} of ${by.host}, which cannot be looked at from here; remove ${file} if it is gone`
    : `process ${by.pid} in ${by.where}`;
  return `\`${by.what}\` (${where}) has it${when}`;
}
