import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json } from './event.ts';
import type { FileRecords } from './file-digests.ts';
import type { FileSet, Ingredients } from './fingerprint.ts';
import type { ModuleRecords } from './module-graph.ts';
import { digestOf } from './util/digest.ts';
import type { FileSystem } from './util/file-system.ts';
import { lstatOf, writeWhole } from './util/file-system.ts';
import { stableText } from './util/stable-text.ts';

/**
 * What the last run of each step left behind, and what was read of files to know it.
 *
 * One file, read at the beginning and, when something changed, written whole at the end. What the fingerprints
 * stand for is in another, which decides nothing, and is read where a step runs. In between a step that begins
 * to run leaves a mark, so that a run that is killed, or that cannot write at its end, never leaves an older record standing
 * for files that it has changed since:
 *
 *   body begins ──► mark ──► body ends ──► file written with its record ──► mark removed
 *
 * Records of a step that has a mark count for nothing. Two runs at once merge what they did, one after the
 * other; who cannot write leaves marks. Whatever is wrong with the file costs a run of the steps.
 */
export interface Ledger {
  readonly files: FileRecords | undefined;
  readonly modules: ModuleRecords | undefined;
  /** What counts for an up-to-date step: that nothing of it ran since. */
  last(step: StepKey): StepRecord | undefined;
  /** The latest of that name, marked or not, for telling what has changed. */
  latestOf(name: string): StepRecord | undefined;
  hasRun(name: string): boolean;
  /** What a fingerprint stands for, where that is known. */
  ingredientsOf(fingerprint: string): Ingredients | undefined;
  /** Its body is about to change things. */
  begin(step: StepKey): void;
  /** It ended; without a record nothing is known of it. `ingredients` are those of its fingerprint. */
  end(step: StepKey, record: StepRecord | undefined, ingredients?: Ingredients): void;
  /** Writes when something changed. Never rejects. */
  save(read: { readonly files: FileRecords; readonly modules: ModuleRecords }): Promise<void>;
}

export interface StepKey {
  readonly name: string;
  /** Stable text of input and words, secrets left out. */
  readonly input: string;
  /** It may leave things behind that it does not declare: what another input did counts as well. */
  readonly sharesTraces: boolean;
}

export interface StepRecord {
  /** Empty where its code or the like could not be told. */
  readonly fingerprint: string;
  /** As it was returned, before `output` read it; absent when it was undefined. */
  readonly value?: Json;
  /** Generated files, relative to the step's folder, as they were left. */
  readonly files: readonly GeneratedFile[];
  /** Differs from run to run: what its users depend on when it gave nothing. */
  readonly ran: string;
  /** Digest of what it said, kept in the cache. */
  readonly log?: string;
  readonly at: number;
  /** Why it cannot stand for a run all the same: it failed, its sources changed meanwhile. */
  readonly unusable?: string;
}
export type GeneratedFile = readonly [path: string, digest: string, mode: number];

// ── On the disk ──────────────────────────────────────────────────────────────────────────────────

const VERSION = 3;
const MAX_AGE_MS = 60 * 86_400_000;
/** More files than that are kept only if this run looked at them. */
const MANY_FILES = 50_000;

interface Stored {
  readonly version: typeof VERSION;
  readonly files: FileRecords;
  readonly modules: ModuleRecords;
  /** By the text of the step. */
  readonly steps: Readonly<Record<string, StepRecord>>;
  /** Which step of a name ran last. */
  readonly latest: Readonly<Record<string, string>>;
}

/** What fingerprints stand for, of all steps that have a record. */
interface Explanations {
  readonly version: typeof VERSION;
  /** File sets by their digest: many steps share one. */
  readonly sets: Readonly<Record<string, FileSet['files']>>;
  readonly ingredients: Readonly<Record<string, StoredIngredients>>;
}
type StoredIngredients = Omit<Ingredients, 'sources' | 'code'> & { readonly sources: string; readonly code: string };

const EMPTY: Stored = { version: VERSION, files: {}, modules: { modules: {}, packages: {} }, steps: {}, latest: {} };
const UNEXPLAINED: Explanations = { version: VERSION, sets: {}, ingredients: {} };

export const STATE_FILE = 'state.json';
/** Costs what is said of a change where it is lost. */
export const EXPLANATIONS_FILE = 'ingredients.json';

export interface LedgerOptions {
  readonly fs: FileSystem;
  readonly now: () => number;
  /** Made when something is written. */
  readonly folder: string;
  readonly pid: number;
  readonly isAlive: (pid: number) => boolean;
  /** One line for the user. */
  readonly onTrouble: (text: string) => void;
}

/** Runs of this process that are not over: others of its marks and locks are left over. */
const underWay = new Set<string>();

