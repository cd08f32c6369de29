import { connect } from 'node:net';
import type { OpenBody } from './body.ts';
import { openBody } from './body.ts';
import type { Engine } from './engine.ts';
import type { Failure } from './event.ts';
import { failureOf } from './failure.ts';
import type { Halt } from './halt.ts';
import { describeMs, describeStop } from './halt.ts';
import type { Step } from './plan.ts';
import type { StepEnd } from './step-end.ts';
import { failed } from './step-end.ts';
import type { StepOptions } from './step.ts';
import { asJson, checkedOutput, judge, prepare, timingOf } from './step.ts';
import { specOf } from './task.ts';
import type { ErasedSpec, Ready } from './task.ts';
import { parseDurationMs } from './util/duration.ts';
import { pause } from './util/pause.ts';

/**
 * A step that stays alive while others use it (R37).
 *
 *            body returned,           last user over,
 *            `ready` holds            or told to stop
 *   starting ─────────────► ready ─────────────────► stopping ──► over
 *      │                      │                                    ▲
 *      │ body threw, died,    │ its commands ended by themselves   │
 *      └─ not ready in time ──┴────────────────────────────────────┘
 */
export interface Service {
  /** Settles when it is ready, or has ended without ever being so. Never rejects. */
  readonly started: Promise<{ readonly isReady: true; readonly value: unknown } | { readonly isReady: false }>;
  /** Settles when it is over. Never rejects. */
  readonly ended: Promise<StepEnd>;
  /** End it, because nobody needs it any more. */
  stop(): void;
}

/** Between two looks whether it is ready. */
const POLL_MS = 100;
const DEFAULT_WITHIN_MS = 60_000;
/** A timer takes no more. */
const LONGEST_MS = 2 ** 31 - 1;

export function startService(engine: Engine, step: Step, options: StepOptions): Service {
  const spec = specOf(engine.planner.bindingOf(step).task);
  const { graceMs } = timingOf(engine, step, spec);
  const halt = options.halt.child();
  const startedAt = engine.now();
  let stopWanted = (): void => {};
  const wanted = new Promise<void>((resolve) => {
    stopWanted = resolve;
  });
  halt.signal.addEventListener('abort', stopWanted, { once: true });

  let tellStarted: (state: Awaited<Service['started']>) => void = () => {};
  const started = new Promise<Awaited<Service['started']>>((resolve) => {
    tellStarted = resolve;
  });

  const live = async (): Promise<StepEnd> => {
    const prepared = await prepare(engine, step, options.isDeferred);
    if ('outcome' in prepared) return prepared;
    const body = openBody(engine, { ...options, step, ...prepared, halt, graceMs, interactive: false });
    const end = await body.ended;
    const conclude = async (failure?: Failure): Promise<StepEnd> => {
      body.endCommands();
      const { cleanUpErrors } = await body.close();
      const also = cleanUpErrors.map((error) => failureOf(error, engine.root, 'clean-up'));
      if (failure) return failed(engine, step, startedAt, failure, body.tail(), also);
      // Its commands were ended by us: what they say about that is no failure of theirs.
      return judge(engine, step, spec, { end, unawaited: [], also, reason: undefined, tail: body.tail(), startedAt });
    };
    const stopped = async (): Promise<StepEnd> => {
      const concluded = await conclude();
      const reason = stopReasonOf(halt);
      if (!reason || concluded.outcome.status === 'failed') return concluded;
      return { outcome: { status: 'stopped', ms: engine.now() - startedAt, reason }, value: undefined };
    };
    if (end.kind !== 'returned') return stopReasonOf(halt) ? stopped() : conclude();
    const output = checkedOutput(spec, end.value);
    if (!output.ok) return conclude({ kind: 'output', message: output.message, exitCode: 1, facts: output.facts });

    const death = deathOf(body);
    const readiness = await untilReady(engine, step, spec, output.value, death, wanted);
    if (readiness.kind === 'stopped') return stopped();
    if (readiness.kind === 'failed') return conclude(readiness.failure);

    engine.emit({ type: 'service-ready', time: engine.now(), step: step.id, ms: engine.now() - startedAt });
    tellStarted({ isReady: true, value: output.value });
    // What has no process of its own leaves nothing here that would keep ours from ending.
    const foothold = setInterval(() => {}, LONGEST_MS);
    const died = await Promise.race([wanted.then(() => undefined), death]).finally(() => clearInterval(foothold));
    if (died) return conclude(died);

    engine.emit({ type: 'service-stopping', time: engine.now(), step: step.id });
    const stopFailure = await ownStop(engine, spec, step, body, output.value);
    const finished = await conclude(stopFailure);
    if (finished.outcome.status === 'failed') return finished;
    const reason = stopReasonOf(halt);
    if (reason) return { outcome: { status: 'stopped', ms: engine.now() - startedAt, reason }, value: undefined };
    return { outcome: { status: 'done', ms: engine.now() - startedAt, ...asJson(output.value) }, value: output.value };
  };

  const ended = live()
    .catch((error: unknown) => failed(engine, step, startedAt, failureOf(error, engine.root), ''))
    .then((end) => {
      halt.signal.removeEventListener('abort', stopWanted);
      halt.release();
      tellStarted({ isReady: false });
      return end;
    });
  return { started, ended, stop: stopWanted };
}

