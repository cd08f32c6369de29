import { captureConsole } from './body.ts';
import type { Engine } from './engine.ts';
import { EXIT, UserError } from './errors.ts';
import { EVENT_VERSION } from './event.ts';
import type { Outcome, RunCounts, RunEndReason, SkipCause, StopReason } from './event.ts';
import { StepFailure, failureOf } from './failure.ts';
import type { Halt } from './halt.ts';
import { createHalt, describeStop } from './halt.ts';
import { freshRun, isIncremental } from './incremental.ts';
import { createLockTable, describeHolder, locksOf } from './locks.ts';
import type { Plan, Step } from './plan.ts';
import { planView, stepView, waitsFor } from './plan.ts';
import type { Preflight } from './preflight.ts';
import { preflight } from './preflight.ts';
import type { Service } from './services.ts';
import { lookAtRest, startService } from './services.ts';
import type { StepEnd } from './step-end.ts';
import { failed } from './step-end.ts';
import { canBeLeft, runStep } from './step.ts';
import { createStepLocks } from './step-locks.ts';
import type { AnyTask, Call, CallFunction } from './task.ts';
import { fieldOf, isCall, makeCall, specOf } from './task.ts';
import { stableText } from './util/stable-text.ts';

/**
 * Carry out a plan: order, concurrency, failure policy, stop (R14, R19–R21, R26).
 *
 *            all waited for over        slot free            ended
 *   waiting ───────────────────► ready ───────────► running ───────► over
 *      │                           │                                  ▲
 *      └── a need did not succeed ─┴── the run is ending ─────────────┘
 *
 * A service whose users may all be left alone rests, once all it waits for is over: its users are looked at,
 * and the first that has to run wakes it, and waits for it (R32).
 */
export interface RunResult {
  readonly exitCode: number;
  readonly reason: RunEndReason;
  /** The code a task gave with `Exit`, and its message. */
  readonly exitMessage: string | undefined;
  readonly steps: readonly Step[];
  /** By step id. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** What the targets gave, in the order typed. */
  readonly outputs: readonly unknown[];
  readonly counts: RunCounts;
}

/** @internal */
export interface RunHandle {
  readonly ended: Promise<RunResult>;
  /** The first time asks; the second time kills at once. False where it is not for us: Ctrl-C in an interactive step. */
  stop(reason: StopReason): boolean;
  /** Nothing is left in the process that could settle what the running steps wait for. */
  giveUp(): void;
  /**
   * The sources of these steps have changed: what runs on the strength of their outcome is stopped, and
   * so are services, where nothing else is left to do (R36).
   *
   * @returns whether it came too late for any of them: those that wait will see it
   */
  outdate(steps: readonly string[] | 'all'): boolean;
  /** Settles when nothing is left to do but to stay in the foreground, if it comes to that. */
  readonly idle: Promise<void>;
  /** A line among those of the run. */
  notice(text: string): void;
}

/** How long steps may follow each other in one turn of the event loop. */
const LONGEST_TURN_MS = 50;

/** A step with what the run knows of it. */
interface Node {
  readonly step: Step;
  readonly index: number;
  /** Steps it waits for that are not over yet. */
  waiting: number;
  readonly users: Node[];
  state: 'waiting' | 'resting' | 'ready' | 'running' | 'over';
  /** For those that wait for it: over, or a service that is ready, or that rests until they run. */
  isAvailable: boolean;
  /** A service that is ready. */
  isUp: boolean;
  /** A service that rested, and is needed after all. */
  isWanted: boolean;
  /** A service that was told to stop, and is not over: who needs one now gets another, when this one is gone. */
  isLeaving: boolean;
  /** Steps that wait for this service to wake, or to be gone. */
  readonly wakers: Node[];
  outcome: Outcome | undefined;
  value: unknown;
  /** A digest of what its users depend on. */
  gives: string | undefined;
  service: Service | undefined;
  /** Steps not over yet that need this service. */
  lentTo: number;
  /** Services it got by `call`, returned when it is over. */
  readonly borrowed: Node[];
  /** From its start on: what waits listens to nothing, so that a stop costs as much as what runs. */
  halt: Halt | undefined;
  /** Over, or a service that was ready. */
  hasArrived: boolean;
  /** Told when it comes to that. */
  readonly callers: (() => void)[];
  readonly isInteractive: boolean;
}

/**
 * @param checked  what the preflight of `plan` found
 * @param start  a service, while watching
 * @returns at once; the run goes on until `ended` settles, which never rejects
 *
 * @internal
 */
