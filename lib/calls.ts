import type { Engine } from './engine.ts';
import { EXIT, UserError } from './errors.ts';
import { StepFailure } from './failure.ts';
import { isIncremental } from './incremental.ts';
import type { Step } from './plan.ts';
import { waitsFor } from './plan-order.ts';
import { stepView } from './step-view.ts';
import type { Preflight } from './preflight.ts';
import { preflight } from './preflight.ts';
import type { Node } from './run-node.ts';
import { howItEnded, isSuccess } from './run-node.ts';
import type { AnyTask, Call, CallFunction } from './task.ts';
import { isCall, makeCall, specOf } from './task.ts';

/**
 * Steps that a body asks for while it runs (R26).
 *
 *   call ──► planned ──► checked ──► in the run ──► waited for ──► the caller has a slot again
 */
export interface Calls {
  callFor(caller: Node): CallFunction;
  /** Callers whose callees are over, and that want a slot to go on. */
  readonly resuming: Resuming[];
  /** Those that wait for a callee, each with its callees. */
  readonly waiting: ReadonlyMap<Node, readonly Node[]>;
  /** Whether some have not come to wait for their callee yet. */
  readonly isUnderWay: boolean;
  /** Whether a call has asked for that step. */
  isCalled(id: string): boolean;
  /** Whether a call is about to use it: a service is not let go meanwhile. */
  isHeld(id: string): boolean;
  /** From `from` through what it waits for and calls to `to`. */
  pathBetween(from: Node, to: Node): readonly Node[] | undefined;
}

interface Resuming {
  readonly node: Node;
  readonly isExclusive: boolean;
  readonly resume: () => void;
}

/** What a run does for calls. */
export interface CallScope {
  readonly engine: Engine;
  /** Steps that say `provides`, which a callee's requirements may rely on. */
  readonly providers: readonly Step[];
  readonly nodes: ReadonlyMap<string, Node>;
  readonly nodeOf: (id: string) => Node;
  readonly isService: (node: Node) => boolean;
  /** It has, or had, what those wait for that call it. */
  readonly isThere: (node: Node) => boolean;
  readonly isEnding: () => boolean;
  /** Take in what was planned and checked. */
  readonly join: (added: readonly Step[], found: Preflight) => void;
  readonly wake: (service: Node) => void;
  /** Let a service go that nobody uses any more. */
  readonly returnUnused: (service: Node) => void;
  /** The caller waits from now on. @returns whether it had the terminal to itself, and wants it again */
  readonly leaveSlot: (caller: Node) => boolean;
  /** Others may enter its locks. */
  readonly letEnter: (caller: Node) => void;
  readonly pump: () => void;
}

export function createCalls(scope: CallScope): Calls {
  const { engine, nodeOf, isService, isThere, pump } = scope;
  const { planner } = engine;
  const resuming: Resuming[] = [];
  const waiting = new Map<Node, Node[]>();
  /** Of those that wait: who had the terminal to itself. */
  const exclusive = new Set<Node>();
  const called = new Set<string>();
  /** Steps that a call is about to use, and how many do. */
  const held = new Map<string, number>();
  /** The preflight of steps that a call brings in, which an equal call waits for as well. */
  const admissions = new Map<string, Promise<void>>();
  let lastAdmission: Promise<void> = Promise.resolve();
  let entering = 0;

  function callFor(caller: Node): CallFunction {
    const call = async (what: AnyTask | Call, input?: Readonly<Record<string, unknown>>): Promise<unknown> => {
      const { task } = planner.bindingOf(caller.step);
      if (isIncremental(specOf(task), engine.scopes.inputScopeOf(caller.step))) {
        throw new Error(`\`${caller.step.name}\` may be skipped, and then calls nothing: say in its \`needs\` what it calls`);
      }
      if (caller.state !== 'running') throw new Error(`\`call\` came too late: \`${caller.step.title}\` is over`);
      if (scope.isEnding()) throw new Error('nothing can be called any more: the run is ending');
      const { step, added } = planner.planCall(isCall(what) ? what : makeCall(what, input ?? {}), caller.step);
      called.add(step.id);
      const letGo = hold([step, ...added].flatMap(({ id, needs }) => [id, ...Object.values(needs)]));
      try {
        const callee = await enter(caller, step, added);
        scope.wake(callee);
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
        const node = scope.nodes.get(id);
        if (node && isService(node)) scope.returnUnused(node);
      }
    };
  }

  /** The step that is called, in this run and checked. */
  async function enter(caller: Node, step: Step, added: readonly Step[]): Promise<Node> {
    entering++;
    try {
      await admitted(step, added);
    } finally {
      entering--;
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
      found = await preflight(engine, added, scope.providers);
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
    for (const step of added) {
      const binding = planner.bindingOf(step);
      engine.emit({ type: 'step-added', step: stepView(step, binding, engine.nameOf(binding.task) !== undefined, planner.program) });
    }
    scope.join(added, found);
  }

  /** While it waits, be it for several at once, the caller gives back its slot. */
  async function waitFor(caller: Node, callee: Node): Promise<void> {
    const callees = waiting.get(caller) ?? [];
    waiting.set(caller, callees);
    callees.push(callee);
    if (callees.length === 1 && scope.leaveSlot(caller)) exclusive.add(caller);
    scope.letEnter(caller);
    const there = callee.hasArrived ? undefined : new Promise<void>((resolve) => void callee.callers.push(resolve));
    pump();
    await there;
    callees.splice(callees.indexOf(callee), 1);
    if (callees.length > 0) return;
    waiting.delete(caller);
    await new Promise<void>((resume) => {
      resuming.push({ node: caller, isExclusive: exclusive.delete(caller), resume });
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
      for (const next of [...waitsFor(node.step).map(nodeOf), ...(waiting.get(node) ?? [])]) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        open.push(next);
      }
    }
    return undefined;
  }

  return {
    callFor,
    resuming,
    waiting,
    get isUnderWay() {
      return entering > 0;
    },
    isCalled: (id) => called.has(id),
    isHeld: (id) => held.has(id),
    pathBetween,
  };
}

function calledFailure(callee: Node): Error {
  const { outcome } = callee;
  const exitCode = outcome?.status === 'failed' ? outcome.failure.exitCode : EXIT.failed;
  return new StepFailure({ kind: 'thrown', message: `\`${callee.step.title}\`, which it called, ${howItEnded(outcome)}`, exitCode });
}
