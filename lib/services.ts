import type { OpenBody } from './body.ts';
import { openBody } from './body.ts';
import type { Engine } from './engine.ts';
import type { Failure } from './event.ts';
import { failureOf } from './failure.ts';
import type { Halt } from './halt.ts';
import { describeStop } from './halt.ts';
import { freshRun } from './incremental.ts';
import { commandVariables } from './leave-alone.ts';
import { asJson, checkedOutput } from './output.ts';
import type { Step } from './plan.ts';
import { untilReady } from './readiness.ts';
import { delayAfter } from './retry.ts';
import type { StepEnd } from './step-end.ts';
import { failed, haltFailure, hideSecrets } from './step-end.ts';
import type { StepScope } from './step-scope.ts';
import type { StepOptions } from './step.ts';
import { judge, prepare, timingOf } from './step.ts';
import { specOf } from './task.ts';
import type { ErasedSpec, Ready, RestartSpec } from './task.ts';
import { parseDurationMs } from './util/duration.ts';
import { pause } from './util/pause.ts';
import { listenersNow } from './util/ports.ts';
import { stableText } from './util/stable-text.ts';

/**
 * A step that stays alive while others use it (R37).
 *
 *               body returned,                last user over,
 *               `ready` holds                 or told to stop
 *   starting ──────────────────► ready ──────────────────────► stopping ──► over
 *    ▲ │ │                         │                                         ▲
 *    │ │ │ threw, died, not in time│ its commands ended by themselves        │
 *    │ │ └────────────┬────────────┘                                         │
 *    │ │              ▼            no restart left                           │
 *    │ │           fallen ───────────────────────────────────────────────────┤
 *    │ │              │                                                      │
 *    └─┼── restart ───┘                                                      │
 *      │ `adopt` gave an output, `ready` holds        last user over         │
 *      └───────────────────────► adopted ────────────────────────────────────┘
 *
 * Its users keep what they got while it falls and comes back; where it comes back with another output, they
 * fail with it. What was adopted is left alone.
 */
export interface Service {
  /** Settles when it is ready, or has ended without ever being so. Never rejects. */
  readonly started: Promise<
    { readonly isReady: true; readonly value: unknown; readonly gives: string | undefined } | { readonly isReady: false }
  >;
  /** Settles when it is over. Never rejects. */
  readonly ended: Promise<StepEnd>;
  /** End it, because nobody needs it any more. */
  stop(): void;
}

/** A timer takes no more. */
const LONGEST_MS = 2 ** 31 - 1;
/** What is kept of its words until it is ready. */
const SAID_LIMIT = 2 ** 20;

/** How one life of it ended: by our will, or by itself. */
type LifeEnd =
  | { readonly kind: 'ended'; readonly end: StepEnd }
  | { readonly kind: 'fell'; readonly end: StepEnd; readonly mayRestart: boolean };