export function startRun(engine: Engine, plan: Plan, checked: Preflight, start = startService): RunHandle {
  const { options, planner } = engine;
  const startedAt = engine.now();
  const runHalt = createHalt();
  const nodes = new Map<string, Node>();
  const deferred = new Set(checked.deferred);
  const ready: Node[] = [];
  const resuming: { readonly node: Node; readonly isExclusive: boolean; readonly resume: () => void }[] = [];
  const servicesStarted: Node[] = [];
  const announcing: Node[] = [];
  /** The preflight of steps that a call brings in, which an equal call waits for as well. */
  const admissions = new Map<string, Promise<void>>();
  let lastAdmission: Promise<void> = Promise.resolve();
  /** What callers wait for: for finding a call that leads back, and who may enter their locks. */
  const calls = new Map<Node, Node[]>();
  let hasServices = false;
  /** Steps that say `provides`, which a callee's requirements may rely on. */
  const providers: Step[] = [];
  const locks = createStepLocks<Node>({
    table: createLockTable(engine.capacities),
    processes: engine.locks,
    locksOf: (node) =>
      options.dryRun ? [] : locksOf(specOf(planner.bindingOf(node.step).task).lock, engine.scopes.inputScopeOf(node.step)),
    mayEnter: isWaitedForBy,
    letsIn: (holder) => isService(holder) || calls.has(holder) || resuming.some(({ node }) => node === holder),
    mayWait: (node, lock) => !options.failIfLocked && !holdsLater(node, lock.key),
    titleOf: (node) => node.step.title,
    onWait: (node, lock, held) => {
      const { what, pid, host, where, since } = held.by;
      const holder = { step: what, pid, host, root: where, since };
      engine.emit({ type: 'lock-waiting', step: node.step.id, lock: lock.name, holder, text: describeHolder(held) });
    },
    onHeld: () => pump(),
    onRefused: (node, why) => {
      over(node, lockedOut(node, why));
      pump();
    },
  });
  /** Calls that have not come to wait for their callee yet. */
  let calling = 0;
  /** Services that are looked at while they rest. */
  let looking = 0;
  /** Steps that a call is about to use, and how many do: services among them are not let go meanwhile. */
  const held = new Map<string, number>();
  const called = new Set<string>();
  let readyHead = 0;
  /** Taken out of its queue, and waits for the terminal. */
  let headed: Node | undefined;
  let running = 0;
  let exclusive: Node | undefined;
  let unsettled = 0;
  /** Since when this turn of the event loop goes on, where a step was looked for in it. */
  let turnSince: number | undefined;
  /** The turn has lasted long enough: what else can start does so in the next one. */
  let isCutShort = false;
  let stopReason: StopReason | undefined;
  /** Nothing new starts any more, and why. */
  let ending: string | undefined;
  let exit: { readonly code: number; readonly message: string } | undefined;
  let finish: (result: RunResult) => void = () => {};
  let becomeIdle = (): void => {};
  const idle = new Promise<void>((resolve) => {
    becomeIdle = resolve;
  });
  const ended = new Promise<RunResult>((resolve) => {
    finish = resolve;
  });

  // ── Steps ──────────────────────────────────────────────────────────────────────────────────────

  function addSteps(steps: readonly Step[]): void {
    for (const step of steps) {
      nodes.set(step.id, {
        step,
        index: nodes.size,
        waiting: 0,
        users: [],
        state: 'waiting',
        isAvailable: false,
        isUp: false,
        isWanted: called.has(step.id),
        isLeaving: false,
        wakers: [],
        outcome: undefined,
        value: undefined,
        gives: undefined,
        service: undefined,
        lentTo: 0,
        borrowed: [],
        halt: undefined,
        hasArrived: false,
        callers: [],
        isInteractive: isInteractive(step),
      });
      unsettled++;
    }
    for (const step of steps) {
      const node = nodeOf(step.id);
      for (const id of new Set(waitsFor(step))) {
        const other = nodeOf(id);
        other.users.push(node);
        if (!other.isAvailable) node.waiting++;
        if (isService(other) && Object.values(step.needs).includes(id)) other.lentTo++;
      }
      if (step.target !== undefined && isService(node)) node.lentTo++;
      const before = isService(node) ? servicesStarted.find((other) => isGoing(other) && isSameWork(other.step, step)) : undefined;
      if (before) {
        before.wakers.push(node);
        node.waiting++;
      }
      const { provides, service } = specOf(planner.bindingOf(step).task);
      if (provides) providers.push(step);
      if (service) hasServices = true;
    }
    // In plan order, so that ready steps start in that order.
    for (const step of steps) {
      const node = nodeOf(step.id);
      if (node.waiting === 0) becomeReady(node);
    }
  }

  function nodeOf(id: string): Node {
    const node = nodes.get(id);
    if (!node) throw new Error(`no step ${id} in this run`);
    return node;
  }

  const isService = (node: Node): boolean => specOf(planner.bindingOf(node.step).task).service !== undefined && !options.dryRun;
  const isInteractive = (step: Step): boolean =>
    engine.terminal.isTerminal && fieldOf(specOf(planner.bindingOf(step).task).interactive, engine.scopes.inputScopeOf(step)) === true;

  /** All it waits for is over: it joins the queue, or is left out at once. */
  function becomeReady(node: Node): void {
    if (node.state !== 'waiting') return;
    const skip = whyNot(node);
    if (skip) return over(node, { outcome: { status: 'skipped', ...skip }, value: undefined });
    if (isService(node) && !isSurelyNeeded(node)) return rest(node);
    if (isService(node) && servicesAsleep(node).length > 0) return waitForServices(node);
    node.state = 'ready';
    ready.push(node);
  }

  function whyNot(node: Node): { readonly reason: string; readonly because: SkipCause; readonly remedy?: string } | undefined {
    const unmet = checked.unmet.get(node.step.id);
    if (unmet) return { reason: unmet.problem, because: 'unmet', ...(unmet.remedy && { remedy: unmet.remedy }) };
    for (const id of Object.values(node.step.needs)) {
      const need = id === undefined ? undefined : nodeOf(id);
      if (!need?.isAvailable || isSuccess(need)) continue;
      const { outcome } = need;
      if (outcome?.status === 'skipped' && outcome.because === 'dry-run') {
        return { reason: `not foreseen from here: it needs the value of \`${need.step.title}\``, because: 'dry-run' };
      }
      // One that was itself left out for its need names the same step: who is to blame is found once.
      if (outcome?.status === 'skipped' && outcome.because === 'need') return { reason: outcome.reason, because: 'need' };
      return {
        reason: `needs \`${need.step.title}\`, which ${howItEnded(outcome)}`,
        because: outcome?.status === 'stopped' ? 'run-ended' : 'need',
      };
    }
    const { postOf } = node.step;
    if (postOf !== undefined && !isSuccess(nodeOf(postOf)))
      return { reason: `follows \`${nodeOf(postOf).step.title}\`, which did not succeed`, because: 'post' };
    return undefined;
  }

  // ── Slots ──────────────────────────────────────────────────────────────────────────────────────

  function pump(): void {
    if (ending !== undefined) dropReady();
    turnSince ??= beginTurn();
    while (running < options.jobs && !exclusive) {
      // Bodies that wait for nothing from outside would keep the process from hearing signals and timers.
      isCutShort = engine.now() - turnSince > LONGEST_TURN_MS;
      if (isCutShort) return;
      const at = resuming.findIndex(({ node }) => mayResume(node));
      const next = resuming[at];
      if (next) {
        if (next.isExclusive && running > 0) break;
        if (next.isExclusive) exclusive = next.node;
        resuming.splice(at, 1);
        running++;
        next.resume();
        continue;
      }
      const node = headed ?? locks.next() ?? ready[readyHead++];
      headed = undefined;
      if (!node) {
        readyHead = ready.length;
        break;
      }
      if (node.state !== 'ready' || locks.acquire(node) === 'later') continue;
      if (isService(node)) {
        begin(node);
        continue;
      }
      if (node.isInteractive) {
        // Waits for running steps, and keeps later ones from starting meanwhile.
        if (running > 0) {
          headed = node;
          break;
        }
        exclusive = node;
      }
      running++;
      begin(node);
    }
    if (readyHead > 1024) {
      ready.splice(0, readyHead);
      readyHead = 0;
    }
    if (unsettled > 0) whenOnlyServicesAreLeft();
    if (isStuck()) endStuck();
    if (unsettled === 0) conclude();
  }

  function beginTurn(): number {
    setImmediate(() => {
      turnSince = undefined;
      if (isCutShort) pump();
    });
    return engine.now();
  }

  function begin(node: Node): void {
    node.state = 'running';
    // One that has waited for its services goes on.
    if (!node.halt) engine.emit({ type: 'step-started', step: node.step.id });
    node.halt ??= runHalt.child();
    const { halt } = node;
    const stepOptions = {
      halt,
      get needs() {
        return needsOf(node);
      },
      mustWait: () => lentToNode(node).some((service) => !isThere(service) || !isSuccess(service)),
      needDigests: () => needDigestsOf(node),
      call: callFor(node),
      isDeferred: deferred.has(node.step.id),
    };
    if (!isService(node)) {
      void runStep(engine, node.step, stepOptions).then((end) => {
        giveBackSlot(node);
        if (end) over(node, end);
        else waitForServices(node);
        pump();
      });
      return;
    }
    node.service = start(engine, node.step, stepOptions);
    servicesStarted.push(node);
    void node.service.started.then((state) => {
      if (!state.isReady) return;
      node.value = state.value;
      node.gives = state.gives;
      node.isUp = true;
      becomeAvailable(node);
      if (!node.isLeaving) arrived(node);
      returnUnused(node);
      pump();
    });
    void node.service.ended.then((end) => {
      if (end.outcome.status === 'failed') failUsers(node, end.outcome);
      over(node, end);
      pump();
    });
  }

  function giveBackSlot(node: Node): void {
    running--;
    if (exclusive === node) exclusive = undefined;
  }

  function needsOf(node: Node): unknown {
    const values = Object.entries(node.step.needs).map(([key, id]) => [key, id === undefined ? undefined : nodeOf(id).value] as const);
    return planner.bindingOf(node.step).needsList ? values.map(([, value]) => value) : Object.fromEntries(values);
  }

  /** What is not known differs each time. */
  function needDigestsOf(node: Node): Readonly<Record<string, string>> {
    const needs = Object.entries(node.step.needs).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return Object.fromEntries(needs.map(([key, id]) => [key, nodeOf(id).gives ?? freshRun()]));
  }

  function becomeAvailable(node: Node): void {
    if (node.isAvailable) return;
    node.isAvailable = true;
    for (const user of node.users) {
      user.waiting--;
      if (user.state !== 'waiting') continue;
      if (user.waiting === 0) becomeReady(user);
      // A need that failed settles its users at once, whatever else they wait for.
      else if (node.outcome && !isSuccess(node) && Object.values(user.step.needs).includes(node.step.id)) becomeReady(user);
    }
  }

  function over(node: Node, end: StepEnd): void {
    node.state = 'over';
    const log = engine.logs.finish(node.step.id);
    const told = end.outcome.status === 'failed' && log !== undefined ? { ...end.outcome, log } : end.outcome;
    // Also what a program gets of it: an error, a report.
    node.outcome = engine.masker.maskDeep(told);
    node.value = end.value;
    node.gives = end.gives ?? node.gives;
    node.halt?.release();
    locks.giveBack(node);
    if (isService(node)) planner.forget(node.step);
    unsettled--;
    engine.emit({ type: 'step-ended', step: node.step.id, outcome: node.outcome });
    for (const service of lentToNode(node)) {
      service.lentTo--;
      returnUnused(service);
    }
    if (end.exit) {
      exit ??= end.exit;
      stop('exit');
    } else if (node.outcome.status === 'failed' && !node.outcome.mayFail) {
      if (options.failFast) stop('fail-fast');
      else if (!options.keepGoing) ending ??= `not started, since \`${node.step.title}\` failed`;
    }
    arrived(node);
    announce(node);
  }

  /** Tell those that wait. A queue, not a recursion: one failure may settle a chain of thousands. */
  function announce(node: Node): void {
    announcing.push(node);
    if (announcing.length > 1) return;
    for (const next of announcing) becomeAvailable(next);
    announcing.length = 0;
  }

  function lentToNode(node: Node): readonly Node[] {
    if (!hasServices) return node.borrowed;
    const needed = [...new Set(Object.values(node.step.needs))].flatMap((id) => (id === undefined ? [] : [nodeOf(id)]));
    return [...needed.filter(isService), ...node.borrowed];
  }

  /** What was ready when the run began to end is not started. */
  function dropReady(): void {
    const dropped = [...(headed ? [headed] : []), ...locks.drop(), ...ready.splice(0).slice(readyHead)];
    headed = undefined;
    readyHead = 0;
    for (const node of dropped) over(node, notStarted());
    // Their users wait for what will not come, in order of the plan.
    for (const node of nodes.values()) {
      if (node.state === 'waiting' && !waitsForRunning(node)) over(node, whyNotOr(node, notStarted()));
    }
    if (ready.length > 0) dropReady();
  }

  // ── Locks (R19) ────────────────────────────────────────────────────────────────────────────────

  /** Whether `holder` can go on only when `node` is over: what it holds is then no obstacle. */
  function isWaitedForBy(node: Node, holder: Node): boolean {
    if (node === holder) return true;
    if (calls.get(holder)?.some((callee) => pathBetween(callee, node) !== undefined)) return true;
    const others = isService(holder) ? usersOf(holder) : resuming.some((one) => one.node === holder) ? guestsOf(holder) : [];
    return others.some((other) => isWaitedForBy(node, other));
  }

  /** Those that entered its locks while it waited for them, and are in there still. */
  function guestsOf(node: Node): readonly Node[] {
    return locks.heldBy(node).flatMap((lock) => {
      const holders = locks.holdersOf(lock);
      return holders.slice(holders.indexOf(node) + 1);
    });
  }

  /** A caller goes on when its callee is over, and those that its callee brought in have left its locks. */
  function mayResume(caller: Node): boolean {
    return locks.heldBy(caller).every((lock) => {
      const strangers = locks.holdersOf(lock).filter((holder) => holder !== caller && !isWaitedForBy(caller, holder));
      return strangers.length < (engine.capacities[lock.name] ?? 1);
    });
  }

  const usersOf = (service: Node): readonly Node[] =>
    service.users.filter((user) => user.state !== 'over' && Object.values(user.step.needs).includes(service.step.id));

  /**
   * Whether those that wait for `node` hold a lock that comes after `key`. Two processes that take locks in
   * different orders could wait for each other for ever.
   */
  function holdsLater(node: Node, key: string): boolean {
    const holders = [...calls.keys(), ...servicesStarted].filter((holder) => holder !== node && isWaitedForBy(node, holder));
    return holders.some((holder) => locks.heldBy(holder).some((held) => held.key > key));
  }

  function lockedOut(node: Node, why: Parameters<Parameters<typeof createStepLocks<Node>>[0]['onRefused']>[1]): StepEnd {
    if (why === 'stopped') return notStarted();
    if ('error' in why) return failed(engine, node.step, engine.now(), failureOf(why.error, engine.root), '');
    const order = options.failIfLocked
      ? []
      : ['Its caller holds a lock that comes later: to wait for this one could mean to wait for ever.'];
    const message = `lock \`${why.lock.name}\` is not to be had: ${describeHolder(why.held)}`;
    return failed(engine, node.step, engine.now(), { kind: 'refused', message, exitCode: EXIT.refused, facts: order }, '');
  }

  /** Steps wait for locks, and nothing else goes on that could give one back. */
  function isStuck(): boolean {
    if (locks.queued === 0 || resuming.some(({ node }) => mayResume(node))) return false;
    const isBusy = running > 0 || calling > 0 || looking > 0 || locks.entering > 0 || headed !== undefined;
    if (isBusy || readyHead < ready.length) return false;
    // A callee is over, and its caller has not heard of it yet.
    for (const callees of calls.values()) if (callees.some((callee) => callee.isAvailable)) return false;
    return !servicesStarted.some((node) => node.state === 'running' && (!node.isUp || node.lentTo <= 0));
  }

  function endStuck(): void {
    const stuck = locks.takeStuck();
    if (!stuck) return;
    const holders = locks.holdersOf(stuck.lock).map((node) => `\`${node.step.title}\``);
    const message = `it would wait for lock \`${stuck.lock.name}\` for ever: ${holders.join(', ')} cannot go on before others do that wait as well`;
    over(stuck.node, failed(engine, stuck.node.step, engine.now(), { kind: 'thrown', message, exitCode: EXIT.failed }, ''));
    pump();
  }

  const notStarted = (): StepEnd => ({
    outcome: { status: 'skipped', because: 'run-ended', reason: ending ?? 'the run is ending' },
    value: undefined,
  });

  function whyNotOr(node: Node, otherwise: StepEnd): StepEnd {
    const skip = whyNot(node);
    return skip ? { outcome: { status: 'skipped', ...skip }, value: undefined } : otherwise;
  }

  /** While what it waits for still runs, it cannot be said why it is left out. */
  function waitsForRunning(node: Node): boolean {
    return waitsFor(node.step).some((id) => nodeOf(id).state === 'running' && !isThere(nodeOf(id)));
  }

  // ── Services ───────────────────────────────────────────────────────────────────────────────────

  const isThere = (node: Node): boolean => (isService(node) ? node.isUp || node.state === 'over' : node.isAvailable);

  /** Somebody needs it who runs in any case, so that it can start while others are looked at. */
  function isSurelyNeeded(service: Node): boolean {
    if (service.isWanted || service.step.target !== undefined) return true;
    return service.users.some((user) => {
      if (user.state === 'over') return false;
      if (!Object.values(user.step.needs).includes(service.step.id)) return true;
      return isService(user) ? isSurelyNeeded(user) : !canBeLeft(engine, user.step);
    });
  }

  /** What its users depend on is known without it. */
  function rest(node: Node): void {
    node.state = 'resting';
    // Its users may be over before it could have started.
    if (!isUsed(node)) return returnUnused(node);
    const facts = { isDeferred: deferred.has(node.step.id), needDigests: () => needDigestsOf(node) };
    looking++;
    void lookAtRest(engine, node.step, facts).then((looked) => {
      looking--;
      if (node.state === 'resting' && looked) {
        node.gives = looked.gives;
        becomeAvailable(node);
      } else if (node.state === 'resting') wake(node);
      pump();
    });
  }

  function wake(node: Node): void {
    node.isWanted = true;
    if (node.state === 'resting') waitForServices(node);
  }

  const servicesAsleep = (node: Node): readonly Node[] => lentToNode(node).filter((service) => !isThere(service));

  /** It cannot go on without what it needs: its services wake, and it waits its turn again. */
  function waitForServices(node: Node): void {
    node.state = 'waiting';
    locks.giveBack(node);
    const asleep = servicesAsleep(node);
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
      if (waker.waiting === 0 || (isLost && Object.values(waker.step.needs).includes(node.step.id))) becomeReady(waker);
    }
  }

  const isUsed = (service: Node): boolean => service.lentTo > 0 || held.has(service.step.id);
  const isGoing = (service: Node): boolean => service.isLeaving && service.state === 'running';

  /** The last user is over: stop it. One that stands last among the targets stays in the foreground. */
  function returnUnused(node: Node): void {
    if (isUsed(node)) return;
    if (node.state === 'running') {
      node.isLeaving = true;
      planner.forget(node.step);
      node.service?.stop();
    }
    if (node.state === 'resting') over(node, { outcome: { status: 'skipped', ...UNNEEDED }, value: undefined });
  }

  /** Targets that are services keep a place of their own until nothing else is left to do. */
  function whenOnlyServicesAreLeft(): void {
    const open = [...servicesStarted].filter((node) => node.state === 'running');
    if (open.length < unsettled) return;
    const last = plan.targets.at(-1);
    const stays = ending === undefined && stopReason === undefined && open.some((node) => node.step.id === last);
    if (stays && open.every((node) => node.isUp)) becomeIdle();
    for (const node of open.toReversed()) {
      if (!node.isUp || (stays && node.step.id === last)) continue;
      const users = node.users.filter((user) => user.state !== 'over' && Object.values(user.step.needs).includes(node.step.id));
      if (users.length === 0) {
        node.lentTo = 0;
        returnUnused(node);
      }
    }
  }

  function failUsers(node: Node, { failure, tail }: Extract<Outcome, { status: 'failed' }>): void {
    if (!node.isUp) return;
    const lines = tail?.trimEnd().split('\n').slice(-10) ?? [];
    const facts = [...(failure.facts ?? []), ...(lines.length > 0 ? ['its last lines:', ...lines.map((line) => `  ${line}`)] : [])];
    for (const user of node.users) {
      if (user.state !== 'running' || !Object.values(user.step.needs).includes(node.step.id)) continue;
      user.halt?.halt({
        kind: 'service',
        failure: { ...failure, kind: 'service', message: `\`${node.step.title}\`, which it needs, ended: ${failure.message}`, facts },
      });
    }
  }

  // ── Calls (R26) ────────────────────────────────────────────────────────────────────────────────

  function callFor(caller: Node): CallFunction {
    const call = async (what: AnyTask | Call, input?: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const { task } = planner.bindingOf(caller.step);
      if (isIncremental(specOf(task), engine.scopes.inputScopeOf(caller.step))) {
        throw new Error(`\`${caller.step.name}\` may be skipped, and then calls nothing: say in its \`needs\` what it calls`);
      }
      if (caller.state !== 'running') throw new Error(`\`call\` came too late: \`${caller.step.title}\` is over`);
      if (ending !== undefined || runHalt.reason) throw new Error('nothing can be called any more: the run is ending');
      const { step, added } = planner.planCall(isCall(what) ? what : makeCall(what, input ?? {}), caller.step);
      called.add(step.id);
      const letGo = hold([step, ...added].flatMap(({ id, needs }) => [id, ...Object.values(needs)]));
      try {
        const callee = await enterCall(caller, step, added);
        wake(callee);
        if (!isThere(callee)) await waitFor(caller, callee);
        if (!isSuccess(callee)) throw calledFailure(callee);
        if (isService(callee) && callee.state === 'running' && !caller.borrowed.includes(callee)) {
          callee.lentTo++;
          caller.borrowed.push(callee);
        }
        return callee.value;
      } finally {
        letGo();
      }
    };
    // One function serves both forms of the overloaded type.
    return call;
  }

  function hold(ids: readonly (string | undefined)[]): () => void {
    const own = [...new Set(ids)].filter((id) => id !== undefined);
    for (const id of own) held.set(id, (held.get(id) ?? 0) + 1);
    return () => {
      for (const id of own) {
        const others = (held.get(id) ?? 0) - 1;
        if (others > 0) held.set(id, others);
        else held.delete(id);
        const node = nodes.get(id);
        if (node && isService(node)) returnUnused(node);
      }
    };
  }

  /** The step that is called, in this run and checked. */
  async function enterCall(caller: Node, step: Step, added: readonly Step[]): Promise<Node> {
    calling++;
    try {
      await admitted(step, added);
    } finally {
      calling--;
    }
    const callee = nodeOf(step.id);
    refuseCircle(caller, callee);
    return callee;
  }

  async function admitted(step: Step, added: readonly Step[]): Promise<void> {
    if (added.length > 0) {
      // In the order of the calls: a later one may rely on steps that an earlier one brings in.
      const admission = lastAdmission.catch(() => {}).then(() => admit(added));
      lastAdmission = admission;
      for (const one of added) admissions.set(one.id, admission);
    }
    await admissions.get(step.id);
  }

  async function admit(added: readonly Step[]): Promise<void> {
    let found: Preflight;
    try {
      // One that an earlier call brought in, and that was refused, is refused for this one too.
      const own = new Set(added.map((step) => step.id));
      for (const id of added.flatMap(waitsFor)) if (!own.has(id)) await admissions.get(id);
      found = await preflight(engine, added, providers);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new StepFailure({
        kind: 'refused',
        message: error.message,
        exitCode: error.exitCode,
        facts: error.facts,
        ...(error.hint && { hint: error.hint }),
      });
    }
    for (const id of found.deferred) deferred.add(id);
    for (const step of added) {
      const { task } = planner.bindingOf(step);
      engine.emit({
        type: 'step-added',
        step: stepView(step, planner.bindingOf(step), engine.nameOf(task) !== undefined, planner.program),
      });
    }
    addSteps(added);
    for (const [id, finding] of found.unmet) {
      const node = nodeOf(id);
      if (node.state !== 'over')
        over(node, {
          outcome: { status: 'skipped', because: 'unmet', reason: finding.problem, ...(finding.remedy && { remedy: finding.remedy }) },
          value: undefined,
        });
    }
  }

  /** While it waits, be it for several at once, the caller gives back its slot. */
  async function waitFor(caller: Node, callee: Node): Promise<void> {
    const waited = calls.get(caller) ?? [];
    calls.set(caller, waited);
    waited.push(callee);
    const isExclusive = exclusive === caller;
    if (waited.length === 1) giveBackSlot(caller);
    locks.letEnter(caller);
    const there = callee.hasArrived ? undefined : new Promise<void>((resolve) => void callee.callers.push(resolve));
    pump();
    await there;
    waited.splice(waited.indexOf(callee), 1);
    if (waited.length > 0) return;
    calls.delete(caller);
    await new Promise<void>((resume) => {
      resuming.push({ node: caller, isExclusive, resume });
      pump();
    });
  }

  function refuseCircle(caller: Node, callee: Node): void {
    const path = pathBetween(callee, caller);
    if (!path) return;
    throw new StepFailure({
      kind: 'thrown',
      message: `this call leads back to its caller: ${[caller, ...path].map((node) => node.step.title).join(' → ')}`,
      exitCode: EXIT.failed,
    });
  }

  /** From `from` through what it waits for and calls to `to`. */
  function pathBetween(from: Node, to: Node): readonly Node[] | undefined {
    const cameFrom = new Map<Node, Node | undefined>([[from, undefined]]);
    const open = [from];
    for (let node = open.pop(); node; node = open.pop()) {
      if (node === to) {
        const path: Node[] = [];
        for (let at: Node | undefined = node; at; at = cameFrom.get(at)) path.unshift(at);
        return path;
      }
      if (isThere(node)) continue;
      for (const next of [...waitsFor(node.step).map(nodeOf), ...(calls.get(node) ?? [])]) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        open.push(next);
      }
    }
    return undefined;
  }

  function calledFailure(callee: Node): Error {
    const { outcome } = callee;
    const exitCode = outcome?.status === 'failed' ? outcome.failure.exitCode : EXIT.failed;
    return new StepFailure({ kind: 'thrown', message: `\`${callee.step.title}\`, which it called, ${howItEnded(outcome)}`, exitCode });
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────

  function stop(reason: StopReason): boolean {
    // Ctrl-C belongs to the program that has the terminal: an editor, a shell, a database client.
    if (reason === 'SIGINT' && engine.lending.commands > 0) return false;
    if (stopReason !== undefined) {
      if (reason === 'SIGINT' || reason === 'SIGTERM' || reason === 'SIGHUP') runHalt.kill();
      return true;
    }
    stopReason = reason;
    ending = `not started: ${describeStop(reason)}`;
    engine.emit({ type: 'run-stopping', reason });
    runHalt.halt({ kind: 'stop', reason });
    pump();
    return true;
  }

  function giveUp(): void {
    for (const node of nodes.values()) {
      if (node.state !== 'running') continue;
      node.halt?.halt({ kind: 'endless' });
      node.halt?.kill();
    }
  }

  function outdate(steps: readonly string[] | 'all'): boolean {
    const all = [...nodes.values()];
    const open = all.filter((node) => node.state !== 'over');
    const isIdle = open.length > 0 && open.every((node) => isService(node) && node.state === 'running');
    const changed =
      steps === 'all'
        ? all
        : all.filter((node) => steps.includes(node.step.id) && (node.isAvailable || (node.state !== 'waiting' && node.state !== 'ready')));
    const outdated = new Set(changed);
    // In plan order: what it needs stands before it.
    for (const node of all) {
      if (Object.values(node.step.needs).some((id) => id !== undefined && outdated.has(nodeOf(id)))) outdated.add(node);
    }
    const halt = (node: Node): void => node.halt?.halt({ kind: 'stop', reason: 'outdated' });
    for (const node of outdated) {
      // A step does not outdate itself: it is looked at when it ends.
      const isOwn = changed.includes(node) && !isService(node) && steps !== 'all';
      if (node.state === 'running' && !isOwn) halt(node);
    }
    if (changed.length === 0) return false;
    // What stays in the foreground makes way for the next round, which finds what is still the same.
    if (isIdle) for (const node of open) if (!outdated.has(node)) node.service?.stop();
    return true;
  }

  let isConcluded = false;
  function conclude(): void {
    if (isConcluded) return;
    isConcluded = true;
    clearTimeout(timer);
    void closeRunner().then(tellTheEnd);
  }

  /** Nothing outlives a run (R24), also what moved away from the step that started it. */
  async function closeRunner(): Promise<void> {
    const hurried = new AbortController();
    runHalt.onKill(() => hurried.abort());
    const names = (await engine.runner.close?.(hurried.signal)) ?? [];
    if (names.length === 0) return;
    const text = `left behind by a command, and ended with the run: ${names.join(', ')} (what is to stay is started with \`detached: true\`)`;
    engine.emit({ type: 'notice', text });
  }

  function tellTheEnd(): void {
    restoreConsole();
    engine.logs.close();
    const all = [...nodes.values()];
    const counts = countsOf(all);
    const verdict = verdictOf(all);
    engine.emit({ type: 'run-ended', ...verdict, counts, ms: engine.now() - startedAt });
    finish({
      ...verdict,
      exitMessage: exit?.message ? engine.masker.mask(exit.message) : undefined,
      steps: all.map((node) => node.step),
      outcomes: new Map(
        all.map((node) => [node.step.id, node.outcome ?? { status: 'skipped', because: 'run-ended', reason: 'never reached' }]),
      ),
      outputs: plan.targets.map((id) => nodeOf(id).value),
      counts,
    });
  }

  function verdictOf(all: readonly Node[]): { exitCode: number; reason: RunEndReason } {
    if (exit) return { exitCode: exit.code, reason: 'exit' };
    switch (stopReason) {
      case 'SIGINT':
        return { exitCode: EXIT.interrupted, reason: 'interrupted' };
      case 'SIGTERM':
        return { exitCode: EXIT.terminated, reason: 'terminated' };
      case 'SIGHUP':
        return { exitCode: EXIT.hungUp, reason: 'hung-up' };
      case 'timeout':
        return { exitCode: EXIT.timeout, reason: 'timeout' };
      case 'abort':
        return { exitCode: EXIT.interrupted, reason: 'aborted' };
      default:
    }
    const failures = all
      .toSorted((a, b) => planPosition(a) - planPosition(b))
      .flatMap(({ outcome }) => (outcome?.status === 'failed' && !outcome.mayFail ? [outcome.failure] : []));
    const [first] = failures;
    if (first && options.warnOnly && failures.every((failure) => failure.kind === 'command')) return { exitCode: EXIT.ok, reason: 'ok' };
    if (first)
      return { exitCode: first.exitCode, reason: first.kind === 'timeout' ? 'timeout' : first.kind === 'refused' ? 'refused' : 'failed' };
    const ranSome = plan.targets.some((id) => targetRan(nodeOf(id)));
    if (options.skipUnmet && !ranSome && all.some(({ outcome }) => outcome?.status === 'skipped' && outcome.because === 'unmet')) {
      return { exitCode: EXIT.refused, reason: 'refused' };
    }
    return engine.strays.count > 0 ? { exitCode: EXIT.failed, reason: 'failed' } : { exitCode: EXIT.ok, reason: 'ok' };
  }

  /** A group ran when something of it did. */
  function targetRan(node: Node): boolean {
    if (specOf(planner.bindingOf(node.step).task).run) return hasRun(node);
    return Object.values(node.step.needs).some((id) => id !== undefined && targetRan(nodeOf(id)));
  }

  /** A called step stands where its caller does: its failure is the cause of the caller's. */
  const planPosition = (node: Node): number => node.index;

  // ── Begin ──────────────────────────────────────────────────────────────────────────────────────

  const restoreConsole = captureConsole();
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => stop('timeout'), options.timeoutMs);
  engine.emit({
    type: 'run-started',
    version: EVENT_VERSION,
    plan: planView(plan, planner, engine.nameOf),
    jobs: options.jobs,
    dryRun: options.dryRun,
    solo: engine.solo,
  });
  // The caller gets its handle before the first step can end.
  queueMicrotask(() => {
    addSteps(plan.steps);
    pump();
  });
  const notice = (text: string): void => engine.emit({ type: 'notice', text });
  return { ended, stop, giveUp, outdate, idle, notice };
}

