import { rememberingReporter } from './choose.ts';
import { afterwordOf, attemptText, lockText, markOf, paintFor, restartText, stoppingLine, whyText } from './paint.ts';
import type { ReporterFactory, Sink } from './reporter.ts';
import { isToldAtEnd, renderSummary } from './summary.ts';
import { createWholeLines } from './whole-lines.ts';

/** For pipes: every line behind the name of its step, on the stream it came on (R38). */
export const lines: ReporterFactory = (screen, options) =>
  rememberingReporter(screen, options, (log, start) => {
    const { stdout, stderr } = screen;
    const paint = paintFor(stderr.colour);
    const streams = { stdout: createWholeLines(), stderr: createWholeLines() };
    let heading = '';

    const write = (sink: Sink, step: string, whole: readonly string[]): void => {
      const prefix = paintFor(sink.colour).dim(`${log.titleOf(step)} | `);
      if (whole.length > 0) sink.write(whole.map((line) => `${prefix}${line}\n`).join(''));
    };
    const say = (step: string, stream: 'stdout' | 'stderr', source: string, text: string): void =>
      write(screen[stream], step, streams[stream].push(`${step}\0${source}`, text));
    const flush = (step: string): void => {
      for (const stream of ['stdout', 'stderr'] as const) write(screen[stream], step, streams[stream].flush(`${step}\0`));
    };
    return {
      'step-started': ({ step }) => {
        if (!start.dryRun) stderr.write(`${paint.cyan('▶')} ${log.titleOf(step)}\n`);
      },
      'step-explained': ({ step, why }) => {
        if (options.why || options.verbose) stderr.write(`${paint.cyan('?')} ${log.titleOf(step)} ${paint.dim(whyText(why))}\n`);
      },
      'command-started': ({ step, line, dry }) => {
        if (dry) {
          if (heading !== step) stdout.write(`# ${log.titleOf(step)}\n`);
          heading = step;
          stdout.write(`${line}\n`);
        } else if (options.echo || options.verbose) say(step, 'stderr', 'echo', `$ ${line}\n`);
      },
      output: ({ step, command, stream, text }) => say(step, stream, String(command), text),
      log: ({ step, text }) => say(step, 'stderr', 'log', `${text}\n`),
      print: ({ text }) => stdout.write(text),
      notice: ({ step, text, isError }) =>
        stderr.write(`${isError ? 'error' : 'note'}: ${step === undefined ? '' : `${log.titleOf(step)}: `}${text}\n`),
      'lock-waiting': (event) => stderr.write(`${paint.yellow('…')} ${log.titleOf(event.step)} ${lockText(event)}\n`),
      'attempt-failed': (event) => stderr.write(`${paint.yellow('↻')} ${log.titleOf(event.step)} ${attemptText(event)}\n`),
      'service-restarting': (event) => stderr.write(`${paint.yellow('↻')} ${log.titleOf(event.step)} ${restartText(event)}\n`),
      'service-ready': ({ step }) => stderr.write(`${paint.green('●')} ${log.titleOf(step)} is ready\n`),
      'step-ended': ({ step, outcome }) => {
        flush(step);
        // A dry run is a script to read; worth a word is only what it cannot show.
        if (start.dryRun && outcome.status === 'done') return;
        if (isToldAtEnd(outcome)) return;
        stderr.write(`${markOf(outcome, paint)} ${log.titleOf(step)} ${paint.dim(afterwordOf(outcome))}\n`);
      },
      'run-stopping': ({ reason }) => stderr.write(`${stoppingLine(reason)}\n`),
      'run-ended': (event) => {
        if (!start.dryRun || event.exitCode !== 0)
          stderr.write(renderSummary(log, event, stderr, { wasShown: true, verbose: options.verbose }));
      },
    };
  });
