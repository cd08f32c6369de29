import type { EventOf, Outcome } from '../event.ts';
import { afterwordOf, markOf, paintFor, stoppingLine, whyText } from './paint.ts';
import type { Reporter, ReporterOptions, Screen } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { isToldAtEnd, renderSummary } from './summary.ts';
import { createWholeLines } from './whole-lines.ts';

/** What stands around the output of a step, each a line or more with its line break. */
export interface Frame {
  readonly open: (title: string) => string;
  readonly close: string;
  /** Under the line that says how it ended. */
  readonly after: (step: string, outcome: Outcome) => string;
  /** Whether the end of the run repeats the output of failed steps, since the frame hides it. */
  readonly repeatsFailures: boolean;
}

/** What one step has said that is not shown yet. */
interface Block {
  readonly step: string;
  readonly title: string;
  readonly isService: boolean;
  held: string[];
  heldCharacters: number;
  leftOut: number;
  outcome: Outcome | undefined;
}

/** More than this is not kept of a step that waits; its beginning is let go. */
const MOST_HELD_CHARACTERS = 8 * 1024 * 1024;

/**
 * The output of each step in one piece (R38), all of it on stderr, so that its order holds where the two
 * streams are read apart; stdout is for what bodies print, which a script may read (R25).
 *
 * The first that speaks has the stage, and is shown as it comes, until it is over; the others wait. A
 * service, which may never be over, leaves the stage to any step.
 */
export function blocksReporter(
  log: RunLog,
  start: EventOf<'run-started'>,
  { stdout, stderr }: Screen,
  options: ReporterOptions,
  frame: Frame,
): Reporter {
  const paint = paintFor(stderr.colour);
  const lines = createWholeLines();
  const services = new Set(start.plan.steps.filter((step) => step.service).map((step) => step.id));
  const blocks = new Map<string, Block>();
  let stage: Block | undefined;

  const titleOf = (step: string): string => log.titleOf(step).replaceAll(/\s*\n\s*/g, ' ');

  function blockOf(step: string): Block {
    const found = blocks.get(step);
    if (found) return found;
    const isService = services.has(step);
    const block: Block = { step, title: titleOf(step), isService, held: [], heldCharacters: 0, leftOut: 0, outcome: undefined };
    blocks.set(step, block);
    return block;
  }

  function say(step: string, whole: readonly string[]): void {
    if (whole.length === 0) return;
    const block = blockOf(step);
    block.held.push(...whole);
    for (const line of whole) block.heldCharacters += line.length;
    if (block === stage || !stage || (stage.isService && !block.isService)) return show(block);
    if (block.heldCharacters <= MOST_HELD_CHARACTERS) return;
    // Half at a time, so that what goes on and on costs no more than what it says.
    const letGo = block.held.splice(0, Math.ceil(block.held.length / 2));
    for (const line of letGo) block.heldCharacters -= line.length;
    block.leftOut += letGo.length;
  }

  /** All it has said so far, with the stage for what it will say. */
  function show(block: Block): void {
    if (block.held.length === 0) return;
    if (stage !== block) {
      clearStage();
      stage = block;
      stderr.write(frame.open(block.title));
    }
    const missing = block.leftOut > 0 ? `… ${block.leftOut} earlier lines are in the log only\n` : '';
    stderr.write(`${missing}${block.held.join('\n')}\n`);
    Object.assign(block, { held: [], heldCharacters: 0, leftOut: 0 });
  }

  function clearStage(): void {
    if (stage) stderr.write(frame.close);
    stage = undefined;
  }

  function end(step: string, outcome: Outcome): void {
    say(step, lines.flush(`${step}\0`));
    if (blocks.size === 0) return tellEnd(step, titleOf(step), outcome);
    const block = blockOf(step);
    block.outcome = outcome;
    if (stage === undefined || stage === block || stage.isService) showEnded();
  }

  /** Nobody is in the middle of it: all that is over, then who has waited longest. */
  function showEnded(): void {
    for (const block of blocks.values()) {
      if (!block.outcome) continue;
      show(block);
      clearStage();
      blocks.delete(block.step);
      tellEnd(block.step, block.title, block.outcome);
    }
    const waiting = [...blocks.values()].filter((block) => block.held.length > 0);
    const next = waiting.find((block) => !block.isService) ?? waiting[0];
    if (next) show(next);
  }

  function tellEnd(step: string, title: string, outcome: Outcome): void {
    // A dry run is a script to read; worth a word is only what it cannot show.
    if (isToldAtEnd(outcome) || (start.dryRun && outcome.status === 'done')) return;
    stderr.write(`${markOf(outcome, paint)} ${title} ${paint.dim(afterwordOf(outcome))}\n${frame.after(step, outcome)}`);
  }

  return {
    'step-added': ({ step }) => {
      if (step.service) services.add(step.id);
    },
    'step-explained': ({ step, why }) => {
      if (options.why || options.verbose) say(step, [`${paint.cyan('?')} ${paint.dim(whyText(why))}`]);
    },
    'command-started': ({ step, line, dry }) => {
      if (dry) say(step, [line]);
      else if (options.echo || options.verbose) say(step, [`$ ${line}`]);
    },
    output: ({ step, command, stream, text }) => say(step, lines.push(`${step}\0${command}\0${stream}`, text)),
    log: ({ step, text }) => say(step, text.split('\n')),
    print: ({ text }) => stdout.write(text),
    notice: ({ step, text, isError }) => {
      const line = `${isError ? 'error' : 'note'}: ${text}`;
      if (step === undefined) stderr.write(`${line}\n`);
      else say(step, [line]);
    },
    'service-ready': ({ step }) => say(step, [`${paint.green('●')} ready`]),
    'step-ended': ({ step, outcome }) => end(step, outcome),
    'run-stopping': ({ reason }) => stderr.write(`${stoppingLine(reason)}\n`),
    'run-ended': (event) => {
      clearStage();
      if (start.dryRun && event.exitCode === 0) return;
      stderr.write(renderSummary(log, event, stderr, { wasShown: !frame.repeatsFailures, verbose: options.verbose }));
    },
  };
}
