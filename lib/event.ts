/**
 * All that a reporter can learn about a run (R38): one union of plain, JSON-able events.
 *
 * Texts are masked before they become events, so no view can show a secret.
 */
export const EVENT_VERSION = 1;

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** A step as people and programs see it: secrets are `***`. */
export interface StepView {
  /** Unique within the run. */
  readonly id: string;
  /** The task's name. */
  readonly name: string;
  /** Name with the input that differs from the defaults: `build (tag=a)`. Unique enough for people. */
  readonly title: string;
  readonly input: JsonObject;
  /** The global flags it sees, where its task was made with some. */
  readonly flags?: JsonObject;
  readonly passthrough?: readonly string[];
  /** Ids of steps whose outputs it gets, by the names in `needs` (array needs: "0", "1" …). */
  readonly needs: { readonly [name: string]: string };
  /** Ids of steps that must be over first, whatever came of them. */
  readonly after: readonly string[];
  /** The id of the step whose body called it, or whose success it follows. */
  readonly calledBy?: string;
  readonly postOf?: string;
  /** Position among the targets, from 0, when it was asked for by name. */
  readonly target?: number;
  readonly service?: true;
  readonly interactive?: true;
  /** The command line that runs it again; absent when it has no registered name. */
  readonly rerun?: string;
}

export interface PlanView {
  readonly version: 1;
  /** In plan order: what is needed stands before what needs it. */
  readonly steps: readonly StepView[];
  /** Ids, in the order typed. */
  readonly targets: readonly string[];
}

/** A line of a file of the user's. */
export interface Place {
  /** Absolute. */
  readonly file: string;
  readonly line: number;
}

/** Why a step failed. */
export interface Failure {
  readonly kind: 'command' | 'timeout' | 'thrown' | 'output' | 'service' | 'refused' | 'usage' | 'exit' | 'clean-up';
  /** One line. */
  readonly message: string;
  /** What this failure makes of the run's exit code. */
  readonly exitCode: number;
  readonly command?: string;
  readonly cwd?: string;
  readonly signal?: string;
  /** The user's own frames, one a line. */
  readonly stack?: string;
  /** With those of libraries and of taskwright: for `--verbose`. */
  readonly fullStack?: string;
  /** Where it came from: the user's line that failed, else the declaration of the task. */
  readonly place?: Place;
  /** Lines that stand under the message. */
  readonly facts?: readonly string[];
  readonly hint?: string;
}

/** How a step ended. */
export type Outcome =
  | { readonly status: 'done'; readonly ms: number; readonly output?: Json; /** When it was not the first. */ readonly attempts?: number }
  | { readonly status: 'up-to-date'; readonly reason: string; readonly output?: Json }
  | { readonly status: 'cached'; readonly from: string; readonly output?: Json }
  | {
      readonly status: 'failed';
      readonly ms: number;
      readonly failure: Failure;
      readonly mayFail?: true;
      readonly log?: string;
      readonly tail?: string;
      readonly alsoFailed?: readonly Failure[];
      /** When it was not the first. */
      readonly attempts?: number;
    }
  | { readonly status: 'skipped'; readonly reason: string; readonly because: SkipCause; readonly remedy?: string }
  | { readonly status: 'stopped'; readonly ms: number; readonly reason: string };

/**
 * Why a step was left out: what it needs did not succeed; requirements or variables are unmet
 * (`--skip-unmet`); its body said so; what it was to follow did not succeed; it cannot be foreseen in a
 * dry run; the run was ending for another reason before its turn came.
 */
export type SkipCause = 'need' | 'unmet' | 'body' | 'post' | 'dry-run' | 'run-ended' | 'unneeded';

/** Why a run is being stopped before its end. */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'timeout' | 'fail-fast' | 'abort' | 'exit' | 'outdated';

export interface RunCounts {
  readonly total: number;
  readonly done: number;
  readonly upToDate: number;
  readonly cached: number;
  readonly failed: number;
  readonly skipped: number;
  readonly stopped: number;
}

