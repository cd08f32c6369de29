import type { EventOf, Failure, Outcome, StepView } from '../event.ts';
import { afterwordOf, cut, durationText, markOf, paintFor } from './paint.ts';
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
    return outcome?.status === 'failed' ? [renderFailure(step, outcome, paint, options)] : [];
  });
  if (options.isQuiet) return failures.join('');
  if (log.isSolo) return failures.join('') || soloEnd(log, sink, paint);
  const isTabled = log.steps.some((step) => isLeftOut(log.outcomes.get(step.id)));
  const rows = isTabled ? `\n${tableOf(log, sink, paint)}` : '';
  return `${failures.join('')}${rows}${rows || failures.length > 0 ? '\n' : ''}${countsLine(end, paint)}\n`;
}

/** Left out because it cannot run here, which is worth a table of all that did. */
const isLeftOut = (outcome: Outcome | undefined): boolean => outcome?.status === 'skipped' && outcome.because === 'unmet';

// ── Failures ─────────────────────────────────────────────────────────────────────────────────────

function renderFailure(step: StepView, outcome: Extract<Outcome, { status: 'failed' }>, paint: Paint, options: SummaryOptions): string {
  const { failure, tail, log } = outcome;
  const lines = ['', `${markOf(outcome, paint)} ${paint.bold(step.title)} ${failure.message}`, ...factsOf(failure, options)];
  if (tail && !options.wasShown) lines.push(...tail.split('\n').map((line) => `  ${paint.dim('│')} ${line}`));
  for (const other of outcome.alsoFailed ?? []) lines.push(`  and in clean-up: ${other.message}`, ...factsOf(other, options));
  if (failure.hint) lines.push(`  ${paint.cyan('hint:')} ${failure.hint}`);
  if (log !== undefined) lines.push(`  ${paint.dim('log:')}   ${log}`);
  if (step.rerun !== undefined) lines.push(`  ${paint.dim('again:')} ${step.rerun}`);
  return `${lines.join('\n')}\n`;
}

function factsOf(failure: Failure, { verbose }: SummaryOptions): string[] {
  const facts = [
    ...(failure.facts ?? []),
    ...(failure.stack?.split('\n') ?? []),
    ...(verbose && failure.command !== undefined ? [`$ ${failure.command}`] : []),
    ...(verbose && failure.cwd !== undefined ? [`in ${failure.cwd}`] : []),
  ];
  return facts.map((fact) => `  ${fact}`);
}

// ── The table and the counts ─────────────────────────────────────────────────────────────────────

function tableOf(log: RunLog, sink: Sink, paint: Paint): string {
  const width = sink.isTTY ? sink.columns : 120;
  const column = Math.min(Math.max(...log.steps.map((step) => [...step.title].length)), Math.floor(width * 0.4));
  const lines = log.steps.flatMap((step) => {
    const outcome = log.outcomes.get(step.id);
    if (!outcome) return [];
    const name = cut(step.title, column);
    const room = Math.max(10, width - column - 5);
    const indent = ' '.repeat(column + 4);
    const row = `${markOf(outcome, paint)} ${name}${' '.repeat(column - [...name].length)}  ${paint.dim(cut(afterwordOf(outcome), room))}`;
    const remedy = outcome.status === 'skipped' ? (outcome.remedy?.split('\n') ?? []) : [];
    return [row, ...remedy.map((line) => `${indent}${paint.cyan(cut(`→ ${line}`, room))}`)];
  });
  return `${lines.join('\n')}\n`;
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
