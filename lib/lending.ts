import type { Engine } from './engine.ts';
import type { Outcome } from './event.ts';
import type { StepEnd } from './step-end.ts';
import type { Node } from './run-node.ts';
import { isSuccess, needs, usersOf } from './run-node.ts';
import { lookAtRest } from './services.ts';
import { canBeLeft } from './step.ts';

/**
 * Services among the steps of a run: when they start, and when nobody needs them any more (R32, R37).
 *
 *            a user has to run               last user over
 *   resting ───────────────────► running ─────────────────────► leaving
 *      │
 *      └── last user over, and none had to run ──► over
 */
export interface Lending {
  /** All it waits for is over, and its users may all be left alone: it rests, and they are looked at. */
  rest(service: Node): void;
  /** It is needed in any case. */
  wake(service: Node): void;
  /** Whether somebody needs it who runs in any case, so that it can start while others are looked at. */
  isSurelyNeeded(service: Node): boolean;
  /** Services that a step needs, or got by a call. */
  lentTo(node: Node): readonly Node[];
  /** Of these, those that rest. */
  asleepFor(node: Node): readonly Node[];
  /** The step cannot go on without what it needs: its services wake, and it waits its turn again. */
  waitForServices(node: Node): void;
  /** It is over, or a service that is ready: those that waited for it go on. */
  arrived(node: Node): void;
  /** The last user is over: it is told to stop. */
  returnUnused(service: Node): void;
  /** It fell: those that run with it fail as well. */
  failUsers(service: Node, how: Extract<Outcome, { status: 'failed' }>): void;
  /** Whether some are looked at while they rest. */
  readonly isLooking: boolean;
}

/** What a run does for its services. */
export interface LendingScope {
  readonly engine: Engine;
  readonly nodeOf: (id: string) => Node;
  readonly isService: (node: Node) => boolean;
  readonly isThere: (node: Node) => boolean;
  /** The plan has one, or a call brought one in. */
  readonly hasServices: () => boolean;
  /** Its requirements were left for now. */
  readonly isDeferred: (node: Node) => boolean;
  readonly needDigestsOf: (node: Node) => Readonly<Record<string, string>>;
  /** A call is about to use it. */
  readonly isHeld: (node: Node) => boolean;
  readonly giveBackLocks: (node: Node) => void;
  readonly becomeReady: (node: Node) => void;
  readonly becomeAvailable: (node: Node) => void;
  readonly over: (node: Node, end: StepEnd) => void;
  readonly pump: () => void;
}

const UNNEEDED = { because: 'unneeded', reason: 'nothing that runs needs it' } as const;

export function createLending(scope: LendingScope): Lending {
  const { engine, nodeOf, isService, isThere, becomeReady } = scope;
  let looking = 0;

  function rest(service: Node): void {
    service.state = 'resting';
    // Its users may be over before it could have started.
    if (!isUsed(service)) return returnUnused(service);
    const facts = { isDeferred: scope.isDeferred(service), needDigests: () => scope.needDigestsOf(service) };
    looking++;
    void lookAtRest(engine, service.step, facts).then((looked) => {
      looking--;
      if (service.state === 'resting' && looked) {
        // What its users depend on is known without it.
        service.gives = looked.gives;
        scope.becomeAvailable(service);
      } else if (service.state === 'resting') wake(service);
      scope.pump();
    });
  }

  function wake(service: Node): void {
    service.isWanted = true;
    if (service.state === 'resting') waitForServices(service);
  }

  function isSurelyNeeded(service: Node): boolean {
    if (service.isWanted || service.step.target !== undefined) return true;
    return service.users.some((user) => {
      if (user.state === 'over') return false;
      if (!needs(user, service)) return true;
      return isService(user) ? isSurelyNeeded(user) : !canBeLeft(engine, user.step);
    });
  }

  function lentTo(node: Node): readonly Node[] {
    if (!scope.hasServices()) return node.borrowed;
    const needed = [...new Set(Object.values(node.step.needs))].flatMap((id) => (id === undefined ? [] : [nodeOf(id)]));
    return [...needed.filter(isService), ...node.borrowed];
  }

  const asleepFor = (node: Node): readonly Node[] => lentTo(node).filter((service) => !isThere(service));

  function waitForServices(node: Node): void {
    node.state = 'waiting';
    scope.giveBackLocks(node);
    const asleep = asleepFor(node);
    if (asleep.length === 0) return becomeReady(node);
    node.waiting += asleep.length;
    for (const service of asleep) {
      service.wakers.push(node);
      wake(service);
    }
  }

  function arrived(node: Node): void {
    node.hasArrived = true;
    for (const tell of node.callers.splice(0)) tell();
    const isLost = node.state === 'over' && !isSuccess(node);
    for (const waker of node.wakers.splice(0)) {
      waker.waiting--;
      // One that it needs is not to be had: what else it waits for does not matter.
      if (waker.waiting === 0 || (isLost && needs(waker, node))) becomeReady(waker);
    }
  }

  const isUsed = (service: Node): boolean => service.lentTo > 0 || scope.isHeld(service);

  function returnUnused(service: Node): void {
    if (isUsed(service)) return;
    if (service.state === 'running') {
      service.isLeaving = true;
      engine.planner.forget(service.step);
      service.service?.stop();
    }
    if (service.state === 'resting') scope.over(service, { outcome: { status: 'skipped', ...UNNEEDED }, value: undefined });
  }

  function failUsers(service: Node, { failure, tail }: Extract<Outcome, { status: 'failed' }>): void {
    if (!service.isUp) return;
    const lines = tail?.trimEnd().split('\n').slice(-10) ?? [];
    const facts = [...(failure.facts ?? []), ...(lines.length > 0 ? ['its last lines:', ...lines.map((line) => `  ${line}`)] : [])];
    const message = `\`${service.step.title}\`, which it needs, ended: ${failure.message}`;
    for (const user of usersOf(service)) {
      if (user.state === 'running') user.halt?.halt({ kind: 'service', failure: { ...failure, kind: 'service', message, facts } });
    }
  }

  return {
    rest,
    wake,
    isSurelyNeeded,
    lentTo,
    asleepFor,
    waitForServices,
    arrived,
    returnUnused,
    failUsers,
    get isLooking() {
      return looking > 0;
    },
  };
}