export function startService(engine: Engine, step: Step, options: StepOptions): Service {
  const spec = specOf(engine.planner.bindingOf(step).task);
  const timing = timingOf(engine, step, spec);
  const { value: input, flags } = engine.planner.bindingOf(step);
  const halt = options.halt.child();
  const startedAt = engine.now();
  const unwanted = new AbortController();
  const stopWanted = (): void => unwanted.abort();
  const wanted = new Promise<void>((resolve) => unwanted.signal.addEventListener('abort', () => resolve(), { once: true }));
  const leaveHalt = halt.onHalt(stopWanted);

  let tellStarted: (state: Awaited<Service['started']>) => void = () => {};
  const started = new Promise<Awaited<Service['started']>>((resolve) => {
    tellStarted = resolve;
  });
  /** What its users got. */
  let given: { readonly value: unknown } | undefined;
  /** What they depend on. */
  let gives: string | undefined;

  function becomeReady(value: unknown, since: number): void {
    given ??= { value };
    hideSecrets(engine, step, value);
    engine.emit({ type: 'service-ready', step: step.id, ms: engine.now() - since });
    tellStarted({ isReady: true, value: given.value, gives });
  }

  /** Until nobody wants it, or it falls. What has no process of its own leaves nothing that would keep ours from ending. */
  async function stay(death: Promise<Failure>): Promise<Failure | undefined> {
    const foothold = setInterval(() => {}, LONGEST_MS);
    return Promise.race([wanted.then(() => undefined), death]).finally(() => clearInterval(foothold));
  }

  const stoppedEnd = (reason: string): StepEnd => ({
    outcome: { status: 'stopped', ms: engine.now() - startedAt, reason },
    value: undefined,
  });
  const doneEnd = (value: unknown): StepEnd => ({ outcome: { status: 'done', ms: engine.now() - startedAt, ...asJson(value) }, value });

  async function adopted(scope: StepScope): Promise<StepEnd | undefined> {
    if (!spec.service?.adopt || engine.options.dryRun) return undefined;
    const found = await spec.service.adopt({ ...scope.looking, ...engine.scopes.inputScopeOf(step) });
    if (found === undefined) return undefined;
    const output = checkedOutput(spec, found);
    if (!output.ok)
      return failed(
        engine,
        step,
        startedAt,
        { kind: 'output', message: `\`adopt\`: ${output.message}`, exitCode: 1, facts: output.facts },
        '',
      );
    engine.emit({ type: 'notice', step: step.id, text: `uses what runs already, and leaves it alone` });
    const readiness = await untilReady(engine, {
      ready: readyOf(spec, { input, flags, output: output.value }),
      timeoutMs: timing.timeoutMs,
      looking: scope.looking,
      said: () => '',
      before: undefined,
      death: new Promise(() => {}),
      wanted,
    });
    if (readiness.kind === 'failed') return failed(engine, step, startedAt, readiness.failure, '');
    if (readiness.kind === 'ready') {
      becomeReady(output.value, startedAt);
      await stay(new Promise(() => {}));
    }
    const reason = stopReasonOf(halt);
    return reason ? stoppedEnd(reason) : doneEnd(output.value);
  }

  async function life(prepared: { readonly scope: StepScope; readonly env: unknown }): Promise<LifeEnd> {
    const since = engine.now();
    const before = engine.options.dryRun ? undefined : listenersNow();
    const own = halt.child();
    const timer =
      timing.timeoutMs === undefined
        ? undefined
        : setTimeout(() => own.halt({ kind: 'timeout', timeoutMs: timing.timeoutMs ?? 0 }), timing.timeoutMs);
    let said = '';
    const onSaid = (text: string): void => void (said = (said + text).slice(-SAID_LIMIT));
    const { variables } = commandVariables(engine, step, spec, prepared.scope);
    const body = openBody(engine, {
      ...options,
      step,
      ...prepared,
      variables,
      halt: own,
      graceMs: timing.graceMs,
      interactive: false,
      onSaid,
    });
    const end = await body.ended;
    const conclude = async (failure?: Failure): Promise<StepEnd> => {
      clearTimeout(timer);
      body.endCommands();
      const { cleanUpErrors } = await body.close();
      own.release();
      const also = cleanUpErrors.map((error) => failureOf(error, engine.root, 'clean-up'));
      if (failure) return failed(engine, step, startedAt, failure, body.tail(), also);
      // Its commands were ended by us: what they say about that is no failure of theirs.
      return judge(engine, step, spec, { end, unawaited: [], also, reason: undefined, tail: body.tail(), startedAt });
    };
    const stopped = async (): Promise<LifeEnd> => {
      const concluded = await conclude();
      const reason = stopReasonOf(halt);
      return { kind: 'ended', end: !reason || concluded.outcome.status === 'failed' ? concluded : stoppedEnd(reason) };
    };
    const fell = async (failure?: Failure): Promise<LifeEnd> => ({ kind: 'fell', end: await conclude(failure), mayRestart: true });

    if (stopReasonOf(halt) && end.kind !== 'returned') return stopped();
    const late = lateOf(own);
    if (late) return fell(late);
    if (end.kind !== 'returned') return fell();
    const output = checkedOutput(spec, end.value);
    if (!output.ok) {
      const failure: Failure = { kind: 'output', message: output.message, exitCode: 1, facts: output.facts };
      return { kind: 'fell', end: await conclude(failure), mayRestart: false };
    }
    const death = deathOf(body);
    const hasProcess = body.commandsRunning().length > 0;
    const readiness = engine.options.dryRun
      ? ({ kind: 'ready' } as const)
      : await untilReady(engine, {
          ready: readyOf(spec, { input, flags, output: output.value }),
          timeoutMs: timing.timeoutMs,
          looking: prepared.scope.looking,
          said: () => said,
          before: hasProcess ? before : undefined,
          death,
          wanted,
        });
    clearTimeout(timer);
    const tooLate = lateOf(own);
    if (tooLate) return fell(tooLate);
    if (readiness.kind === 'stopped') return stopped();
    if (readiness.kind === 'failed') return fell(readiness.failure);
    if (given && stableText(given.value) !== stableText(output.value)) {
      const message = 'it came back with another output than its users have';
      return { kind: 'fell', end: await conclude({ kind: 'service', message, exitCode: 1 }), mayRestart: false };
    }
    becomeReady(output.value, since);
    const died = await stay(death);
    if (died)
      return { kind: 'fell', end: await conclude(died), mayRestart: restartOf(spec).when === 'always' || died.exitCode !== ENDED_WELL };

    engine.emit({ type: 'service-stopping', step: step.id });
    const stopFailure = await ownStop(engine, spec, step, body, output.value);
    const finished = await conclude(stopFailure);
    const reason = stopReasonOf(halt);
    return { kind: 'ended', end: finished.outcome.status === 'failed' ? finished : reason ? stoppedEnd(reason) : doneEnd(output.value) };
  }

  const live = async (): Promise<StepEnd> => {
    const prepared = await prepare(engine, step, options.isDeferred);
    if ('outcome' in prepared) return prepared;
    gives = await digestOf(engine, step, prepared.scope, options.needDigests());
    const taken = await adopted(prepared.scope);
    if (taken) return taken;
    const policy = restartOf(spec);
    for (let fallen = 1; ; fallen++) {
      const lived = await life(prepared);
      if (lived.kind === 'ended') return lived.end;
      const { outcome } = lived.end;
      const isOver = unwanted.signal.aborted || fallen > policy.times || !lived.mayRestart || lived.end.exit !== undefined;
      if (isOver || outcome.status !== 'failed') return told(lived.end);
      const nextInMs = delayAfter(fallen, policy);
      engine.emit({
        type: 'service-restarting',
        step: step.id,
        restart: fallen,
        restarts: policy.times,
        failure: outcome.failure,
        nextInMs,
      });
      await pause(nextInMs, unwanted.signal);
      const reason = stopReasonOf(halt);
      if (unwanted.signal.aborted) return reason ? stoppedEnd(reason) : doneEnd(given?.value);
    }
  };

  const ended = live()
    .catch((error: unknown) => failed(engine, step, startedAt, failureOf(error, engine.root), ''))
    .then((end) => {
      leaveHalt();
      halt.release();
      tellStarted({ isReady: false });
      return end;
    });
  return { started, ended, stop: stopWanted };
}