const isSameWork = (one: Step, other: Step): boolean =>
  one.name === other.name && stableText([one.input, one.passthrough]) === stableText([other.input, other.passthrough]);

const UNNEEDED = { because: 'unneeded', reason: 'nothing that runs needs it' } as const;

function howItEnded(outcome: Outcome | undefined): string {
  if (outcome?.status === 'skipped') return `was skipped: ${outcome.reason}`;
  return outcome?.status === 'stopped' ? 'was stopped' : 'failed';
}

/** Whether it has, or had, what its users wait for. */
function isSuccess(node: Node): boolean {
  const status = node.outcome?.status;
  return status === undefined ? node.isAvailable : status === 'done' || status === 'cached' || status === 'up-to-date';
}

function hasRun(node: Node): boolean {
  return isSuccess(node) || node.outcome?.status === 'failed' || (node.outcome?.status === 'skipped' && node.outcome.because === 'body');
}

function countsOf(all: readonly Node[]): RunCounts {
  const of = (status: Outcome['status']): number => all.filter((node) => node.outcome?.status === status).length;
  return {
    total: all.length,
    done: of('done'),
    upToDate: of('up-to-date'),
    cached: of('cached'),
    failed: of('failed'),
    skipped: of('skipped'),
    stopped: of('stopped'),
  };
}
