import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { EventOf, Failure, Outcome } from '../event.ts';
import { blocksReporter } from './blocks.ts';
import { rememberingReporter } from './choose.ts';
import { afterwordOf, markOf, paintFor } from './paint.ts';
import type { ReporterFactory, Screen, Told } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { createRunLog } from './run-log.ts';
import { countsText } from './summary.ts';

/**
 * For GitHub Actions (R38): a foldable group for the output of each step, an annotation for each failure,
 * a job summary, and secrets made known to what masks the log.
 *
 * The forms are those of https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
 */
export const github: ReporterFactory = (screen, options) => {
  const { stderr } = screen;
  const log = createRunLog();
  const view = rememberingReporter(screen, options, (viewLog, start) =>
    blocksReporter(viewLog, start, screen, options, {
      open: (title) => `::group::${dataOf(title)}\n`,
      close: '::endgroup::\n',
      after: (step, outcome) => annotationOf(viewLog.titleOf(step), outcome, screen),
      // A group is folded: what failed is shown where nobody has to look for it.
      repeatsFailures: true,
    }),
  );
  return {
    ...view,
    'run-started': (event) => {
      log.start(event);
      view['run-started']?.(event);
    },
    'step-added': (event) => {
      log.add(event.step);
      view['step-added']?.(event);
    },
    'step-ended': (event) => {
      log.end(event);
      view['step-ended']?.(event);
      if (log.isSolo) stderr.write(annotationOf(log.titleOf(event.step), event.outcome, screen));
    },
    'run-ended': (event) => {
      view['run-ended']?.(event);
      addToJobSummary(summaryOf(log, event), screen);
    },
    refused: (error) => {
      stderr.write(command('error', { title: 'nothing has run' }, toldText(error)));
      addToJobSummary(`### ✖ nothing has run\n\n${fenced(toldText(error))}\n`, screen);
    },
    hide: (secret) => stderr.write(command('add-mask', {}, secret)),
  };
};

// ── Workflow commands ────────────────────────────────────────────────────────────────────────────

function command(name: string, properties: Readonly<Record<string, string | number | undefined>>, text: string): string {
  const given = Object.entries(properties).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${propertyOf(String(value))}`]));
  return `::${name}${given.length > 0 ? ` ${given.join(',')}` : ''}::${dataOf(text)}\n`;
}

const dataOf = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const propertyOf = (text: string): string => dataOf(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** How many of its last lines an annotation shows. */
const ANNOTATED_LINES = 10;

function annotationOf(title: string, outcome: Outcome, { env }: Screen): string {
  if (outcome.status !== 'failed') return '';
  const { failure, tail } = outcome;
  const last = stripVTControlCharacters(tail ?? '')
    .split('\n')
    .slice(-ANNOTATED_LINES)
    .join('\n');
  const text = [
    failure.message,
    ...(failure.facts ?? []),
    ...(last ? ['', last] : []),
    ...(failure.hint ? ['', `hint: ${failure.hint}`] : []),
  ];
  return command(outcome.mayFail ? 'warning' : 'error', { ...placeOf(failure, env), title }, text.join('\n'));
}

/** Relative to the checkout, as annotations want their files. */
function placeOf({ place }: Failure, env: Screen['env']): { readonly file?: string; readonly line?: number } {
  if (!place) return {};
  const { GITHUB_WORKSPACE: workspace } = env;
  const near = workspace ? relative(workspace, place.file) : place.file;
  return { file: near.startsWith('..') ? place.file : near.replaceAll('\\', '/'), line: place.line };
}

const toldText = ({ message, facts, hint }: Told): string =>
  [message, ...facts.map((fact) => `  ${fact}`), ...(hint ? [`hint: ${hint}`] : [])].join('\n');

// ── The job summary ──────────────────────────────────────────────────────────────────────────────

/** GitHub takes 1 MiB for each of its steps; this leaves room for others. */
const MOST_ROWS = 500;
const MOST_TAIL_CHARACTERS = 16 * 1024;
const MOST_FAILURES = 20;

function summaryOf(log: RunLog, end: EventOf<'run-ended'>): string {
  const paint = paintFor(false);
  const over = log.steps.flatMap((step) => {
    const outcome = log.outcomes.get(step.id);
    return outcome ? [{ step, outcome }] : [];
  });
  const rows = over
    .slice(0, MOST_ROWS)
    .map(({ step, outcome }) => `| ${markOf(outcome, paint)} | ${cellOf(step.title)} | ${cellOf(afterwordOf(outcome))} |`);
  const failures = over.flatMap(({ step, outcome }) => {
    if (outcome.status !== 'failed') return [];
    const tail = stripVTControlCharacters(outcome.tail ?? '').slice(-MOST_TAIL_CHARACTERS);
    const again = step.rerun === undefined ? '' : `\nAgain: \`${step.rerun}\`\n`;
    const said = [outcome.failure.message, ...(outcome.failure.facts ?? []), ...(tail ? ['', tail] : [])].join('\n');
    return [`<details><summary>${htmlOf(step.title)}</summary>\n\n${fenced(said)}${again}\n</details>\n`];
  });
  return [
    `### ${end.exitCode === 0 ? '✔' : '✖'} ${countsText(end)}\n`,
    '| | step | |\n| --- | --- | --- |',
    ...rows,
    ...(over.length > MOST_ROWS ? [`| | … and ${over.length - MOST_ROWS} more | |`] : []),
    '',
    ...failures.slice(0, MOST_FAILURES),
  ].join('\n');
}

function addToJobSummary(text: string, { stderr, env }: Screen): void {
  const { GITHUB_STEP_SUMMARY: file } = env;
  if (!file) return;
  try {
    appendFileSync(file, `${text}\n`);
  } catch (error) {
    stderr.write(command('warning', {}, `the job summary could not be written: ${error instanceof Error ? error.message : String(error)}`));
  }
}

const htmlOf = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const cellOf = (text: string): string =>
  htmlOf(text)
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ');

/** In a fence that is longer than any within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}\n`;
}