/** Of a service its own fingerprint counts, not what it gives: a port, say, is another each time (R32). */
async function digestOf(
  engine: Engine,
  step: Step,
  scope: StepScope,
  needs: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { cwd, environment } = scope;
  return engine.incremental?.serviceDigest(step, { cwd, variables: environment.variables, needs, isTarget: step.target !== undefined });
}

/**
 * What users of a service depend on, and the variables it would see, before it is started. Nothing where it cannot
 * be told. Never rejects.
 */
export async function lookAtRest(
  engine: Engine,
  step: Step,
  options: Pick<StepOptions, 'isDeferred' | 'needDigests'>,
): Promise<{ readonly gives: string; readonly variables: Readonly<Record<string, string>> } | undefined> {
  try {
    const prepared = await prepare(engine, step, options.isDeferred);
    if ('outcome' in prepared) return undefined;
    const gives = (await digestOf(engine, step, prepared.scope, options.needDigests())) ?? freshRun();
    return { gives, variables: prepared.scope.environment.variables };
  } catch {
    return undefined;
  }
}

/** Told only of commands that ended by themselves with code 0, which is no code of a failure. */
const ENDED_WELL = 0;

/** To the outside a service that is gone is a failure, however well it went. */
function told(end: StepEnd): StepEnd {
  const { outcome } = end;
  if (outcome.status !== 'failed' || outcome.failure.exitCode !== ENDED_WELL) return end;
  return { ...end, outcome: { ...outcome, failure: { ...outcome.failure, exitCode: 1 } } };
}

function readyOf(spec: ErasedSpec, scope: { readonly input: unknown; readonly flags: {}; readonly output: unknown }): Ready {
  const declared = spec.service?.ready ?? {};
  return typeof declared === 'function' ? declared(scope) : declared;
}

interface RestartPolicy {
  readonly when: 'on-failure' | 'always';
  readonly times: number;
  readonly delayMs: number;
  readonly factor: number;
}

function restartOf({ service }: ErasedSpec): RestartPolicy {
  const { restart } = service ?? {};
  if (restart === undefined) return { when: 'always', times: 0, delayMs: 0, factor: 1 };
  const { when = 'always', times = 3, delay = '1s', factor = 2 }: RestartSpec = typeof restart === 'string' ? { when: restart } : restart;
  return { when, times, delayMs: parseDurationMs(delay), factor };
}

/** Why it is out of time before it was ready. */
function lateOf(own: Halt): Failure | undefined {
  return own.reason?.kind === 'timeout' ? haltFailure(own.reason) : undefined;
}

/** Why the run, and the service with it, is being stopped. */
function stopReasonOf(halt: Halt): string | undefined {
  return halt.reason?.kind === 'stop' ? describeStop(halt.reason.reason) : undefined;
}

/** What becomes of a service whose commands end by themselves; never settles where it has no process of its own. */
function deathOf(body: OpenBody): Promise<Failure> {
  const running = body.commandsRunning();
  if (running.length === 0) return new Promise(() => {});
  return Promise.race(
    running.map(async (command) => {
      const end = await command.ended;
      // Only by now: the line of a `$` is put together while the body goes on.
      const { line } = command;
      const how = end.signal ? `was ended by ${end.signal}` : `exited with code ${end.code ?? '?'}`;
      return { kind: 'service' as const, message: `the service \`${line}\` ${how}`, exitCode: end.code ?? 1, command: line };
    }),
  );
}

async function ownStop(engine: Engine, spec: ErasedSpec, step: Step, body: OpenBody, output: unknown): Promise<Failure | undefined> {
  const stop = spec.service?.stop;
  if (!stop) return undefined;
  try {
    const { value: input, flags } = engine.planner.bindingOf(step);
    await body.runApart((context) => stop({ ...context, input, flags, output }));
    return undefined;
  } catch (error) {
    const failure = failureOf(error, engine.root, 'service');
    return { ...failure, message: `it did not stop well: ${failure.message}` };
  }
}
