import { stripVTControlCharacters } from 'node:util';
import type { EventOf, Failure, Outcome, StepView } from '../event.ts';
import { afterOverwrites, cut, widthOf } from '../util/display.ts';
import { afterwordOf, durationText, markOf, paintFor, timesText } from './paint.ts';
import type { Paint } from './paint.ts';
import type { Sink } from './reporter.ts';
import type { RunLog } from './run-log.ts';

/** The end of a run, told once (R20): each failure, what was left out, and one line of counts. */
export interface SummaryOptions {
  /** The output of steps was shown as it came: it is not repeated. */
  readonly wasShown: boolean;
  /** Only the failures. */
  readonly isQuiet?: boolean;
  readonly verbose: boolean;
}

export function renderSummary(log: RunLog, end: EventOf<'run-ended'>, sink: Sink, options: SummaryOptions): string {
  const paint = paintFor(sink.colour);
  const failures = log.steps.flatMap((step) => {
    const outcome = log.outcomes.get(step.id);
    return outcome?.status === 'failed' ? [renderFailure(step, outcome, sink, options)] : [];
  });
  if (options.isQuiet) return failures.join('');
  if (log.isSolo) return failures.join('') || soloEnd(log, sink, paint);
  const isTabled = log.steps.some((step) => isUnmet(log.outcomes.get(step.id)));
  const parts = [...(isTabled ? [] : neverBegun(log, paint)), ...failures, ...(isTabled ? [`\n${tableOf(log, sink, paint)}`] : [])];
  const isLong = isTabled || failures.length > 0;
  return `${parts.join('')}${isLong ? '\n' : ''}${countsLine(end, paint)}\n`;
}

/** Left out because it cannot run here, which is worth a table of all that did. */
const isUnmet = (outcome: Outcome | undefined): boolean => outcome?.status === 'skipped' && outcome.because === 'unmet';

/** Of these there may be hundreds with one reason: they get no line when it happens, but one for all at the end. */
export const isToldAtEnd = (outcome: Outcome): boolean =>
  outcome.status === 'skipped' && (outcome.because === 'run-ended' || outcome.because === 'unmet');

const MOST_TITLES = 3;

/** `↓ b, c, d and 5 more skipped: not started, since \`a\` failed` */
function neverBegun(log: RunLog, paint: Paint): string[] {
  const byReason = new Map<string, { readonly outcome: Outcome; readonly titles: string[] }>();
  for (const step of log.steps) {
    const outcome = log.outcomes.get(step.id);
    if (outcome?.status !== 'skipped' || outcome.because !== 'run-ended') continue;
    const same = byReason.get(outcome.reason);
    if (same) same.titles.push(step.title);
    else byReason.set(outcome.reason, { outcome, titles: [step.title] });
  }
  return [...byReason.values()].map(
    ({ outcome, titles }) => `${markOf(outcome, paint)} ${listed(titles)} ${paint.dim(afterwordOf(outcome))}\n`,
  );
}

function listed(titles: readonly string[]): string {
  const rest = titles.length - MOST_TITLES;
  // "and 1 more" is longer than the one.
  return rest > 1 ? `${titles.slice(0, MOST_TITLES).join(', ')} and ${rest} more` : titles.join(', ');
}

// ── Failures ─────────────────────────────────────────────────────────────────────────────────────

function renderFailure(step: StepView, outcome: Extract<Outcome, { status: 'failed' }>, sink: Sink, options: SummaryOptions): string {
  const { failure, tail, log, attempts } = outcome;
  const paint = paintFor(sink.colour);
  const shown = (line: string): string => afterOverwrites(sink.colour ? line : stripVTControlCharacters(line));
  const lines = [
    '',
    `${markOf(outcome, paint)} ${paint.bold(step.title)} ${failure.message}${timesText(attempts)}`,
    ...factsOf(failure, options),
  ];
  if (tail && !options.wasShown) lines.push(...tail.split('\n').map((line) => `  ${paint.dim('│')} ${shown(line)}`));
  for (const other of outcome.alsoFailed ?? []) lines.push(`  and in clean-up: ${other.message}`, ...factsOf(other, options));
  if (failure.hint) lines.push(`  ${paint.cyan('hint:')} ${failure.hint}`);
  if (log !== undefined) lines.push(`  ${paint.dim('log:')}   ${log}`);
  if (step.rerun !== undefined) lines.push(`  ${paint.dim('again:')} ${step.rerun}`);
  return `${lines.join('\n')}\n`;
}

