import type { JsonObject } from './event.ts';
import type { AnyTask } from './task.ts';

/** What was asked, from a command line or from code: targets and how they are to be run. A target is a call asked for by name. */
export interface Target {
  readonly task: AnyTask;
  /** Only what was given: as JSON, before defaults and transforms. Paths are absolute, or relative to the root. */
  readonly given: JsonObject;
  readonly passthrough?: readonly string[];
  /** Given by a program: a boolean without a default is then required (R7). */
  readonly isFromCode?: boolean;
}

/** Own options that change how a plan is carried out. */
export interface RunOptions {
  /** How many steps at once. */
  readonly jobs: number;
  /** Drop the order of the targets. */
  readonly parallel: boolean;
  readonly keepGoing: boolean;
  readonly failFast: boolean;
  readonly dryRun: boolean;
  readonly skipUnmet: boolean;
  /** Do not wait for a lock that another process has. */
  readonly failIfLocked: boolean;
  /** Every command as with `nothrow`. */
  readonly warnOnly: boolean;
  /** Run whatever the fingerprint: the targets' own steps, or all. */
  readonly force: 'targets' | 'all' | undefined;
  /** Nothing is left alone or kept. */
  readonly noCache: boolean;
  /** Show what a step that is left alone said when it ran. */
  readonly replayLogs: boolean;
  /** For the whole run. */
  readonly timeoutMs: number | undefined;
  /** For each command that sets none of its own. */
  readonly commandTimeoutMs: number | undefined;
}
