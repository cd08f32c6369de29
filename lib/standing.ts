import type { Engine } from './engine.ts';
import type { EventBody } from './event.ts';
import { createHalt, describeHalt } from './halt.ts';
import type { Halt } from './halt.ts';
import type { Step } from './plan.ts';
import type { Runner } from './runners/runner.ts';
import type { Masker } from './secrets.ts';
import type { Service } from './services.ts';
import { lookAtRest, startService } from './services.ts';
import { hideSecrets } from './step-end.ts';
import type { StepOptions } from './step.ts';
import { specOf } from './task.ts';
import { digestOf } from './util/digest.ts';
import { stableText } from './util/stable-text.ts';

/**
 * Services that stay up between the rounds of a watched plan, as long as what they depend on is the same (R36).
 *
 *                 the round needs it no more              a round needs it, and it is the same
 *   in a round ──────────────────────────────► standing ────────────────────────────────────► in a round
 *      │                                          │ it is another now, or watching is over
 *      └── it fell, or was told to stop ──► gone ◄┘
 */
export interface Standing {
  /** Like {@link startService}, of a round: to stop it there is to leave it standing. */
  start(engine: Engine, step: Step, options: StepOptions): Service;
  /** Whether it is up from before: what it requires of the machine was looked at then, and its port is its own. */
  has(step: Step): boolean;
  /** A secret of any round is one for all. */
  hide(secret: string): void;
  /** Without the secrets of those that are up. */
  mask(text: string): string;
  /** End those that are none of these steps. */
  keepOnly(steps: readonly Step[]): Promise<void>;
  close(): Promise<void>;
  /** Names of those that are up. */
  readonly names: readonly string[];
}

const neverBegun = (reason: string): Service => ({
  started: Promise.resolve({ isReady: false }),
  ended: Promise.resolve({ outcome: { status: 'stopped', ms: 0, reason }, value: undefined }),
  stop() {},
});

interface Member {
  readonly key: string;
  readonly name: string;
  /** What it depends on, its variables among that. */
  readonly digest: string;
  readonly gives: string | undefined;
  readonly service: Service;
  readonly halt: Halt;
  readonly masker: Masker;
  /** The round that it is in: what happens is told there. */
  readonly place: { engine: Engine | undefined; step: Step };
  /** Settles when it is over, with all that its commands started. */
  readonly gone: Promise<void>;
}

/**
 * @param newRunner  each has one of its own, since that of a round ends with it
 * @param kill  they get no time from then on
 */
export function createStanding(newRunner: () => Runner, kill: AbortSignal): Standing {
  const members = new Map<string, Member>();
  /** Those that are replaced are among them until they are gone. */
  const alive = new Set<Member>();
  const keyOf = (step: Step): string => stableText([step.name, step.input, step.passthrough, step.round]);
  kill.addEventListener('abort', () => {
    for (const { halt } of alive) halt.kill();
  });

  async function enter(engine: Engine, step: Step, options: StepOptions): Promise<Member | Service> {
    const key = keyOf(step);
    const now = await lookAtRest(engine, step, options);
    const found = members.get(key);
    const digest = now && digestOf(stableText([now.gives, now.variables]));
    // One that was told to stop is as good as gone.
    if (found && found.digest === digest && !found.halt.reason) return found;
    if (found) await end(found);
    const { reason } = options.halt;
    if (reason) return neverBegun(describeHalt(reason));
    // One that holds a lock would hold it, or not, while nobody runs.
    if (digest === undefined || specOf(engine.planner.bindingOf(step).task).lock !== undefined) return startService(engine, step, options);
    return begin(engine, step, options, { key, digest, gives: now?.gives });
  }

  function begin(engine: Engine, step: Step, options: StepOptions, known: Pick<Member, 'key' | 'digest' | 'gives'>): Member {
    const halt = createHalt();
    const runner = newRunner();
    const place: Member['place'] = { engine, step };
    const emit = (told: EventBody): void => {
      if (!place.engine) return;
      // Output is masked as a stream where it comes in. What else it says may hold secrets that this round does not know.
      const masked = told.type === 'output' ? told : engine.masker.maskDeep(told);
      place.engine.emit('step' in masked ? ({ ...masked, step: place.step.id } as EventBody) : masked);
    };
    const own: Engine = { ...engine, runner, solo: false, emit };
    const service = startService(own, step, { ...options, halt, needs: options.needs });
    const gone = service.ended.then(async () => {
      if (members.get(known.key) === member) members.delete(known.key);
      await runner.close?.(kill);
      alive.delete(member);
    });
    const member: Member = { ...known, name: step.name, service, halt, masker: engine.masker, place, gone };
    members.set(known.key, member);
    alive.add(member);
    if (kill.aborted) halt.kill();
    return member;
  }

  async function end({ key, service, gone }: Member): Promise<void> {
    members.delete(key);
    service.stop();
    await gone;
  }

  function start(engine: Engine, step: Step, options: StepOptions): Service {
    let leave = (): void => {};
    const left = new Promise<'left'>((resolve) => {
      leave = () => resolve('left');
    });
    const startedAt = engine.now();
    const entered = enter(engine, step, options);

    const started = entered.then(async (member) => {
      if (!('service' in member)) return member.started;
      const isNew = member.place.engine === engine;
      Object.assign(member.place, { engine, step });
      const state = await member.service.started;
      if (state.isReady && !isNew) {
        hideSecrets(engine, step, state.value);
        engine.emit({ type: 'service-ready', step: step.id, ms: engine.now() - startedAt });
        engine.scopes.touch(1);
      }
      return state.isReady ? { ...state, gives: member.gives } : state;
    });

    const ended = entered.then(async (member): ReturnType<() => Service['ended']> => {
      if (!('service' in member)) {
        void left.then(() => member.stop());
        return member.ended;
      }
      const letGo = [
        options.halt.onHalt(() => options.halt.reason && member.halt.halt(options.halt.reason)),
        options.halt.onKill(() => member.halt.kill()),
      ];
      const state = await Promise.race([started, left]);
      const isUp = state !== 'left' && state.isReady;
      // One that is not wanted any more before it was ready has nothing that could stand.
      if (!isUp) member.service.stop();
      const how = isUp ? await Promise.race([member.service.ended, left]) : await member.service.ended;
      // Told to stop while it was left: the round is over when it is.
      const end = how === 'left' && member.halt.reason ? await member.service.ended : how;
      for (const one of letGo) one();
      const { value } = isUp ? state : { value: undefined };
      if (end !== 'left') return end;
      member.place.engine = undefined;
      return { outcome: { status: 'done', ms: engine.now() - startedAt }, value };
    });
    return { started, ended, stop: leave };
  }

  return {
    start,
    has: (step) => members.has(keyOf(step)),
    hide: (secret) => {
      for (const { masker } of alive) masker.add(secret);
    },
    mask: (text) => [...alive].reduce((masked, { masker }) => masker.mask(masked), text),
    async keepOnly(steps) {
      const wanted = new Set(steps.map(keyOf));
      await Promise.all([...members.values()].filter(({ key }) => !wanted.has(key)).map(end));
    },
    async close() {
      for (const member of members.values()) void end(member);
      await Promise.all([...alive].map(({ gone }) => gone));
    },
    get names() {
      return [...members.values()].map(({ name }) => name);
    },
  };
}
