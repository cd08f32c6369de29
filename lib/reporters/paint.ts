import type { Colors } from 'picocolors/types.js';
import type { EventOf, Outcome, StopReason } from '../event.ts';
import { describeStop } from '../halt.ts';
import { coloursFor } from '../util/colours.ts';

export type Paint = Colors;
export const paintFor = (colour: boolean): Paint => coloursFor(colour);

/** One sign for each way a step may end. */
export function markOf(outcome: Outcome, paint: Paint): string {
  switch (outcome.status) {
    case 'done':
      return paint.green('✔');
    case 'up-to-date':
    case 'cached':
      return paint.green('=');
    case 'failed':
      return outcome.mayFail ? paint.yellow('✖') : paint.red('✖');
    case 'skipped':
      return paint.yellow('↓');
    case 'stopped':
      return paint.yellow('■');
    default:
      return outcome satisfies never;
  }
}

/** How long, or why not: what stands behind the name of a step that is over. */
export function afterwordOf(outcome: Outcome): string {
  switch (outcome.status) {
    case 'done':
      return `${durationText(outcome.ms)}${outcome.attempts === undefined ? '' : `, attempt ${outcome.attempts}`}`;
    case 'up-to-date':
      return `up to date: ${outcome.reason}`;
    case 'cached':
      return `from ${outcome.from}`;
    case 'failed':
      return `${outcome.failure.message}${timesText(outcome.attempts)}${outcome.mayFail ? ' (may fail)' : ''}`;
    case 'skipped':
      return `skipped: ${outcome.reason}`;
    case 'stopped':
      return `stopped: ${outcome.reason}`;
    default:
      return outcome satisfies never;
  }
}

/** `attempt 1 of 3 failed: …; again in 2s`. */
export function attemptText({ attempt, attempts, failure, nextInMs }: EventOf<'attempt-failed'>): string {
  return `attempt ${attempt} of ${attempts} failed: ${failure.message}; again ${nextInMs === 0 ? 'now' : `in ${durationText(nextInMs)}`}`;
}

/** `restart 1 of 3: the service … exited with code 1; in 2s`. */
export function restartText({ restart, restarts, failure, nextInMs }: EventOf<'service-restarting'>): string {
  return `restart ${restart} of ${restarts} ${nextInMs === 0 ? 'now' : `in ${durationText(nextInMs)}`}: ${failure.message}`;
}

/** ``waits for lock `x`: …`` */
export const lockText = ({ lock, text }: EventOf<'lock-waiting'>): string => `waits for lock \`${lock}\`: ${text}`;

/** How often it was tried, where that was more than once. */
export const timesText = (attempts: number | undefined): string => (attempts === undefined ? '' : ` (${attempts} attempts)`);

const MOST_REASONS = 5;

/** Why a step runs, on a line. */
export function whyText(why: readonly string[]): string {
  const rest = why.length - MOST_REASONS;
  return `${why.slice(0, MOST_REASONS).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

/** `80ms`, `1.2s`, `3m05s`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

/** Told when a run begins to end before its time. */
export function stoppingLine(reason: StopReason): string {
  const isSignal = reason === 'SIGINT' || reason === 'SIGTERM' || reason === 'SIGHUP';
  return `stopping: ${describeStop(reason)}; Ctrl-C ${isSignal ? 'again kills' : 'kills'}`;
}
