import type { Lock, LockHeld, LockTable, ProcessLocks } from './locks.ts';

/**
 * The steps of a run that want locks (R19): each takes all of them, in order, before it takes a slot.
 *
 *            nobody of this run in the way       ours alone among processes
 *   wanting ──────────────────────────────► entering ─────────────────────► holding ──► given back
 *      │  ▲
 *      ▼  │ the lock was given back, or its holder waits for us
 *    queued
 */
export interface StepLocks<Node> {
  /** `held`: it may start. `later`: it comes out of {@link next} when it is worth trying again. */
  acquire(node: Node): 'held' | 'later';
  /** The next one to try, before those that are ready for the first time. */
  next(): Node | undefined;
  giveBack(node: Node): void;
  /** `holder` waits for others from now on, who may enter its locks. */
  letEnter(holder: Node): void;
  /** Take out all that wait, since nothing starts any more. */
  drop(): readonly Node[];
  /** How many wait for a step of this run, and for another process. */
  readonly queued: number;
  readonly entering: number;
  /** The first that waits for a step of this run, taken out, and what it waits for. */
  takeStuck(): { readonly node: Node; readonly lock: Lock } | undefined;
  holdersOf(lock: Lock): readonly Node[];
  heldBy(node: Node): readonly Lock[];
}

export interface StepLocksOptions<Node> {
  readonly table: LockTable<Node>;
  readonly processes: ProcessLocks;
  readonly locksOf: (node: Node) => readonly Lock[];
  readonly mayEnter: (node: Node, holder: Node) => boolean;
  /** Whether it waits for others, who may enter. */
  readonly letsIn: (holder: Node) => boolean;
  readonly mayWait: (node: Node, lock: Lock) => boolean;
  readonly titleOf: (node: Node) => string;
  readonly onWait: (node: Node, lock: Lock, held: LockHeld) => void;
  /** Some came to hold their locks. */
  readonly onHeld: () => void;
  /** It may not wait for another process, nothing starts any more, or the locks cannot be kept at all. */
  readonly onRefused: (node: Node, why: { readonly lock: Lock; readonly held: LockHeld } | 'stopped' | { readonly error: unknown }) => void;
}

export function createStepLocks<Node extends object>(options: StepLocksOptions<Node>): StepLocks<Node> {
  const { table, processes } = options;
  const queues = new Map<string, Node[]>();
  /** Worth trying again, with the lock that was given back. */
  const woken: { readonly node: Node; readonly lock: Lock | undefined }[] = [];
  const entered = new Map<Node, Lock[]>();
  const holding = new Set<Node>();
  const wokenBy = new Map<Node, Lock>();
  const stopped = new AbortController();
  let queued = 0;
  let entering = 0;

  function acquire(node: Node): 'held' | 'later' {
    if (holding.has(node)) return 'held';
    const locks = options.locksOf(node);
    if (locks.length === 0) return 'held';
    const by = wokenBy.get(node);
    wokenBy.delete(node);
    const blocked = table.take(node, locks, (holder) => options.mayEnter(node, holder));
    if (!blocked) {
      void enter(node, locks);
      return 'later';
    }
    const queue = queues.get(blocked.key) ?? [];
    queues.set(blocked.key, queue);
    // Who was first stays first.
    if (by?.key === blocked.key) queue.unshift(node);
    else queue.push(node);
    queued++;
    // It has no use for the lock that was given back: the next one may have.
    if (by && by.key !== blocked.key) wake(by);
    return 'later';
  }

  async function enter(node: Node, locks: readonly Lock[]): Promise<void> {
    const got: Lock[] = [];
    entered.set(node, got);
    entering++;
    let refused: Parameters<typeof options.onRefused>[1] | undefined;
    try {
      for (const lock of locks) {
        const held = await processes.enter(lock, {
          what: options.titleOf(node),
          mayWait: options.mayWait(node, lock),
          signal: stopped.signal,
          onWait: (by) => options.onWait(node, lock, by),
        });
        if (held) {
          refused = held === 'stopped' ? held : { lock, held };
          break;
        }
        got.push(lock);
      }
    } catch (error) {
      refused = { error };
    }
    entering--;
    if (refused || stopped.signal.aborted) options.onRefused(node, refused ?? 'stopped');
    else {
      holding.add(node);
      woken.push({ node, lock: undefined });
      options.onHeld();
    }
  }

  /** The first that waits for it; where a holder lets others in, each of them, since any may be the one. */
  function wake(lock: Lock): void {
    if (table.holdersOf(lock).some(options.letsIn)) return wakeAll(lock);
    const node = queues.get(lock.key)?.shift();
    if (!node) return;
    queued--;
    woken.push({ node, lock });
  }

  function wakeAll(lock: Lock): void {
    const all = queues.get(lock.key)?.splice(0) ?? [];
    queued -= all.length;
    for (const node of all) woken.push({ node, lock: undefined });
  }

  return {
    acquire,
    next() {
      const first = woken.shift();
      if (first?.lock) wokenBy.set(first.node, first.lock);
      return first?.node;
    },
    giveBack(node) {
      holding.delete(node);
      for (const lock of entered.get(node) ?? []) processes.leave(lock);
      entered.delete(node);
      for (const lock of table.give(node)) wake(lock);
    },
    letEnter(holder) {
      for (const lock of table.heldBy(holder)) wakeAll(lock);
    },
    drop() {
      stopped.abort();
      const all = [...woken.splice(0).map(({ node }) => node), ...[...queues.values()].flat()];
      queues.clear();
      queued = 0;
      return all;
    },
    get queued() {
      return queued;
    },
    get entering() {
      return entering;
    },
    takeStuck() {
      for (const queue of queues.values()) {
        const node = queue.shift();
        if (!node) continue;
        queued--;
        const lock = options.locksOf(node).find((one) => queues.get(one.key) === queue);
        if (lock) return { node, lock };
      }
      return undefined;
    },
    holdersOf: table.holdersOf,
    heldBy: table.heldBy,
  };
}
