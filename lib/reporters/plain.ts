import { attemptText, lockText, paintFor, restartText, stoppingLine, whyText } from './paint.ts';
import type { Reporter, ReporterOptions, Screen, Sink } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { renderSummary } from './summary.ts';

/**
 * A plan of one step (R40): its stdout is our stdout, its stderr our stderr, as they come, without prefix
 * or frame.
 */
export function soloReporter(log: RunLog, { stdout, stderr }: Screen, options: ReporterOptions): Reporter {
  const paint = paintFor(stderr.colour);
  /** The terminal's cursor stands behind a text without a line break. */
  let isMidLine = false;
  const say = (sink: Sink, text: string): void => {
    sink.write(text);
    if (sink.isTTY && text !== '') isMidLine = !text.endsWith('\n');
  };
  /** A line of ours begins on a line of its own. */
  const afresh = (): string => (isMidLine && stderr.isTTY ? '\n' : '');
  return {
    output: ({ stream, text }) => say(stream === 'stdout' ? stdout : stderr, text),
    log: ({ text }) => say(stderr, `${text}\n`),
    print: ({ text }) => say(stdout, text),
    notice: ({ text, isError }) => stderr.write(`${isError ? 'error' : 'note'}: ${text}\n`),
    'step-explained': ({ why }) => {
      if (options.why || options.verbose) stderr.write(`${paint.cyan('?')} ${paint.dim(whyText(why))}\n`);
    },
    'command-started': (event) => {
      if (event.dry) stdout.write(`${event.line}\n`);
      else if (options.echo || options.verbose) stderr.write(`${paint.dim('$')} ${event.line}\n`);
    },
    'lock-waiting': (event) => stderr.write(`${paint.yellow('…')} ${lockText(event)}\n`),
    'attempt-failed': (event) => stderr.write(`${paint.yellow('↻')} ${attemptText(event)}\n`),
    'service-restarting': (event) => stderr.write(`${paint.yellow('↻')} ${restartText(event)}\n`),
    'service-ready': ({ step }) => stderr.write(`${paint.green('●')} ${log.titleOf(step)} is ready\n`),
    'run-stopping': ({ reason }) => {
      // Its own `Exit` stops nothing else.
      if (reason === 'exit') return;
      // A terminal has put `^C` there.
      say(stderr, `${reason === 'SIGINT' && stderr.isTTY ? '\n' : afresh()}${stoppingLine(reason)}\n`);
    },
    'run-ended': (event) => {
      const end = renderSummary(log, event, stderr, { wasShown: true, verbose: options.verbose });
      if (end !== '') stderr.write(`${afresh()}${end}`);
    },
  };
}
