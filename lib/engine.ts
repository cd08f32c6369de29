import type { Earlier } from './earlier.ts';
import type { Emit } from './event.ts';
import type { Incremental } from './incremental.ts';
import type { ProcessLocks } from './locks.ts';
import type { LogFiles } from './log-files.ts';
import type { Planner, Step } from './plan.ts';
import type { RunOptions } from './request.ts';
import type { Runner } from './runners/runner.ts';
import type { Masker } from './secrets.ts';
import type { StepScopes } from './step-scope.ts';
import type { AnyTask } from './task.ts';

/** What all steps of one run share. */
export interface Engine {
  readonly planner: Planner;
  readonly nameOf: (task: AnyTask) => string | undefined;
  readonly runner: Runner;
  readonly scopes: StepScopes;
  readonly options: RunOptions;
  /** Leaves steps alone; absent where no step can be, or nothing is kept. */
  readonly incremental: Incremental | undefined;
  /** While watching: what steps gave in earlier rounds. */
  readonly earlier: Earlier | undefined;
  /** Whether a service is up from an earlier round of a watched plan. */
  readonly isUpAlready: (step: Step) => boolean;
  /** Of the config: variables that commands of such steps see besides the declared ones. */
  readonly passEnv: readonly string[];
  readonly emit: Emit;
  readonly masker: Masker;
  readonly logs: LogFiles;
  readonly locks: ProcessLocks;
  /** How many steps of a run may hold a lock at once, by its name. */
  readonly capacities: Readonly<Record<string, number>>;
  readonly root: string;
  readonly invocationDir: string;
  readonly terminal: Terminal;
  /** How many commands have the terminal now: Ctrl-C is theirs then. */
  readonly lending: { commands: number };
  /** From the first signal to SIGKILL, where a task says nothing else. */
  readonly graceMs: number;
  /** A plan of one step, which behaves like the command itself (R40). */
  readonly solo: boolean;
  /** Puts a question before the run begins; `no-terminal` where nobody can answer. */
  readonly ask: Ask;
  /** Errors that were thrown where nobody waits for them: the run fails for these. */
  readonly strays: { readonly count: number };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Terminal {
  /** Whether stdin and stdout are one. */
  readonly isTerminal: boolean;
  readonly colour: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

export type Answer = 'yes' | 'no' | 'no-terminal';
/** @param signal aborts when the question is to be taken back */
export type Ask = (question: string, signal: AbortSignal) => Promise<Answer>;
