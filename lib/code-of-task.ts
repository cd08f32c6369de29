import { isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FileDigests } from './file-digests.ts';
import { EXECUTABLE } from './file-digests.ts';
import type { FileSet } from './fingerprint.ts';
import { fileSetOf } from './fingerprint.ts';
import type { ModuleGraph, ModuleGraphs } from './module-graph.ts';
import { isInstalled } from './module-graph.ts';
import type { AnyTask } from './task.ts';
import { TASK } from './task.ts';
import { LIBRARY, MODULE_BODY, framesAsRun } from './util/frames.ts';

/**
 * The modules that make a task what it is (R32): those that were on the stack when it was declared (a
 * helper that makes tasks, and the module that called it), with all that they import.
 */
export interface CodeOfTasks {
  of(task: AnyTask): Promise<Code>;
  forget(): void;
}

export type Code =
  | { readonly isKnown: true; readonly files: FileSet; readonly packages: Readonly<Record<string, string>> }
  /** Why nothing can be said about it: a step with such code runs. */
  | { readonly isKnown: false; readonly why: string };

/** The files of code that a config was loaded from, so far: absolute path → digest of the text that runs. */
export type LoadedCode = () => ReadonlyMap<string, string>;

export function createCodeOfTasks(scope: {
  readonly graphs: ModuleGraphs;
  readonly digests: FileDigests;
  readonly root: string;
  /** Undefined where a program imported its tasks by itself. */
  readonly loaded: LoadedCode | undefined;
}): CodeOfTasks {
  const { graphs, digests, root, loaded } = scope;
  const known = new Map<string, Promise<Code>>();
  let explained: Promise<boolean> | undefined;

  async function read(entries: readonly string[] | undefined): Promise<Code> {
    const graph = entries && (await graphs.of(entries));
    if (graph && graph.unclear.length === 0 && (await isAllExplained())) return codeOf(graph);
    // Something cannot be told from the text: all files that were loaded count.
    const all = loaded?.();
    if (!all || all.size === 0)
      return {
        isKnown: false,
        why: graph?.unclear[0] ? `${near(graph.unclear[0].file)}: ${graph.unclear[0].what}` : 'declared from nowhere that can be told',
      };
    return codeOf(await graphs.of([...all.keys(), ...(entries ?? [])]));
  }

  /** Every file that was loaded is reached from the config, the first of them, by imports that we see. */
  function isAllExplained(): Promise<boolean> {
    const all = [...(loaded?.().keys() ?? [])];
    explained ??= graphs.of(all.slice(0, 1)).then(({ files }) => {
      const seen = new Set(files.map(({ path }) => path));
      return all.every((path) => seen.has(path));
    });
    return explained;
  }

  function codeOf(graph: ModuleGraph): Code {
    const files: Record<string, string> = {};
    for (const { path, digest } of graph.files) {
      const running = loaded?.().get(path);
      if (running !== undefined && running !== digest.replace(EXECUTABLE, ''))
        return { isKnown: false, why: `${near(path)} changed after it was loaded` };
      files[near(path)] = digest;
    }
    return { isKnown: true, files: fileSetOf(files), packages: graph.packages };
  }

  const near = (path: string): string => relative(root, path).split(sep).join('/');

  return {
    of(task) {
      const entries = modulesOf(task);
      const key = entries?.join('\0') ?? '';
      const code = known.get(key) ?? read(entries);
      known.set(key, code);
      return code;
    },
    forget() {
      known.clear();
      explained = undefined;
      graphs.forget();
      digests.forget();
    },
  };
}

/**
 * The local modules on the stack of a declaration, from `task()` outwards to the body of a module; what stands
 * beyond imports that module. `undefined` where the stack does not reach so far: it was declared in a function
 * that somebody calls later, a timer or the registry, and what made that function is not on it.
 */
export function modulesOf(task: AnyTask): readonly string[] | undefined {
  const { place } = task[TASK];
  // Once: its stack is not whole any more then, and `--watch` asks again each round.
  if (!modulesByPlace.has(place)) modulesByPlace.set(place, modulesOn(place));
  return modulesByPlace.get(place);
}

const modulesByPlace = new WeakMap<Error, readonly string[] | undefined>();

function modulesOn(place: Error): readonly string[] | undefined {
  const modules = new Set<string>();
  let outermost: string | undefined;
  let loader: string | undefined;
  for (const { file, name } of framesAsRun(place)) {
    const path = file?.startsWith('file://') ? fileURLToPath(file) : file;
    if (path !== undefined && isLoader(path)) {
      loader = path;
      break;
    }
    if (path === undefined || !isAbsolute(path) || isInstalled(path)) continue;
    modules.add(path);
    outermost = name;
  }
  // Other loaders have no name for it, and stand below it on the stack unless it awaited something.
  const isOfOther = loader !== undefined && !loader.startsWith(LIBRARY) && (outermost === undefined || outermost === 'eval');
  const isBody = outermost === MODULE_BODY || isOfOther;
  return modules.size > 0 && isBody ? [...modules].toSorted() : undefined;
}

/** This library, Node's own, and those that are known; with any other the importing modules count as well. */
function isLoader(path: string): boolean {
  return path.startsWith(LIBRARY) || path.startsWith('node:internal/modules/') || LOADERS.test(path);
}

const LOADERS = /[\\/]node_modules[\\/](?:tsx|vite|vite-node|vitest|ts-node|@swc-node|@oxc-node)[\\/]/;
