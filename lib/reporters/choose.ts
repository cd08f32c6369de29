import type { EventOf } from '../event.ts';
import { soloReporter } from './plain.ts';
import type { Reporter, ReporterOptions, Screen } from './reporter.ts';
import { tell } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { createRunLog } from './run-log.ts';

/**
 * A reporter that remembers the run, and becomes what the plan asks for when it starts: one step is shown
 * like the command itself (R40), several by `many`.
 */
export function rememberingReporter(
  screen: Screen,
  options: ReporterOptions,
  many: (log: RunLog, start: EventOf<'run-started'>) => Reporter,
): Reporter {
  const log = createRunLog();
  let inner: Reporter = {};
  const pass = (event: Parameters<typeof tell>[1]): void => tell(inner, event);
  return {
    'run-started': (event) => {
      log.start(event);
      inner = event.solo ? soloReporter(log, screen, options) : many(log, event);
      pass(event);
    },
    'step-added': (event) => {
      log.add(event.step);
      pass(event);
    },
    'step-ended': (event) => {
      log.end(event);
      pass(event);
    },
    'step-started': pass,
    'command-started': pass,
    'command-ended': pass,
    output: pass,
    log: pass,
    print: pass,
    notice: (event) => (log.steps.length === 0 ? screen.stderr.write(`note: ${event.text}\n`) : pass(event)),
    'service-ready': pass,
    'service-stopping': pass,
    'interactive-started': pass,
    'interactive-ended': pass,
    'run-stopping': pass,
    'run-ended': pass,
    close: () => inner.close?.(),
  };
}