/** Why the run, and the service with it, is being stopped. */
function stopReasonOf(halt: Halt): string | undefined {
  return halt.reason?.kind === 'stop' ? describeStop(halt.reason.reason) : undefined;
}

/** What becomes of a service whose commands end by themselves; never settles where it has no process of its own. */
function deathOf(body: OpenBody): Promise<Failure> {
  const running = body.shell.commandsRunning();
  if (running.length === 0) return new Promise(() => {});
  return Promise.race(
    running.map(async ({ line, ended }) => {
      const end = await ended;
      const how = end.signal ? `was ended by ${end.signal}` : `exited with code ${end.code ?? '?'}`;
      return { kind: 'service' as const, message: `the service \`${line}\` ${how}`, exitCode: end.code || 1, command: line };
    }),
  );
}

async function ownStop(engine: Engine, spec: ErasedSpec, step: Step, body: OpenBody, output: unknown): Promise<Failure | undefined> {
  const stop = spec.service?.stop;
  if (!stop) return undefined;
  try {
    await body.runApart((context) => stop({ ...context, input: engine.planner.bindingOf(step).value, output }));
    return undefined;
  } catch (error) {
    return failureOf(error, engine.root, 'service');
  }
}

// ── Readiness ────────────────────────────────────────────────────────────────────────────────────

type Readiness = { readonly kind: 'ready' } | { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly failure: Failure };

async function untilReady(
  engine: Engine,
  step: Step,
  spec: ErasedSpec,
  output: unknown,
  death: Promise<Failure>,
  wanted: Promise<void>,
): Promise<Readiness> {
  const declared = spec.service?.ready;
  if (!declared || engine.options.dryRun) return { kind: 'ready' };
  const ready = typeof declared === 'function' ? declared({ input: engine.planner.bindingOf(step).value, output }) : declared;
  const withinMs = ready.within === undefined ? DEFAULT_WITHIN_MS : parseDurationMs(ready.within);
  const over = new AbortController();
  let answer = 'nothing was tried';
  const probing = (async (): Promise<Readiness> => {
    while (!over.signal.aborted) {
      answer = (await whatIsMissing(ready, over.signal)) ?? '';
      if (answer === '') return { kind: 'ready' };
      await pause(POLL_MS, over.signal);
    }
    return { kind: 'stopped' };
  })();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    const failure = (): Failure => ({
      kind: 'service',
      message: `the service was not ready within ${describeMs(withinMs)}`,
      exitCode: 124,
      facts: [answer],
    });
    timer = setTimeout(() => resolve({ kind: 'failed', failure: failure() }), withinMs);
  });
  try {
    return await Promise.race([
      probing,
      late,
      death.then((failure): Readiness => ({ kind: 'failed', failure: { ...failure, message: `${failure.message} before it was ready` } })),
      wanted.then((): Readiness => ({ kind: 'stopped' })),
    ]);
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error, engine.root, 'service') };
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

/** What keeps it from being ready, in words; `undefined` when nothing does. */
async function whatIsMissing(ready: Ready, signal: AbortSignal): Promise<string | undefined> {
  if (ready.port !== undefined) {
    const { host = '127.0.0.1', port } = typeof ready.port === 'number' ? { port: ready.port } : ready.port;
    if (!(await accepts(host, port, signal))) return `nothing accepts connections on ${host}:${port}`;
  }
  if (ready.http !== undefined) {
    const { http } = ready;
    const missing =
      typeof http === 'string' ? await whatHttpLacks(http, undefined, signal) : await whatHttpLacks(http.url, http.status, signal);
    if (missing) return missing;
  }
  if (ready.check && !(await ready.check(signal))) return 'its own check says that it is not ready';
  return undefined;
}

export function accepts(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

async function whatHttpLacks(url: string, status: number | undefined, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]), redirect: 'manual' });
    await response.body?.cancel();
    const isFine = status === undefined ? response.status < 500 : response.status === status;
    return isFine ? undefined : `${url} answered ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `${url} did not answer: ${cause}`;
  }
}
