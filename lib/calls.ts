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
 *
 * A caller has no slot from its first call on, until the last of those that are under way is over and there is
 * one for it. It may call again meanwhile, and its body may end: then it wants none any more.
 */
export interface Calls {
  callFor(caller: Node): CallFunction;
  /** The first of those that want a slot again, and `may`; with what it had. */
  next(may: (caller: Node) => boolean): { readonly node: Node; readonly had: Had } | undefined;
  /** It has a slot again. */
  resume(caller: Node): void;
  /** Its body has ended. @returns whether it had no slot */
  leave(caller: Node): boolean;
  /** Whether it waits for callees, or for a slot. */
  isAway(caller: Node): boolean;
  /** Whether all that it called is over, and it wants a slot. */
  isResuming(caller: Node): boolean;
  /** Those without a slot. */
  readonly away: Iterable<Node>;
  /** Not over yet, or not heard of. */
  calleesOf(caller: Node): readonly Node[];
  /** Whether some have not come to wait for their callee yet. */
  readonly isUnderWay: boolean;
  /** Whether a call has asked for that step. */
  isCalled(id: string): boolean;
  /** Whether a call is about to use it: a service is not let go meanwhile. */
  isHeld(id: string): boolean;
  /** Through what `from` waits for and calls. */
  pathBetween(from: Node, to: Node): readonly Node[] | undefined;
}

/** What a caller gave back while it waits, and wants again. A service has no slot. */
export type Had = 'nothing' | 'slot' | 'terminal';

/** A caller without a slot. */
interface Away {
  readonly had: Had;
  readonly callees: Node[];
  /** Lets the call that ended last return, where it waits for a slot. */
  goOn: (() => void) | undefined;
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
  /** The caller waits from now on. */
  readonly leaveSlot: (caller: Node) => Had;
  /** Others may enter its locks. */
  readonly letEnter: (caller: Node) => void;
  readonly pump: () => void;
}

export function createCalls(scope: CallScope): Calls {
  const { engine, nodeOf, isService, isThere, pump } = scope;
  const { planner } = engine;
  const away = new Map<Node, Away>();
  /** Of these, who waits for no callee any more, in the order in which it came to that. */
  const resuming = new Set<Node>();
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
        if (isService(callee) && callee.state === 'running' && caller.state === 'running' && !caller.borrowed.includes(callee)) {
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

  async function waitFor(caller: Node, callee: Node): Promise<void> {
    const own = away.get(caller) ?? { had: scope.leaveSlot(caller), callees: [], goOn: undefined };
    away.set(caller, own);
    own.callees.push(callee);
    // It has called again before there was a slot for it: the earlier call returns, and the last one waits for the slot.
    goOn(caller, own);
    scope.letEnter(caller);
    const there = callee.hasArrived ? undefined : new Promise<void>((resolve) => void callee.callers.push(resolve));
    pump();
    await there;
    own.callees.splice(own.callees.indexOf(callee), 1);
    if (own.callees.length > 0 || away.get(caller) !== own) return;
    await new Promise<void>((resolve) => {
      own.goOn = resolve;
      resuming.add(caller);
      pump();
    });
  }

  function goOn(caller: Node, own: Away): void {
    resuming.delete(caller);
    own.goOn?.();
    own.goOn = undefined;
  }

  function resume(caller: Node): void {
    const own = away.get(caller);
    away.delete(caller);
    if (own) goOn(caller, own);
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
      for (const next of [...waitsFor(node.step).map(nodeOf), ...calleesOf(node)]) {
        if (cameFrom.has(next)) continue;
        cameFrom.set(next, node);
        open.push(next);
      }
    }
    return undefined;
  }

  const calleesOf = (caller: Node): readonly Node[] => away.get(caller)?.callees ?? [];

  return {
    callFor,
    next(may) {
      for (const node of resuming) if (may(node)) return { node, had: away.get(node)?.had ?? 'slot' };
      return undefined;
    },
    resume,
    leave(caller) {
      const wasAway = away.has(caller);
      resume(caller);
      return wasAway;
    },
    isAway: (caller) => away.has(caller),
    isResuming: (caller) => resuming.has(caller),
    get away() {
      return away.keys();
    },
    calleesOf,
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
