import type { Event, EventOf } from '../event.ts';
import { soloReporter } from './plain.ts';
import type { Reporter, ReporterOptions, Screen } from './reporter.ts';
import { tell } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { createRunLog } from './run-log.ts';

const MOST_HELD = 10_000;

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
  /** Steps that have the terminal: others are told of when they give it back (R22). */
  const holders = new Set<string>();
  const held: Event[] = [];
  const pass = (event: Event): void => {
    if (holders.size > 0 && !('step' in event && typeof event.step === 'string' && holders.has(event.step))) {
      held.push(event);
      // What a service says meanwhile is in its log; its end and the rest are few.
      if (held.length > MOST_HELD) held.splice(0, held.length, ...held.filter(({ type }) => type !== 'output' && type !== 'log'));
      return;
    }
    tell(inner, event);
  };
  const giveBack = (event: EventOf<'interactive-ended'>): void => {
    pass(event);
    holders.delete(event.step);
    if (holders.size === 0) for (const one of held.splice(0)) tell(inner, one);
  };
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
    'step-explained': pass,
    'command-started': pass,
    'command-ended': pass,
    output: pass,
    log: pass,
    print: pass,
    notice: (event) => (log.steps.length === 0 ? screen.stderr.write(`${event.isError ? 'error' : 'note'}: ${event.text}\n`) : pass(event)),
    'lock-waiting': pass,
    'attempt-failed': pass,
    'service-ready': pass,
    'service-restarting': pass,
    'service-stopping': pass,
    'interactive-started': (event) => {
      pass(event);
      holders.add(event.step);
    },
    'interactive-ended': giveBack,
    'run-stopping': pass,
    'run-ended': pass,
    close: () => inner.close?.(),
  };
}