function factsOf(failure: Failure, { verbose }: SummaryOptions): string[] {
  const facts = [
    ...(failure.facts ?? []),
    ...(((verbose ? failure.fullStack : undefined) ?? failure.stack)?.split('\n') ?? []),
    ...(verbose && failure.command !== undefined ? [`$ ${failure.command}`] : []),
    ...(verbose && failure.cwd !== undefined ? [`in ${failure.cwd}`] : []),
  ];
  return facts.map((fact) => `  ${fact}`);
}

// ── The table and the counts ─────────────────────────────────────────────────────────────────────

function tableOf(log: RunLog, sink: Sink, paint: Paint): string {
  const width = sink.isTTY ? sink.columns : 120;
  const column = Math.min(Math.max(...log.steps.map((step) => widthOf(step.title))), Math.floor(width * 0.4));
  const room = Math.max(10, width - column - 5);
  const rows = log.steps.flatMap((step) => {
    const outcome = log.outcomes.get(step.id);
    if (!outcome) return [];
    const name = cut(step.title, column);
    return [`${markOf(outcome, paint)} ${name}${' '.repeat(column - widthOf(name))}  ${paint.dim(cut(afterwordOf(outcome), room))}`];
  });
  return `${[...rows, ...remediesOf(log, width, paint)].join('\n')}\n`;
}

/** What is missing here, each thing once, with what to do about it and whom that helps. */
function remediesOf(log: RunLog, width: number, paint: Paint): string[] {
  const missing = new Map<string, { readonly remedy: string | undefined; readonly titles: string[] }>();
  for (const step of log.steps) {
    const outcome = log.outcomes.get(step.id);
    if (outcome?.status !== 'skipped' || outcome.because !== 'unmet') continue;
    const same = missing.get(outcome.reason);
    if (same) same.titles.push(step.title);
    else missing.set(outcome.reason, { remedy: outcome.remedy, titles: [step.title] });
  }
  return [...missing].flatMap(([problem, { remedy, titles }]) => [
    '',
    cut(`${problem}: for ${titles.join(', ')}`, width - 1),
    ...(remedy?.split('\n') ?? []).map((line) => `  ${paint.cyan(`→ ${line}`)}`),
  ]);
}

function countsLine(end: EventOf<'run-ended'>, paint: Paint): string {
  const colour = end.exitCode === 0 ? paint.green : paint.red;
  const { counts, why, time } = countsOf(end);
  return `${colour(counts)}${why} ${paint.dim(time)}`;
}

/** `1 failed, 3 done in 1.2s`, without colour. */
export function countsText(end: EventOf<'run-ended'>): string {
  const { counts, why, time } = countsOf(end);
  return `${counts}${why} ${time}`;
}

function countsOf({ counts, ms, exitCode, reason }: EventOf<'run-ended'>): { counts: string; why: string; time: string } {
  const parts = [
    [counts.done, 'done'],
    [counts.upToDate, 'up to date'],
    [counts.cached, 'cached'],
    [counts.failed, 'failed'],
    [counts.skipped, 'skipped'],
    [counts.stopped, 'stopped'],
  ] as const;
  const text = parts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(', ');
  const why = exitCode === 0 || reason === 'failed' ? '' : ` (${reason})`;
  return { counts: text || 'nothing to do', why, time: `in ${durationText(ms)}` };
}

/** R40: a plan of one step behaves like the command itself; only a terminal gets a closing line. */
function soloEnd(log: RunLog, sink: Sink, paint: Paint): string {
  const [step] = log.steps;
  const outcome = step && log.outcomes.get(step.id);
  if (!step || !outcome) return '';
  if (outcome.status === 'skipped')
    return `${markOf(outcome, paint)} ${step.title} ${afterwordOf(outcome)}${outcome.remedy ? `\n  → ${outcome.remedy}` : ''}\n`;
  return sink.isTTY ? `${markOf(outcome, paint)} ${step.title} ${paint.dim(afterwordOf(outcome))}\n` : '';
}
