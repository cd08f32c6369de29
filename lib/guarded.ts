import { ConfigError } from './errors.ts';

/**
 * Ask a function of a declaration (`needs`, `requires`, `cwd` …). What it throws is the author's mistake,
 * told with the task and the field; its stack goes along as the cause.
 *
 * @throws {ConfigError}
 */
export function guarded<T>(field: string, task: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw threw(field, task, error);
  }
}

/** The same for one that may look around first. */
export async function guardedLook<T>(field: string, task: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw threw(field, task, error);
  }
}

function threw(field: string, task: string, error: unknown): ConfigError {
  const why = error instanceof Error ? error.message : String(error);
  return new ConfigError('plan-threw', `the \`${field}\` of \`${task}\` threw: ${why}`, { cause: error });
}
