import { paintFor, stoppingLine } from './paint.ts';
import type { Reporter, ReporterOptions, Screen } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { renderSummary } from './summary.ts';

/**
 * A plan of one step (R40): its stdout is our stdout, its stderr our stderr, as they come, without prefix
 * or frame.
 */
export function soloReporter(log: RunLog, { stdout, stderr }: Screen, options: ReporterOptions): Reporter {
  const paint = paintFor(stderr.colour);
  return {
    output: ({ stream, text }) => (stream === 'stdout' ? stdout : stderr).write(text),
    log: ({ text }) => stderr.write(`${text}\n`),
    print: ({ text }) => stdout.write(text),
    notice: ({ text, isError }) => stderr.write(`${isError ? 'error' : 'note'}: ${text}\n`),
    'command-started': (event) => {
      if (event.dry) stdout.write(`${event.line}\n`);
      else if (options.echo || options.verbose) stderr.write(`${paint.dim('$')} ${event.line}\n`);
    },
    'service-ready': ({ step }) => stderr.write(`${paint.green('●')} ${log.titleOf(step)} is ready\n`),
    'run-stopping': ({ reason }) => {
      // Its own `Exit` stops nothing else.
      if (reason !== 'exit') stderr.write(`${stoppingLine(reason)}\n`);
    },
    'run-ended': (event) => stderr.write(renderSummary(log, event, stderr, { wasShown: true, verbose: options.verbose })),
  };
}
