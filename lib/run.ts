import { captureConsole } from './body.ts';
import { createCalls } from './calls.ts';
import type { Engine } from './engine.ts';
import { EXIT } from './errors.ts';
import { EVENT_VERSION } from './event.ts';
import type { Outcome, RunCounts, RunEndReason, SkipCause, StopReason } from './event.ts';
import { failureOf } from './failure.ts';
import { createHalt, describeStop } from './halt.ts';
import { freshRun } from './incremental.ts';
import { createLending } from './lending.ts';
import { describeHolder } from './locks.ts';
import type { Plan, Step } from './plan.ts';
import { waitsFor } from './plan-order.ts';
import { planView } from './step-view.ts';
import type { Preflight } from './preflight.ts';
import type { LockRefusal } from './run-locks.ts';
import { createRunLocks } from './run-locks.ts';
import type { Node } from './run-node.ts';
import { createNode, howItEnded, isSuccess, needs, usersOf } from './run-node.ts';
import { startService } from './services.ts';
import type { StepEnd } from './step-end.ts';
import { failed } from './step-end.ts';
import { runStep } from './step.ts';
import { fieldOf, specOf } from './task.ts';
import { stableText } from './util/stable-text.ts';
import { countsOf, hasRun, verdictOf } from './verdict.ts';

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
/** How many turns others then have to themselves. */
const RESTS = 50;

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
  const servicesStarted: Node[] = [];
  const announcing: Node[] = [];
  let hasServices = false;
  /** Steps that say `provides`, which a callee's requirements may rely on. */
  const providers: Step[] = [];
  const calls = createCalls({
    engine,
    providers,
    nodes,
    nodeOf,
    isService,
    isThere,
    isEnding: () => ending !== undefined || runHalt.reason !== undefined,
    join,
    wake: (service) => lending.wake(service),
    returnUnused: (service) => lending.returnUnused(service),
    leaveSlot(caller) {
      // One that is over has given it back.
      if (isService(caller) || caller.state === 'over') return 'nothing';
      const had = exclusive === caller ? 'terminal' : 'slot';
      giveBackSlot(caller);
      return had;
    },
    letEnter: (caller) => locks.letEnter(caller),
    pump,
  });
  const locks = createRunLocks(engine, {
    calls,
    isService,
    servicesStarted,
    onHeld: pump,
    onRefused(node, why) {
      over(node, lockedOut(node, why));
      pump();
    },
  });
  const lending = createLending({
    engine,
    nodeOf,
    isService,
    isThere,
    hasServices: () => hasServices,
    isDeferred: (node) => deferred.has(node.step.id),
    needDigestsOf,
    isHeld: (node) => calls.isHeld(node.step.id),
    giveBackLocks: (node) => locks.giveBack(node),
    becomeReady,
    becomeAvailable,
    over,
    pump,
  });
  let readyHead = 0;
  /** Taken out of its queue, and waits for the terminal. */
  let headed: Node | undefined;
  let running = 0;
  let exclusive: Node | undefined;
  let unsettled = 0;
  /** When a step was first looked for in this turn of the event loop. */
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
      const isWanted = calls.isCalled(step.id);
      nodes.set(step.id, createNode({ step, index: nodes.size, isWanted, isInteractive: isInteractive(step) }));
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
      const before = isService(node)
        ? servicesStarted.find((other) => other.isLeaving && other.state === 'running' && isSameWork(other.step, step))
        : undefined;
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

  function isService(node: Node): boolean {
    return specOf(planner.bindingOf(node.step).task).service !== undefined && !options.dryRun;
  }

  /** It has, or had, what those wait for that cannot start without it. */
  function isThere(node: Node): boolean {
    return isService(node) ? node.isUp || node.state === 'over' : node.isAvailable;
  }

  const isInteractive = (step: Step): boolean =>
    engine.terminal.isTerminal && fieldOf(specOf(planner.bindingOf(step).task).interactive, engine.scopes.inputScopeOf(step)) === true;

  /** All it waits for is over: it joins the queue, or is left out at once. */
  function becomeReady(node: Node): void {
    if (node.state !== 'waiting') return;
    const skip = whyNot(node);
    if (skip) return over(node, { outcome: { status: 'skipped', ...skip }, value: undefined });
    if (isService(node) && !lending.isSurelyNeeded(node)) return lending.rest(node);
    if (isService(node) && lending.asleepFor(node).length > 0) return lending.waitForServices(node);
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
      // Bodies that wait for nothing from outside would keep the process from hearing signals and timers: what else
      // there is to do, also to conclude, comes in the next turn.
      isCutShort = engine.now() - turnSince > LONGEST_TURN_MS;
      if (isCutShort) return;
      const caller = calls.next(locks.mayResume);
      if (caller) {
        if (caller.had === 'terminal' && running > 0) break;
        if (caller.had === 'terminal') exclusive = caller.node;
        if (caller.had !== 'nothing') running++;
        calls.resume(caller.node);
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
    setImmediate(endTurn);
    return engine.now();
  }

  function endTurn(rests = 0): void {
    // One turn is not enough for what has to read several files, as the reporter that is being loaded.
    if (isCutShort && rests < RESTS) return void setImmediate(endTurn, rests + 1);
    turnSince = undefined;
    if (isCutShort) pump();
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
      mustWait: () => lending.lentTo(node).some((service) => !isThere(service) || !isSuccess(service)),
      needDigests: () => needDigestsOf(node),
      call: calls.callFor(node),
      isDeferred: deferred.has(node.step.id),
    };
    if (!isService(node)) {
      void runStep(engine, node.step, stepOptions).then((end) => {
        if (!calls.leave(node)) giveBackSlot(node);
        if (end) over(node, end);
        else lending.waitForServices(node);
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
      if (!node.isLeaving) lending.arrived(node);
      lending.returnUnused(node);
      pump();
    });
    void node.service.ended.then((end) => {
      calls.leave(node);
      if (end.outcome.status === 'failed') lending.failUsers(node, end.outcome);
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
      else if (node.outcome && !isSuccess(node) && needs(user, node)) becomeReady(user);
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
    for (const service of lending.lentTo(node)) {
      service.lentTo--;
      lending.returnUnused(service);
    }
    if (end.exit) {
      exit ??= end.exit;
      stop('exit');
    } else if (node.outcome.status === 'failed' && !node.outcome.mayFail) {
      if (options.failFast) stop('fail-fast');
      else if (!options.keepGoing) ending ??= `not started, since \`${node.step.title}\` failed`;
    }
    lending.arrived(node);
    announce(node);
  }

  /** Tell those that wait. A queue, not a recursion: one failure may settle a chain of thousands. */
  function announce(node: Node): void {
    announcing.push(node);
    if (announcing.length > 1) return;
    for (const next of announcing) becomeAvailable(next);
    announcing.length = 0;
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

  function lockedOut(node: Node, why: LockRefusal): StepEnd {
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
    if (locks.queued === 0 || calls.next(locks.mayResume)) return false;
    const isBusy = running > 0 || calls.isUnderWay || lending.isLooking || locks.entering > 0 || headed !== undefined;
    if (isBusy || readyHead < ready.length) return false;
    // A callee is over, and its caller has not heard of it yet.
    for (const caller of calls.away) if (calls.calleesOf(caller).some((callee) => callee.isAvailable)) return false;
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

  /** Targets that are services keep a place of their own until nothing else is left to do. */
  function whenOnlyServicesAreLeft(): void {
    const open = servicesStarted.filter((node) => node.state === 'running');
    if (open.length < unsettled) return;
    const last = plan.targets.at(-1);
    const stays = ending === undefined && stopReason === undefined && open.some((node) => node.step.id === last);
    if (stays && open.every((node) => node.isUp)) becomeIdle();
    for (const node of open.toReversed()) {
      if (!node.isUp || (stays && node.step.id === last)) continue;
      if (usersOf(node).length > 0) continue;
      node.lentTo = 0;
      lending.returnUnused(node);
    }
  }

  /** Steps that a call brings in. */
  function join(added: readonly Step[], found: Preflight): void {
    for (const id of found.deferred) deferred.add(id);
    addSteps(added);
    for (const [id, { problem, remedy }] of found.unmet) {
      const node = nodeOf(id);
      if (node.state === 'over') continue;
      over(node, { outcome: { status: 'skipped', because: 'unmet', reason: problem, ...(remedy && { remedy }) }, value: undefined });
    }
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
    const open = [...nodes.values()].filter((node) => node.state !== 'over');
    for (const { state, halt } of open) {
      if (state !== 'running') continue;
      halt?.halt({ kind: 'endless' });
      halt?.kill();
    }
    if (open.some(({ state }) => state === 'running')) return;
    // It cannot come to this; if it does, a run that has not done its work does not end well.
    for (const node of open) if (node.state !== 'over') over(node, neverStarted(node));
    pump();
  }

  function neverStarted({ step }: Node): StepEnd {
    const message = 'nothing is left that could start it';
    return failed(engine, step, engine.now(), { kind: 'thrown', message, exitCode: EXIT.failed }, '');
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
    const verdict = verdictOf(all, {
      options,
      exitCode: exit?.code,
      stopReason,
      hasRunTarget: () => plan.targets.some((id) => targetRan(nodeOf(id))),
      strays: engine.strays.count,
    });
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

  /** A group ran when something of it did. */
  function targetRan(node: Node): boolean {
    if (specOf(planner.bindingOf(node.step).task).run) return hasRun(node);
    return Object.values(node.step.needs).some((id) => id !== undefined && targetRan(nodeOf(id)));
  }

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
