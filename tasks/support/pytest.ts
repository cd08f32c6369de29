import type { LogFunction } from 'taskwright';
import { CommandFailedError } from 'taskwright';

/** What pytest's own exit codes mean. */
const CODES: Readonly<Record<number, string>> = {
  1: 'some tests failed',
  2: 'the tests were interrupted',
  3: 'pytest itself failed',
  4: 'pytest was called wrongly',
  5: 'no test was collected',
};

/** Wait for pytest, and say what its exit code means. */
export async function sayingWhy(pytest: PromiseLike<unknown>, log: LogFunction): Promise<void> {
  try {
    await pytest;
  } catch (error) {
    const meaning = error instanceof CommandFailedError ? CODES[error.exitCode] : undefined;
    if (meaning !== undefined) log.warn(meaning);
    throw error;
  }
}
