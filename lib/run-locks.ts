import type { Calls } from './calls.ts';
import type { Engine } from './engine.ts';
import type { Lock } from './locks.ts';
import { createLockTable, describeHolder, locksOf } from './locks.ts';
import type { Node } from './run-node.ts';
import { usersOf } from './run-node.ts';
import type { StepLocks, StepLocksOptions } from './step-locks.ts';
import { createStepLocks } from './step-locks.ts';
import { specOf } from './task.ts';

/** The locks of a run's steps (R19), with who waits for whom: what a step waits for is no obstacle to it. */
export interface RunLocks extends StepLocks<Node> {
  /** A caller goes on when its callee is over, and those that its callee brought in have left its locks. */
  mayResume(caller: Node): boolean;
}

export type LockRefusal = Parameters<StepLocksOptions<Node>['onRefused']>[1];

export function createRunLocks(
  engine: Engine,
  run: {
    readonly calls: Calls;
    readonly isService: (node: Node) => boolean;
    readonly servicesStarted: readonly Node[];
  } & Pick<StepLocksOptions<Node>, 'onHeld' | 'onRefused'>,
): RunLocks {
  const { calls, isService } = run;
  const stepLocks: StepLocks<Node> = createStepLocks<Node>({
    table: createLockTable(engine.capacities),
    processes: engine.locks,
    locksOf: ({ step }) =>
      engine.options.dryRun ? [] : locksOf(specOf(engine.planner.bindingOf(step).task).lock, engine.scopes.inputScopeOf(step)),
    mayEnter: isWaitedForBy,
    letsIn: (holder) => isService(holder) || calls.isAway(holder),
    mayWait: (node, lock) => !engine.options.failIfLocked && !holdsLater(node, lock.key),
    titleOf: ({ step }) => step.title,
    onWait: ({ step }, lock, held) => {
      const { what, pid, host, where, since } = held.by;
      const holder = { step: what, pid, host, root: where, since };
      engine.emit({ type: 'lock-waiting', step: step.id, lock: lock.name, holder, text: describeHolder(held) });
    },
    onHeld: run.onHeld,
    onRefused: run.onRefused,
  });

  /** Whether `holder` can go on only when `node` is over: what it holds is then no obstacle. */
  function isWaitedForBy(node: Node, holder: Node): boolean {
    if (node === holder) return true;
    if (calls.calleesOf(holder).some((callee) => calls.pathBetween(callee, node) !== undefined)) return true;
    const others = isService(holder) ? usersOf(holder) : calls.isResuming(holder) ? guestsOf(holder) : [];
    return others.some((other) => isWaitedForBy(node, other));
  }

  /** Those that entered its locks while it waited for them, and are in there still. */
  function guestsOf(node: Node): readonly Node[] {
    return stepLocks.heldBy(node).flatMap((lock) => {
      const holders = stepLocks.holdersOf(lock);
      return holders.slice(holders.indexOf(node) + 1);
    });
  }

  /**
   * Whether those that wait for `node` hold a lock that comes after `key`. Two processes that take locks in
   * different orders could wait for each other for ever.
   */
  function holdsLater(node: Node, key: string): boolean {
    const holders = [...calls.away, ...run.servicesStarted].filter((holder) => holder !== node && isWaitedForBy(node, holder));
    return holders.some((holder) => stepLocks.heldBy(holder).some((held) => held.key > key));
  }

  function mayResume(caller: Node): boolean {
    return stepLocks.heldBy(caller).every((lock: Lock) => {
      const strangers = stepLocks.holdersOf(lock).filter((holder) => holder !== caller && !isWaitedForBy(caller, holder));
      return strangers.length < (engine.capacities[lock.name] ?? 1);
    });
  }

  return Object.assign(stepLocks, { mayResume });
}
