import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadGraph } from './load-graph.ts';
import { digestOf } from '../util/digest.ts';
import { changedPaths, digestsOfYoung } from './load-graph.ts';
import type { CompiledModule } from './compile.ts';

/**
 * Compiled modules of one entry, kept in a folder of their own: an index, the code, and what V8 made of
 * it. Written aside and renamed; whatever is damaged, foreign or out of date is as if it were not there.
 */
export interface Kept {
  /** Changes whenever something else was written. */
  readonly id: string;
  readonly graph: LoadGraph;
  readonly modules: Readonly<Record<string, KeptModule>>;
}

export interface KeptModule extends Omit<CompiledModule, 'code'> {
  /** In the file of the code, and in that of V8's. */
  readonly code: readonly [start: number, end: number];
  readonly cached?: readonly [start: number, end: number];
}

export interface ModuleToKeep extends CompiledModule {
  readonly cached: Buffer | undefined;
}

/** Of this library; put in by the build. */
declare const TASKWRIGHT_BUILD: string | undefined;

/** What must be the same for anything kept to be used. */
const MADE_BY = [process.version, process.arch, typeof TASKWRIGHT_BUILD === 'undefined' ? 'source' : TASKWRIGHT_BUILD].join(' ');
const INDEX = 'graph.json';
/** Folders of other entries and other Nodes that stay beside the one in use. */
const OTHERS = 4;

export const storeFolder = (above: string, entry: string): string => join(above, shortName(`${entry}\0${process.version}`));

/** Two names may fall together: what lies there says whose it is. node:crypto alone would cost as much as all that a list does. */
function shortName(text: string): string {
  let [one, two] = [0x811c9dc5, 0x1000193];
  for (let at = 0; at < text.length; at++) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    two = Math.imul(two ^ text.charCodeAt(at), 0x5bd1e995);
  }
  return [one, two].map((half) => (half >>> 0).toString(36).padStart(7, '0')).join('');
}

/** Undefined when there is nothing, or nothing that can be used. */
export function readKept(folder: string, entry: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(folder, INDEX), 'utf8'));
    return isMade(kept) && kept.madeBy === MADE_BY && kept.entry === entry ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the entry was loaded before, by any version of this library. */
export function wasLoaded(folder: string, entry: string): boolean {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(folder, INDEX), 'utf8'));
    return typeof kept === 'object' && kept !== null && 'entry' in kept && kept.entry === entry;
  } catch {
    return false;
  }
}

/** The paths that look different, and the same again where all that was young has been looked into. */
export function checkKept(folder: string, kept: Kept, nowMs: number): { readonly changed: readonly string[]; readonly kept: Kept } {
  const changed = changedPaths(kept.graph);
  const wasYoung = Object.keys(kept.graph.young);
  if (changed.length > 0 || wasYoung.length === 0) return { changed, kept };
  const graph = { ...kept.graph, young: digestsOfYoung(kept.graph.looks, nowMs) };
  if (Object.keys(graph.young).length === wasYoung.length) return { changed, kept };
  const older = { ...kept, graph };
  writeIndex(folder, older);
  return { changed, kept: older };
}

export interface Code {
  textOf(module: KeptModule): string;
  cachedOf(module: KeptModule): Buffer | undefined;
}

/** The code of `kept`; undefined when it is gone, or is not what belongs to it. */
export function readCode(folder: string, kept: Kept): Code | undefined {
  try {
    const code = readFileSync(join(folder, `${kept.id}.js`));
    const last = Math.max(0, ...Object.values(kept.modules).map((module) => module.code[1]));
    if (code.length !== last) return undefined;
    let cached: Buffer | undefined;
    return {
      textOf: (module) => code.toString('utf8', ...module.code),
      cachedOf: (module) => {
        if (!module.cached) return undefined;
        cached ??= readIfThere(join(folder, `${kept.id}.v8`));
        return cached.length >= module.cached[1] ? cached.subarray(...module.cached) : undefined;
      },
    };
  } catch {
    return undefined;
  }
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Undefined where it cannot be written: that costs time, no more. */
export function keep(folder: string, entry: string, graph: LoadGraph, modules: ReadonlyMap<string, ModuleToKeep>): Kept | undefined {
  const codes: Buffer[] = [];
  const caches: Buffer[] = [];
  const index: Record<string, KeptModule> = {};
  let codeEnd = 0;
  let cacheEnd = 0;
  for (const [file, { code, cached, ...rest }] of modules) {
    const bytes = Buffer.from(code);
    index[file] = {
      ...rest,
      code: [codeEnd, (codeEnd += bytes.length)],
      ...(cached && { cached: [cacheEnd, (cacheEnd += cached.length)] as const }),
    };
    codes.push(bytes);
    if (cached) caches.push(cached);
  }
  const code = Buffer.concat(codes);
  const made: Made = {
    madeBy: MADE_BY,
    entry,
    id: digestOf(`${JSON.stringify([index, graph])}\0${digestOf(code)}`).slice(0, 24),
    graph,
    modules: index,
  };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeAside(join(folder, `${made.id}.js`), code);
    writeAside(join(folder, `${made.id}.v8`), Buffer.concat(caches));
    writeIndex(folder, made);
    for (const name of readdirSync(folder)) if (!name.startsWith(made.id) && name !== INDEX) rmSync(join(folder, name), { force: true });
    forgetOthers(folder);
    return made;
  } catch {
    return undefined;
  }
}

interface Made extends Kept {
  readonly madeBy: string;
  readonly entry: string;
}

function isMade(value: unknown): value is Made {
  return typeof value === 'object' && value !== null && 'madeBy' in value && 'graph' in value && 'modules' in value;
}

function writeIndex(folder: string, kept: Kept): void {
  try {
    writeAside(join(folder, INDEX), JSON.stringify(kept));
  } catch {
    // It will be found out again the next time.
  }
}

/** Whole or not at all, and for nobody else to read. */
export function writeAside(file: string, content: string | Buffer): void {
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, content, { mode: 0o600 });
  renameSync(aside, file);
}

function forgetOthers(folder: string): void {
  const above = join(folder, '..');
  const folders = readdirSync(above).map((name) => join(above, name));
  const others = folders.filter((other) => other !== folder).map((other) => ({ other, time: statSync(other).mtimeMs }));
  for (const { other } of others.toSorted((a, b) => b.time - a.time).slice(OTHERS)) rmSync(other, { recursive: true, force: true });
}
