import type { EventType } from '../event.ts';
import type { ReporterFactory } from './reporter.ts';

const TYPES: { readonly [T in EventType]: true } = {
  'run-started': true,
  'step-added': true,
  'step-started': true,
  'step-explained': true,
  'command-started': true,
  'command-ended': true,
  output: true,
  log: true,
  print: true,
  notice: true,
  'lock-waiting': true,
  'attempt-failed': true,
  'service-ready': true,
  'service-restarting': true,
  'service-stopping': true,
  'interactive-started': true,
  'interactive-ended': true,
  'step-ended': true,
  'run-stopping': true,
  'run-ended': true,
};

/** For programs: every event as one line of JSON on stdout. */
export const json: ReporterFactory = ({ stdout }) => {
  const write = (event: object): void => stdout.write(`${JSON.stringify(event)}\n`);
  return Object.fromEntries(Object.keys(TYPES).map((type) => [type, write]));
};
