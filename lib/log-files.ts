import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * All that the steps of a run said, a file for each (R20): `.tasks/logs/<run>/<step>.log`.
 *
 * Made when the first text comes, so that a silent run leaves nothing. A folder that cannot be written
 * costs one notice and no more.
 */
export interface LogFiles {
  write(stepId: string, text: string): void;
  /** The step is over: its file is closed; resolves to its path if it said something. */
  finish(stepId: string): string | undefined;
  close(): void;
}

const KEPT_RUNS = 20;

/** @param stateDir the `.tasks` folder of the root */
export function openLogFiles(stateDir: string, startedAt: Date, onTrouble: (message: string) => void): LogFiles {
  const runDir = join(stateDir, 'logs', `${startedAt.toISOString().replaceAll(':', '-')}-${process.pid}`);
  const files = new Map<string, { readonly path: string; readonly descriptor: number }>();
  let isBegun = false;
  let isBroken = false;

  function open(stepId: string): { readonly path: string; readonly descriptor: number } {
    // Each time: a run of hours may see its folder cleared away by many short ones.
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    if (!isBegun) {
      isBegun = true;
      writeFileSync(join(stateDir, '.gitignore'), '*\n');
      prune(join(stateDir, 'logs'));
    }
    const path = join(runDir, `${stepId.replaceAll(/[^\w.#@-]/g, '_')}.log`);
    const file = { path, descriptor: openSync(path, 'a', 0o600) };
    files.set(stepId, file);
    return file;
  }

  return {
    write(stepId, text) {
      if (isBroken) return;
      try {
        writeSync((files.get(stepId) ?? open(stepId)).descriptor, text);
      } catch (error) {
        isBroken = true;
        onTrouble(`logs are not kept: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    finish(stepId) {
      const file = files.get(stepId);
      if (!file) return undefined;
      closeSync(file.descriptor);
      files.delete(stepId);
      return file.path;
    },
    close() {
      for (const { descriptor } of files.values()) closeSync(descriptor);
      files.clear();
      isBroken = true;
    },
  };
}

/** Where no root is: nothing is kept. */
export const noLogFiles: LogFiles = { write: () => {}, finish: () => undefined, close: () => {} };

function prune(logsDir: string): void {
  const runs = readdirSync(logsDir).toSorted();
  for (const old of runs.slice(0, -KEPT_RUNS)) rmSync(join(logsDir, old), { recursive: true, force: true });
}
