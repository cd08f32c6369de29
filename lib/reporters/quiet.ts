import type { ReporterFactory } from './reporter.ts';
import { lockText } from './paint.ts';
import { createRunLog } from './run-log.ts';
import { renderSummary } from './summary.ts';

/** Results, and failures at the end; nothing else. */
export const quiet: ReporterFactory = ({ stdout, stderr }, options) => {
  const log = createRunLog();
  return {
    'run-started': log.start,
    'step-added': ({ step }) => log.add(step),
    'step-ended': log.end,
    'lock-waiting': (event) => stderr.write(`${log.titleOf(event.step)} ${lockText(event)}\n`),
    print: ({ text }) => stdout.write(text),
    notice: ({ text, isError }) => {
      if (isError) stderr.write(`error: ${text}\n`);
    },
    'command-started': ({ line, dry }) => {
      if (dry) stdout.write(`${line}\n`);
    },
    'run-ended': (event) => stderr.write(renderSummary(log, event, stderr, { wasShown: false, isQuiet: true, verbose: options.verbose })),
  };
};
