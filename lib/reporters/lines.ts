import { describeStop } from '../halt.ts';
import { rememberingReporter } from './choose.ts';
import { afterwordOf, markOf, paintFor } from './paint.ts';
import type { ReporterFactory, Sink } from './reporter.ts';
import { renderSummary } from './summary.ts';

/** For pipes: every line behind the name of its step, on the stream it came on (R38). */
export const lines: ReporterFactory = (screen, options) =>
  rememberingReporter(screen, options, (log, start) => {
    const { stdout, stderr } = screen;
    const paint = paintFor(stderr.colour);
    const open = new Map<string, { readonly sink: Sink; readonly prefix: string; text: string }>();
    const prefixOf = (step: string, sink: Sink): string => paintFor(sink.colour).dim(`${log.titleOf(step)} | `);
    let heading = '';

    /** Whole lines only, so that lines of two steps are never torn. */
    const say = (key: string, step: string, sink: Sink, text: string): void => {
      const line = open.get(key) ?? { sink, prefix: prefixOf(step, sink), text: '' };
      open.set(key, line);
      const parts = (line.text + text).split('\n');
      line.text = parts.pop() ?? '';
      if (parts.length > 0) sink.write(parts.map((part) => `${line.prefix}${lastOverwrite(part)}\n`).join(''));
    };
    const flush = (step: string): void => {
      for (const [key, { sink, prefix, text }] of open) {
        if (!key.startsWith(`${step}\0`)) continue;
        if (text !== '') sink.write(`${prefix}${lastOverwrite(text)}\n`);
        open.delete(key);
      }
    };
    return {
      'step-started': ({ step }) => {
        if (!start.dryRun) stderr.write(`${paint.cyan('▶')} ${log.titleOf(step)}\n`);
      },
      'command-started': ({ step, line, dry }) => {
        if (dry) {
          if (heading !== step) stdout.write(`# ${log.titleOf(step)}\n`);
          heading = step;
          stdout.write(`${line}\n`);
        } else if (options.echo || options.verbose) say(`${step}\0echo`, step, stderr, `$ ${line}\n`);
      },
      output: ({ step, command, stream, text }) => say(`${step}\0${command}\0${stream}`, step, stream === 'stdout' ? stdout : stderr, text),
      log: ({ step, text }) => say(`${step}\0log`, step, stderr, `${text}\n`),
      print: ({ text }) => stdout.write(text),
      notice: ({ step, text }) => stderr.write(`note: ${step === undefined ? '' : `${log.titleOf(step)}: `}${text}\n`),
      'service-ready': ({ step }) => stderr.write(`${paint.green('●')} ${log.titleOf(step)} is ready\n`),
      'step-ended': ({ step, outcome }) => {
        flush(step);
        // A dry run is a script to read; worth a word is only what it cannot show.
        if (start.dryRun && outcome.status === 'done') return;
        stderr.write(`${markOf(outcome, paint)} ${log.titleOf(step)} ${paint.dim(afterwordOf(outcome))}\n`);
      },
      'run-stopping': ({ reason }) => stderr.write(`stopping: ${describeStop(reason)}; Ctrl-C again kills\n`),
      'run-ended': (event) => {
        if (!start.dryRun || event.exitCode !== 0)
          stderr.write(renderSummary(log, event, stderr, { wasShown: true, verbose: options.verbose }));
      },
    };
  });

/** What a progress bar leaves of a line that it wrote over and over. */
function lastOverwrite(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
