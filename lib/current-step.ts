import { AsyncLocalStorage } from 'node:async_hooks';
import type { Exit } from './errors.ts';
import type { LogFunction } from './task.ts';

/** The step in whose body the code that asks runs, found without being handed on. */
export interface CurrentStep {
  readonly name: string;
  readonly log: LogFunction;
  /** `process.exit` was called. */
  readonly exit: (error: Exit) => void;
  /** When the step is over. */
  readonly onClose: (work: () => void) => void;
}

export const currentStep = new AsyncLocalStorage<CurrentStep>();