export function openLedger(options: LedgerOptions): Ledger {
  const { fs, now, folder, pid } = options;
  const file = join(folder, STATE_FILE);
  const marksDir = join(folder, 'running');
  const own = `${pid}-${randomBytes(6).toString('hex')}`;
  const ended = new Map<string, { readonly step: StepKey; readonly record: StepRecord | undefined }>();
  const newIngredients = new Map<string, Ingredients>();
  /** Of steps that ran: what their marks begin with. */
  const marked = new Map<string, string>();
  const tell = options.onTrouble;

  // The marks first: a run that ends in between has written its records before it takes them away.
  const marks = readMarks(fs, marksDir);
  const { stored, stamp } = read();

  function read(): { readonly stored: Stored; readonly stamp: string } {
    const stamp = stampOf(fs, file);
    if (stamp === '') return { stored: EMPTY, stamp };
    try {
      return { stored: parse(fs.readFileSync(file, 'utf8'), EMPTY), stamp };
    } catch (error) {
      tell(`what was kept of earlier runs cannot be read, and counts for nothing: ${messageOf(error)}`);
      return { stored: EMPTY, stamp };
    }
  }

  const isMarked = (step: StepKey): boolean =>
    marks.some((mark) => mark.startsWith(step.sharesTraces ? `${nameMark(step)}.` : `${nameMark(step)}.${inputMark(step)}.`));

  const recordOf = (text: string): StepRecord | undefined => (Object.hasOwn(stored.steps, text) ? stored.steps[text] : undefined);

  function readExplanations(): Explanations {
    try {
      return parse(fs.readFileSync(join(folder, EXPLANATIONS_FILE), 'utf8'), UNEXPLAINED);
    } catch {
      // The reason of a step that runs says so.
      return UNEXPLAINED;
    }
  }
  let explained: Explanations | undefined;

  /** What ran last of a name in this run, or before it. */
  const latestText = (name: string): string | undefined => latestNow.get(name) ?? stored.latest[name];
  const latestNow = new Map<string, string>();

  return {
    files: stored.files,
    modules: stored.modules,
    last(step) {
      const text = textOf(step);
      if (step.sharesTraces && latestText(step.name) !== text) return undefined;
      const now = ended.get(text);
      if (now) return now.record;
      return isMarked(step) ? undefined : recordOf(text);
    },
    latestOf(name) {
      const text = latestText(name);
      return text === undefined ? undefined : (ended.get(text)?.record ?? recordOf(text));
    },
    hasRun: (name) => latestText(name) !== undefined,
    ingredientsOf(fingerprint) {
      const now = newIngredients.get(fingerprint);
      if (now) return now;
      explained ??= readExplanations();
      const found = explained.ingredients[fingerprint];
      const [sources, code] = found ? [explained.sets[found.sources], explained.sets[found.code]] : [];
      if (!found || !sources || !code) return undefined;
      return { ...found, sources: { digest: found.sources, files: sources }, code: { digest: found.code, files: code } };
    },
    begin(step) {
      const text = textOf(step);
      underWay.add(own);
      ended.set(text, { step, record: undefined });
      latestNow.set(step.name, text);
      if (marked.has(text)) return;
      const mark = `${nameMark(step)}.${inputMark(step)}`;
      try {
        leaveMark(`${mark}.${own}`);
        marked.set(text, mark);
      } catch (error) {
        tell(`what runs is not kept: ${messageOf(error)}`);
        forgetAll();
      }
    },
    end(step, record, ingredients) {
      ended.set(textOf(step), { step, record });
      if (record && ingredients) newIngredients.set(record.fingerprint, ingredients);
    },
    async save(looked) {
      underWay.add(own);
      await saveWhole(looked);
      underWay.delete(own);
    },
  };

  function leaveMark(mark: string): void {
    const path = join(marksDir, mark);
    try {
      fs.writeFileSync(path, '', { mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      fs.mkdirSync(marksDir, { recursive: true, mode: 0o700 });
      fs.writeFileSync(path, '', { mode: 0o600 });
    }
  }

  async function saveWhole(looked: { readonly files: FileRecords; readonly modules: ModuleRecords }): Promise<void> {
    if (ended.size === 0 && looked.files === stored.files && looked.modules === stored.modules) return;
    try {
      fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
      const unlock = await takeLock(options, join(folder, 'state.lock'), own);
      try {
        const theirs = stampOf(fs, file) === stamp ? stored : read().stored;
        const merged = merge(theirs, looked);
        writeWhole(fs, file, render(merged));
        if (newIngredients.size > 0) writeExplanations(merged);
      } finally {
        unlock();
      }
    } catch (error) {
      // The marks stay: who comes next knows that it knows nothing.
      tell(`what ran is not kept: ${messageOf(error)}`);
      return;
    }
    removeMarks();
  }

  function merge(theirs: Stored, looked: { readonly files: FileRecords; readonly modules: ModuleRecords }): Stored {
    const steps: Record<string, StepRecord> = {};
    for (const [text, step] of Object.entries(theirs.steps)) if (!ended.has(text) && now() - step.at <= MAX_AGE_MS) steps[text] = step;
    for (const [text, { record }] of ended) {
      // Somebody else ran it meanwhile: whose traces are left is not known.
      if (record && stableText(theirs.steps[text]) === stableText(stored.steps[text])) steps[text] = record;
    }
    // What is gone is in neither, where nobody else wrote meanwhile.
    const files = theirs === stored ? looked.files : { ...theirs.files, ...looked.files };
    const modules = {
      modules: { ...theirs.modules.modules, ...looked.modules.modules },
      packages: { ...theirs.modules.packages, ...looked.modules.packages },
    };
    return {
      version: VERSION,
      files: Object.keys(files).length > MANY_FILES ? looked.files : files,
      modules,
      steps,
      latest: { ...theirs.latest, ...Object.fromEntries([...latestNow].map(([name, text]) => [name, latestOf(name, text, theirs)])) },
    };
  }

  function writeExplanations(stored: Stored): void {
    try {
      writeWhole(fs, join(folder, EXPLANATIONS_FILE), render(explanationsOf(stored)));
    } catch {
      // The records stand all the same.
    }
  }

  /** Of the records that stay, what their fingerprints stand for: as this run knows it, or one before. */
  function explanationsOf({ steps }: Stored): Explanations {
    const before = readExplanations();
    const sets: Record<string, FileSet['files']> = {};
    const ingredients: Record<string, StoredIngredients> = {};
    for (const { fingerprint } of Object.values(steps)) {
      const now = newIngredients.get(fingerprint);
      const one = now ? { ...now, sources: now.sources.digest, code: now.code.digest } : before.ingredients[fingerprint];
      const sources = now?.sources.files ?? (one && before.sets[one.sources]);
      const code = now?.code.files ?? (one && before.sets[one.code]);
      if (!one || !sources || !code) continue;
      ingredients[fingerprint] = one;
      sets[one.sources] = sources;
      sets[one.code] = code;
    }
    return { version: VERSION, sets, ingredients };
  }

  function latestOf(name: string, text: string, theirs: Stored): string {
    const other = theirs.latest[name];
    return other === stored.latest[name] || other === text ? text : '';
  }

  /** Own marks, and those that runs long gone left on the same steps. */
  function removeMarks(): void {
    const ours = new Set(marked.values());
    try {
      for (const mark of ours.size > 0 ? fs.readdirSync(marksDir) : []) {
        const [name = '', input = '', run = ''] = mark.split('.');
        if (run === own || (ours.has(`${name}.${input}`) && !isUnderWay(options, run))) fs.rmSync(join(marksDir, mark), { force: true });
      }
      marked.clear();
    } catch {
      // A mark too many costs a run.
    }
  }

  /** No mark can be left: then no record may stand. A file can be removed where the disk is full. */
  function forgetAll(): void {
    try {
      fs.rmSync(file, { force: true });
    } catch {
      // Nothing can be written and nothing removed: said already.
    }
  }
}

/** @throws when it is damaged; what another version wrote counts for nothing */
function parse<T extends { readonly version: typeof VERSION }>(text: string, empty: T): T {
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== digestOf(body)) throw new Error('it is damaged');
  // Its digest shows that we wrote it; the version, that this program understands it.
  const stored = JSON.parse(body) as T;
  return stored.version === VERSION ? stored : empty;
}

function render(stored: object): string {
  const body = JSON.stringify(stored);
  return `${digestOf(body)}\n${body}`;
}

function readMarks(fs: FileSystem, marksDir: string): readonly string[] {
  try {
    return fs.readdirSync(marksDir);
  } catch {
    return [];
  }
}

const textOf = (step: StepKey): string => `${step.name} ${step.input}`;
const nameMark = (step: StepKey): string => digestOf(step.name).slice(0, 20);
const inputMark = (step: StepKey): string => digestOf(step.input).slice(0, 20);
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function stampOf(fs: FileSystem, path: string): string {
  const stats = lstatOf(fs, path);
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}` : '';
}

// ── One writer at a time ─────────────────────────────────────────────────────────────────────────

const LOCK_TRIES = 200;
const LOCK_PAUSE_MS = 10;
const EMPTY_LOCK_MS = 1000;

/** @throws when somebody else has it for too long */
async function takeLock(options: LedgerOptions, path: string, run: string): Promise<() => unknown> {
  const { fs } = options;
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    try {
      fs.writeFileSync(path, run, { flag: 'wx', mode: 0o600 });
      return () => removed(fs, path) || removed(fs, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (!isHeld(options, path)) fs.rmSync(path, { force: true });
    else await pause(LOCK_PAUSE_MS);
  }
  throw new Error('another run has been writing for too long');
}

/** A lock that stays behind falls with its process. */
function removed(fs: FileSystem, path: string): boolean {
  try {
    fs.rmSync(path, { force: true });
    return true;
  } catch {
    return false;
  }
}

function isUnderWay({ pid, isAlive }: LedgerOptions, run: string): boolean {
  const owner = Number(run.split('-')[0]);
  return owner === pid ? underWay.has(run) : isAlive(owner);
}

function isHeld(options: LedgerOptions, path: string): boolean {
  const { fs, now } = options;
  try {
    const text = fs.readFileSync(path, 'utf8');
    // Just made, and not written yet; or left so by who was killed right then.
    if (text === '') return now() - (lstatOf(fs, path)?.mtimeMs ?? 0) < EMPTY_LOCK_MS;
    return isUnderWay(options, text);
  } catch {
    return false;
  }
}
