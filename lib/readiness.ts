import type { Engine } from './engine.ts';
import type { Failure } from './event.ts';
import { failureOf } from './failure.ts';
import { describeMs } from './halt.ts';
import type { Ready, RequirementScope } from './task.ts';
import { parseDurationMs } from './util/duration.ts';
import { pause } from './util/pause.ts';
import { accepts, describeOwner } from './util/ports.ts';

/** Between two looks whether it is ready. */
const POLL_MS = 100;
const DEFAULT_WITHIN_MS = 60_000;
/** Longest wait for one answer. */
const ANSWER_WITHIN_MS = 5000;

export type Readiness = { readonly kind: 'ready' } | { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly failure: Failure };

export interface ReadinessOptions {
  readonly ready: Ready;
  /** Where `within` says nothing. */
  readonly timeoutMs: number | undefined;
  readonly looking: RequirementScope;
  /** What its commands have said so far. */
  readonly said: () => string;
  /** Who listened on which port before it was started. Undefined where it has no process that could. */
  readonly before: ReadonlyMap<number, readonly string[]> | undefined;
  /** Settles when it ends by itself. */
  readonly death: Promise<Failure>;
  /** Settles when nobody wants it any more. */
  readonly wanted: Promise<void>;
}

/** Look again and again until it is ready (R37). Silent: what is looked at shows in no log. */
export async function untilReady(engine: Engine, options: ReadinessOptions): Promise<Readiness> {
  const { ready, death, wanted } = options;
  const stranger = strangerOn(options);
  if (stranger) return { kind: 'failed', failure: stranger };
  const withinMs = ready.within === undefined ? (options.timeoutMs ?? DEFAULT_WITHIN_MS) : parseDurationMs(ready.within);
  const over = new AbortController();
  let answer = 'nothing was tried';
  const probing = (async (): Promise<Readiness> => {
    while (!over.signal.aborted) {
      answer = (await whatIsMissing(options, over.signal)) ?? '';
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
async function whatIsMissing({ ready, looking, said }: ReadinessOptions, signal: AbortSignal): Promise<string | undefined> {
  if (ready.port !== undefined) {
    const { host = '127.0.0.1', port } = typeof ready.port === 'number' ? { port: ready.port } : ready.port;
    if (!(await accepts(host, port, signal))) return `nothing accepts connections on ${host}:${port}`;
  }
  if (ready.http !== undefined) {
    const { url, status } = typeof ready.http === 'string' ? { url: ready.http, status: undefined } : ready.http;
    const missing = await whatHttpLacks(url, status, signal);
    if (missing) return missing;
  }
  if (ready.log !== undefined && !speaksOf(said(), ready.log))
    return `it has not said ${ready.log instanceof RegExp ? ready.log : JSON.stringify(ready.log)}`;
  if (ready.command !== undefined) {
    const result = await looking.look(ready.command, { timeoutMs: ANSWER_WITHIN_MS });
    const last = (result.stderr.trim() || result.stdout.trim()).split('\n').at(-1);
    if (!result.ok) return `\`${ready.command.join(' ')}\` exited with code ${result.exitCode}${last ? `: ${last}` : ''}`;
  }
  return ready.check ? checked(ready.check, signal) : undefined;
}

/** One that throws is not ready yet: most ask a server that is not there yet. */
async function checked(check: NonNullable<Ready['check']>, signal: AbortSignal): Promise<string | undefined> {
  try {
    return (await check(signal)) ? undefined : 'its own check says that it is not ready';
  } catch (error) {
    return `its own check threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Also in a line that has not ended yet. A pattern that remembers where it was is asked anew. */
function speaksOf(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text.includes(wanted) : new RegExp(wanted.source, wanted.flags.replaceAll(/[gy]/g, '')).test(text);
}

async function whatHttpLacks(url: string, status: number | undefined, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]), redirect: 'manual' });
    await response.body?.cancel();
    const isFine = status === undefined ? response.status < 500 : response.status === status;
    return isFine ? undefined : `${url} answered ${response.status}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return `${url} did not answer: ${cause}`;
  }
}

// ── Somebody else's server ───────────────────────────────────────────────────────────────────────

/** Who listened on its port before it was started is not it, whatever answers there. */
function strangerOn({ ready, before }: ReadinessOptions): Failure | undefined {
  for (const port of localPortsOf(ready)) {
    const sockets = before?.get(port);
    if (!sockets) continue;
    const owner = describeOwner(sockets);
    return {
      kind: 'service',
      message: `port ${port} was taken before the service started${owner === undefined ? '' : `, by ${owner}`}: what answers there is not this service`,
      exitCode: 1,
      hint: 'End it, take another port (`freePort()`), or let the task use what runs already: `service: { adopt }`.',
    };
  }
  return undefined;
}

const LOCAL = new Set(['localhost', '127.0.0.1', '0.0.0.0', '::1', '[::1]', '::']);

function localPortsOf({ port, http }: Ready): readonly number[] {
  const ports: number[] = [];
  if (typeof port === 'number') ports.push(port);
  else if (port && LOCAL.has(port.host ?? 'localhost')) ports.push(port.port);
  if (http !== undefined) {
    const url = new URL(typeof http === 'string' ? http : http.url);
    if (LOCAL.has(url.hostname)) ports.push(Number(url.port) || (url.protocol === 'https:' ? 443 : 80));
  }
  return ports;
}