interface Timed {
  /** Milliseconds since the epoch. */
  readonly time: number;
}

export type Event = Timed & EventBody;

/** What the engine tells; when is added where it goes to the reporters. */
export type EventBody =
  | {
      readonly type: 'run-started';
      readonly version: typeof EVENT_VERSION;
      readonly plan: PlanView;
      readonly jobs: number;
      readonly dryRun: boolean;
      /** A plan of one step (R40). */ readonly solo: boolean;
    }
  /** A step that joined the plan while it ran, by `call`. */
  | { readonly type: 'step-added'; readonly step: StepView }
  | { readonly type: 'step-started'; readonly step: string }
  /** Why a step that could have been left alone runs (R34): `changed: src/a.ts`, a line each. */
  | { readonly type: 'step-explained'; readonly step: string; readonly why: readonly string[] }
  | {
      readonly type: 'command-started';
      readonly step: string;
      readonly command: number;
      readonly line: string;
      readonly cwd: string;
      readonly quiet: boolean;
      /** Shown instead of run. */ readonly dry?: true;
    }
  | {
      readonly type: 'command-ended';
      readonly step: string;
      readonly command: number;
      readonly exitCode: number;
      readonly signal?: string;
      readonly ms: number;
    }
  /** What a command says, as it comes: not cut at lines. `command` tells apart two that run side by side. */
  | {
      readonly type: 'output';
      readonly step: string;
      readonly command: number;
      readonly stream: 'stdout' | 'stderr';
      readonly text: string;
    }
  /** `log` and `console.*` of a body: whole lines. */
  | { readonly type: 'log'; readonly step: string; readonly level: 'info' | 'warn'; readonly text: string }
  /** A result for stdout, whole. */
  | { readonly type: 'print'; readonly step: string; readonly text: string }
  /** Something the user should know that is no failure of a step; `isError` where the run fails for it. */
  | { readonly type: 'notice'; readonly step?: string; readonly text: string; readonly isError?: true }
  /** It cannot start before another process gives back a lock (R19). `text` says who has it, and since when. */
  | {
      readonly type: 'lock-waiting';
      readonly step: string;
      readonly lock: string;
      readonly holder: {
        readonly step: string;
        readonly pid: number;
        readonly host: string;
        readonly root: string;
        /** ISO. */ readonly since: string;
      };
      readonly text: string;
    }
  /** It is tried again (R22): `attempt` of `attempts` failed. */
  | {
      readonly type: 'attempt-failed';
      readonly step: string;
      readonly attempt: number;
      readonly attempts: number;
      readonly failure: Failure;
      readonly nextInMs: number;
    }
  /** A service can be used from now on. */
  | { readonly type: 'service-ready'; readonly step: string; readonly ms: number }
  /** It ended by itself, and is started again. */
  | {
      readonly type: 'service-restarting';
      readonly step: string;
      readonly restart: number;
      readonly restarts: number;
      readonly failure: Failure;
      readonly nextInMs: number;
    }
  | { readonly type: 'service-stopping'; readonly step: string }
  /** From here to `interactive-ended` the terminal belongs to the step: reporters keep still. */
  | { readonly type: 'interactive-started'; readonly step: string }
  | { readonly type: 'interactive-ended'; readonly step: string }
  | { readonly type: 'step-ended'; readonly step: string; readonly outcome: Outcome }
  | { readonly type: 'run-stopping'; readonly reason: StopReason }
  | {
      readonly type: 'run-ended';
      readonly exitCode: number;
      readonly reason: RunEndReason;
      readonly counts: RunCounts;
      readonly ms: number;
    };

/** The exit code as a word. */
export type RunEndReason =
  | 'ok'
  | 'failed'
  | 'usage'
  | 'refused'
  | 'timeout'
  | 'interrupted'
  | 'terminated'
  | 'hung-up'
  | 'exit'
  | 'aborted';

export type EventType = Event['type'];
export type EventOf<T extends EventType> = Extract<Event, { readonly type: T }>;
export type Emit = (told: EventBody) => void;
