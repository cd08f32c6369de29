import { join } from 'node:path';
import type { Cache, CacheInfo } from './caches/cache.ts';
import { diskCache } from './caches/index.ts';
import type { DiskCache } from './caches/index.ts';
import { createCodeOfTasks } from './code-of-task.ts';
import type { LoadedCode } from './code-of-task.ts';
import { createFileDigests } from './file-digests.ts';
import { createFileLists } from './file-lists.ts';
import { createIncremental } from './incremental.ts';
import type { Incremental } from './incremental.ts';
import { EXPLANATIONS_FILE, STATE_FILE, openLedger } from './ledger.ts';
import { createModuleGraphs } from './module-graph.ts';
import type { Planner } from './plan.ts';
import type { RunOptions } from './request.ts';
import { createShelf } from './shelf.ts';
import type { StepScopes } from './step-scope.ts';
import type { AnyTask } from './task.ts';
import { specOf } from './task.ts';
import type { FileSystem } from './util/file-system.ts';
import { realFileSystem } from './util/file-system.ts';
import { ownVersion } from './util/own-version.ts';

/** Where what steps leave behind is kept, and what is known of their code. */
export interface Keeping {
  /** Made when something is written. */
  readonly folder: string;
  readonly loaded?: LoadedCode;
  /** Caches beyond the folder, the nearest first. */
  readonly beyond?: readonly Cache[] | undefined;
  /** For tests: a file system that breaks, a clock that goes as it likes. */
  readonly fs?: FileSystem;
  readonly now?: () => number;
}

const outcomesIn = (keeping: Keeping): DiskCache =>
  diskCache({ fs: keeping.fs ?? realFileSystem, now: keeping.now ?? Date.now, folder: join(keeping.folder, 'outcomes') });

/** All that is kept there: how much, and how to be rid of it. Marks of runs under way stay. */
export function keptIn(keeping: Keeping): { info(): CacheInfo; clear(): void } {
  const { fs = realFileSystem, folder } = keeping;
  const outcomes = outcomesIn(keeping);
  return {
    info: () => ({ ...outcomes.info(), folder }),
    clear() {
      for (const file of [STATE_FILE, EXPLANATIONS_FILE]) fs.rmSync(join(folder, file), { recursive: true, force: true });
      outcomes.clear();
    },
  };
}

export interface KeptScope {
  readonly planner: Planner;
  readonly scopes: StepScopes;
  readonly root: string;
  readonly options: RunOptions;
  readonly nameOf: (task: AnyTask) => string | undefined;
  readonly onTrouble: (text: string) => void;
}

export function openKept(keeping: Keeping, scope: KeptScope): Incremental {
  const { fs = realFileSystem, now = Date.now, folder } = keeping;
  const { planner } = scope;
  let isTold = false;
  /** One disk that is full has many ways to be noticed. */
  const onTrouble = (text: string): void => {
    if (!isTold) scope.onTrouble(text);
    isTold = true;
  };
  const ledger = openLedger({ fs, now, folder, pid: process.pid, isAlive, onTrouble });
  const digests = createFileDigests({ fs, now, ...(ledger.files && { known: ledger.files }) });
  const graphs = createModuleGraphs({
    fs,
    digests,
    given: { taskwright: ownVersion(), zod: '' },
    ...(ledger.modules && { known: ledger.modules }),
  });
  return createIncremental({
    fs,
    now,
    root: scope.root,
    taskOf: (step) => planner.bindingOf(step).task,
    inputScopeOf: scope.scopes.inputScopeOf,
    isNamed: (task) => (scope.nameOf(task) ?? specOf(task).id) !== undefined,
    digests,
    lists: createFileLists(fs, (path) => digests.of(path) !== undefined),
    code: createCodeOfTasks({ graphs, digests, root: scope.root, loaded: keeping.loaded }),
    ledger,
    shelf: scope.options.noCache ? undefined : createShelf([outcomesIn(keeping), ...(keeping.beyond ?? [])], onTrouble),
    force: scope.options.force,
    save: () => ledger.save({ files: digests.records(), modules: graphs.records() }),
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
