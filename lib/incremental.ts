import { randomUUID } from 'node:crypto';
import { relative, resolve, sep } from 'node:path';
import type { CodeOfTasks } from './code-of-task.ts';
import type { JsonObject } from './event.ts';
import type { FileDigests } from './file-digests.ts';
import type { FileLists } from './file-lists.ts';
import type { FileSet, Ingredients } from './fingerprint.ts';
import { GAVE_NOTHING, fileSetOf, fingerprintOf, whyChanged } from './fingerprint.ts';
import type { GeneratedFile, Ledger, StepKey, StepRecord } from './ledger.ts';
import type { Step } from './plan.ts';
import { contentDigest, removeFiles, restoreFiles, stateOf } from './restore.ts';
import { fieldsOf } from './schema.ts';
import type { Shelf } from './shelf.ts';
import type { AnyTask, ErasedSpec, Fields, InputScope } from './task.ts';
import { fieldOf, flagsOf, specOf } from './task.ts';
import { digestOf } from './util/digest.ts';
import type { FileSystem } from './util/file-system.ts';
import { statOf } from './util/file-system.ts';
import { stableText } from './util/stable-text.ts';
import { asKept, digestOfValue, fromKept } from './value.ts';

/**
 * Which steps can be left alone, and what is kept so that they can be (R32–R34).
 *
 *   decide ──► left: nothing changed, or restored
 *     │
 *     └─────► runs, and why ──► begin ──► body ──► end: kept, or not
 */
export interface Incremental {
  decide(step: Step, facts: StepFacts): Promise<Decision>;
  /** The body is about to change things. */
  begin(attempt: Attempt): void;
  /** @returns digest of what it gives its users */
  end(attempt: Attempt, result: BodyResult): Promise<string>;
  /** What a service depends on: its users depend on that, not on what it gives (R32). */
  serviceDigest(step: Step, facts: StepFacts): Promise<string>;
  /**
   * What a step gives that was left alone by its own `upToDate`.
   *
   * @param value  as its users see it
   */
  givesUntouched(attempt: Attempt, value: unknown): string;
  /** Writes what is to be kept. Never rejects. */
  close(): Promise<void>;
}

export interface StepFacts {
  readonly cwd: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Digests of what its needs gave, by the names in `needs`. */
  readonly needs: Readonly<Record<string, string>>;
  readonly isTarget: boolean;
  /** Nothing is to be changed: what would be restored stays as it is. */
  readonly isLook?: boolean;
}

export type Decision =
  | { readonly kind: 'runs'; readonly attempt: Attempt }
  | {
      readonly kind: 'left';
      readonly attempt: Attempt;
      /** It was restored from there; absent when nothing had to be done. */
      readonly from?: string;
      /** As the body returned it. */
      readonly value: unknown;
      /** What its users depend on, of its value as they see it. */
      readonly gives: (value: unknown) => string;
      /** What it said when it ran. */
      readonly log: () => Promise<string | undefined>;
    };

/** A step on its way. */
export interface Attempt {
  readonly step: Step;
  readonly facts: StepFacts;
  /** A line for each reason; empty for a task that is never skipped. */
  readonly why: readonly string[];
  /** Absent for a task that is never skipped, or cannot be told from others. */
  readonly key: StepKey | undefined;
  readonly ingredients: Ingredients | undefined;
}

export interface BodyResult {
  readonly isDone: boolean;
  /** As the body returned it. */
  readonly returned: unknown;
  /** As its users see it. */
  readonly value: unknown;
  readonly log: string;
  /** Whether a text holds no secret. */
  readonly isSafe: (text: string) => boolean;
}

export interface IncrementalOptions {
  readonly fs: FileSystem;
  readonly now: () => number;
  readonly root: string;
  readonly taskOf: (step: Step) => AnyTask;
  readonly inputScopeOf: (step: Step) => InputScope<unknown>;
  readonly isNamed: (task: AnyTask) => boolean;
  readonly digests: FileDigests;
  readonly lists: FileLists;
  readonly code: CodeOfTasks;
  readonly ledger: Ledger;
  /** Absent with `--no-cache`: then nothing is left alone, and nothing is known of what ran. */
  readonly shelf: Shelf | undefined;
  readonly force: 'targets' | 'all' | undefined;
  /** Written when all is over. */
  readonly save: () => Promise<void>;
}

/** Whether a task may be skipped, and its commands therefore see only what counts (R31, R32). */
export function isIncremental(spec: ErasedSpec, scope: InputScope<unknown>): boolean {
  return fieldOf(spec.sources, scope) !== undefined || fieldOf(spec.cache, scope) === true;
}

export function createIncremental(options: IncrementalOptions): Incremental {
  const { fs, now, root, ledger, shelf, digests, lists } = options;
  let running = 0;
  /** Steps among whose files may be some of another outcome: theirs is not kept for later. */
  const soiled = new Set<string>();

  /** While a body runs, what was seen a moment ago may be no longer so. */
  function touch(change: 1 | -1 | 0): void {
    running += change;
    if (change !== 0 || running > 0) {
      digests.forget();
      lists.forget();
    }
  }

  // ── What a step depends on ─────────────────────────────────────────────────────────────────────

  async function ingredientsOf(step: Step, facts: StepFacts): Promise<Ingredients | string> {
    const spec = specOf(options.taskOf(step));
    const code = await options.code.of(options.taskOf(step));
    if (!code.isKnown) return `its code cannot be told: ${code.why}`;
    // In the order of the alphabet, as their text has them.
    return {
      about: {
        folder: relative(root, facts.cwd).split(sep).join('/') || '.',
        generates: stableText(fieldOf(spec.generates, options.inputScopeOf(step))),
        ...MACHINE,
      },
      code: code.files,
      env: envOf(spec, facts.variables),
      flags: notSecret(flagsOf(options.taskOf(step))?.fields, step.flags),
      input: notSecret(spec.input, step.input),
      needs: facts.needs,
      packages: code.packages,
      passthrough: step.passthrough,
      sources: sourcesOf(step, facts.cwd),
    };
  }

  function sourcesOf(step: Step, cwd: string): FileSet {
    const patterns = fieldOf(specOf(options.taskOf(step)).sources, options.inputScopeOf(step)) ?? [];
    const key = `${cwd}\0${patterns.join('\0')}`;
    const known = running > 0 ? undefined : sets.get(key);
    if (known && known.at === lists.of(cwd, patterns, 'sources')) return known.set;
    touch(0);
    const at = lists.of(cwd, patterns, 'sources');
    const set = fileSetOf(Object.fromEntries(at.map((path) => [path, digests.of(resolve(cwd, path)) ?? 'gone'])));
    sets.set(key, { at, set });
    return set;
  }
  /** Steps often share their sources: as long as the list is the same object, so are the files. */
  const sets = new Map<string, { readonly at: readonly string[]; readonly set: FileSet }>();

  function keyOf(step: Step): StepKey | undefined {
    const task = options.taskOf(step);
    if (!options.isNamed(task)) return undefined;
    const spec = specOf(task);
    return {
      name: step.name,
      input: stableText([notSecret(spec.input, step.input), step.passthrough]),
      sharesTraces: fieldOf(spec.generates, options.inputScopeOf(step)) === undefined,
    };
  }

  function generatedBy(step: Step, cwd: string): readonly GeneratedFile[] {
    const patterns = fieldOf(specOf(options.taskOf(step)).generates, options.inputScopeOf(step)) ?? [];
    if (patterns.length === 0) return [];
    return lists.of(cwd, patterns, 'generates').flatMap((path): GeneratedFile[] => {
      const file = resolve(cwd, path);
      const digest = digests.of(file);
      return digest === undefined ? [] : [[path, digest, (statOf(fs, file)?.mode ?? 0o644) & 0o777]];
    });
  }

  const caches = (step: Step): boolean => fieldOf(specOf(options.taskOf(step)).cache, options.inputScopeOf(step)) === true;
  const keepsFiles = (step: Step): boolean => fieldOf(specOf(options.taskOf(step)).cache, options.inputScopeOf(step)) !== false;

  // ── Deciding ───────────────────────────────────────────────────────────────────────────────────

  async function decide(step: Step, facts: StepFacts): Promise<Decision> {
    const spec = specOf(options.taskOf(step));
    const isSkippable = isIncremental(spec, options.inputScopeOf(step)) && spec.run !== undefined;
    const key = isSkippable || spec.upToDate ? keyOf(step) : undefined;
    const runs = (why: readonly string[], ingredients?: Ingredients): Decision => ({
      kind: 'runs',
      attempt: { step, facts, why, key, ingredients },
    });
    if (!isSkippable) return runs([]);
    if (!key) return runs(['it is not registered and has no `id`, so it cannot be told from others']);
    touch(0);
    const ingredients = await ingredientsOf(step, facts);
    if (typeof ingredients === 'string') return runs([ingredients]);
    if (!shelf) return runs(['`--no-cache`'], ingredients);
    if (options.force === 'all' || (options.force === 'targets' && facts.isTarget)) return runs(['`--force`'], ingredients);

    const fingerprint = fingerprintOf(ingredients);
    const last = ledger.last(key);
    const attempt: Attempt = { step, facts, why: [], key, ingredients };
    if (last && last.fingerprint === fingerprint && last.unusable === undefined) {
      const trouble = await asItWasLeft(attempt, last);
      return trouble === undefined ? left(attempt, last, undefined) : runs(trouble, ingredients);
    }
    const restored = caches(step) ? await restoreEntry(attempt, fingerprint, last) : 'not kept';
    if (typeof restored !== 'string') return left(attempt, restored, 'the cache');
    return runs(whyItRuns(key, last, ingredients), ingredients);
  }

  function whyItRuns(key: StepKey, last: StepRecord | undefined, ingredients: Ingredients): readonly string[] {
    const before = last ?? ledger.latestOf(key.name);
    if (!before) return [ledger.hasRun(key.name) ? 'nothing is known of its last run' : 'first run'];
    const known = ledger.ingredientsOf(before.fingerprint);
    const changes = known ? whyChanged(known, ingredients) : [];
    if (changes.length > 0) return changes;
    return [before.unusable ?? (known ? 'its last run did not come to its end' : 'what it depended on before cannot be told')];
  }

  /** Generated files of the last run: all there, or put back; else why not. */
  async function asItWasLeft({ step, facts }: Attempt, last: StepRecord): Promise<readonly string[] | undefined> {
    const { missing, foreign } = stateOf(last.files, facts.cwd, digests);
    if (foreign.length > 0) return foreign.map(([path]) => `${path} is not as it was left`);
    if (missing.length === 0) return undefined;
    const lost = missing.map(([path]) => `${path} is missing`);
    if (!keepsFiles(step) || !shelf) return lost;
    if (facts.isLook) return (await areKept(missing)) ? undefined : lost;
    const obstacle = await restoreFiles(missing, { fs, cwd: facts.cwd, root }, shelf.content);
    touch(0);
    digests.forget();
    return obstacle === undefined ? undefined : lost;
  }

  async function areKept(files: readonly GeneratedFile[]): Promise<boolean> {
    for (const [, digest] of files) if (!(await shelf?.content(contentDigest(digest)))) return false;
    return true;
  }

  /** An outcome that was kept under this very fingerprint, put in place of what stands there; or why not. */
  async function restoreEntry(attempt: Attempt, fingerprint: string, last: StepRecord | undefined): Promise<StepRecord | string> {
    const { step, facts, key, ingredients } = attempt;
    const kept = await shelf?.entry(fingerprint);
    if (!kept || !shelf || !key || !ingredients) return 'not kept';
    const ours = new Map((last?.files ?? []).map((file) => [file[0], file]));
    const { missing, foreign } = stateOf(kept.files, facts.cwd, digests);
    const users = foreign.filter(([path]) => digests.of(resolve(facts.cwd, path)) !== ours.get(path)?.[1]);
    if (users.length > 0) return 'something stands there';
    // All that is to be written is read and verified before anything is touched.
    const contents = new Map<string, Uint8Array>();
    for (const [path, digest] of [...missing, ...foreign]) {
      const bytes = await shelf.content(contentDigest(digest));
      if (!bytes) return `${path} is not in the cache`;
      contents.set(contentDigest(digest), bytes);
    }
    if (facts.isLook) return { ...kept, fingerprint, at: now() };
    touch(1);
    ledger.begin(key);
    const stay = new Set(kept.files.map(([path]) => path));
    const place = { fs, cwd: facts.cwd, root };
    const areGone = removeFiles(
      [...ours.values()].filter(([path]) => !stay.has(path)),
      place,
      digests,
    );
    const obstacle = areGone
      ? await restoreFiles([...missing, ...foreign], place, async (digest) => contents.get(digest))
      : 'a file of another outcome cannot be removed';
    if (obstacle !== undefined) soiled.add(step.id);
    touch(-1);
    const record: StepRecord = { ...kept, fingerprint, at: now() };
    ledger.end(key, obstacle === undefined ? record : undefined, ingredients);
    return obstacle === undefined ? record : obstacle;
  }

  function left(attempt: Attempt, record: StepRecord, from: string | undefined): Decision {
    return {
      kind: 'left',
      attempt,
      value: fromKept(record.value),
      gives: (value) => givesOf(value, record.files, record.ran),
      ...(from !== undefined && { from }),
      log: async () => {
        const bytes = record.log === undefined ? undefined : await shelf?.content(record.log);
        return bytes && Buffer.from(bytes).toString('utf8');
      },
    };
  }

  // ── Keeping ────────────────────────────────────────────────────────────────────────────────────

  function begin({ step, facts, key }: Attempt): void {
    touch(1);
    if (!key) return;
    const last = caches(step) ? ledger.last(key) : undefined;
    ledger.begin(key);
    // What a cached task leaves is restored one day in place of a run: files of earlier runs are no part of it.
    if (last && !removeFiles(last.files, { fs, cwd: facts.cwd, root }, digests)) soiled.add(step.id);
  }

  async function end(attempt: Attempt, result: BodyResult): Promise<string> {
    const { step, facts, key, ingredients } = attempt;
    touch(-1);
    const files = result.isDone ? generatedBy(step, facts.cwd) : [];
    const ran = freshRun();
    if (key)
      ledger.end(key, shelf && ingredients ? await recordFor(attempt, ingredients, result, files, ran) : untold(attempt, ran), ingredients);
    return givesOf(result.value, files, ran);
  }

  /** Of a step that is never skipped for its fingerprint, only which run was its last is known. */
  function untold({ key, ingredients }: Attempt, ran: string): StepRecord | undefined {
    if (!shelf || !key || ingredients) return undefined;
    return { fingerprint: '', files: [], ran, at: now(), unusable: 'nothing is known of its last run' };
  }

  async function recordFor(
    attempt: Attempt,
    ingredients: Ingredients,
    result: BodyResult,
    files: readonly GeneratedFile[],
    ran: string,
  ): Promise<StepRecord> {
    const { step, facts } = attempt;
    const record = { fingerprint: fingerprintOf(ingredients), files, ran, at: now() };
    const unusable = result.isDone ? whyUnusable(attempt, ingredients, result) : 'its last run did not succeed';
    if (unusable !== undefined || !shelf) return { ...record, ...(unusable !== undefined && { unusable }) };
    const kept = asKept(result.returned);
    const value = kept.ok ? kept.json : undefined;
    if (!keepsFiles(step)) return { ...record, ...(value !== undefined && { value }) };
    const log = result.log === '' ? undefined : Buffer.from(result.log);
    if (log) await shelf.keepContent(log);
    for (const [path, digest] of files) {
      const bytes = contentOf(resolve(facts.cwd, path), contentDigest(digest));
      if (bytes) await shelf.keepContent(bytes);
    }
    const entry = { files, ran, ...(value !== undefined && { value }), ...(log && { log: digestOf(log) }) };
    if (caches(step) && !soiled.has(step.id)) await shelf.keepEntry(record.fingerprint, entry);
    return { ...record, ...entry };
  }

  function whyUnusable({ step, facts }: Attempt, ingredients: Ingredients, { returned, isSafe }: BodyResult): string | undefined {
    const kept = asKept(returned);
    if (!kept.ok) return `what it returns cannot be kept: ${kept.at}`;
    if (!isSafe(JSON.stringify(kept.json) ?? '')) return 'what it returns holds a secret, which is never kept';
    if (sourcesOf(step, facts.cwd).digest !== ingredients.sources.digest) return 'its sources changed while it ran';
    return undefined;
  }

  function contentOf(path: string, digest: string): Uint8Array | undefined {
    try {
      const stats = statOf(fs, path);
      if (!stats || stats.size > MOST_BYTES) return undefined;
      const bytes = fs.readFileSync(path);
      return digestOf(bytes) === digest ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    decide,
    begin,
    end,
    async serviceDigest(step, facts) {
      const ingredients = await ingredientsOf(step, facts);
      return typeof ingredients === 'string' ? freshRun() : fingerprintOf(ingredients);
    },
    givesUntouched({ step, facts, key }, value) {
      const ran = (key && ledger.last(key)?.ran) ?? 'never ran';
      return givesOf(value, generatedBy(step, facts.cwd), ran);
    },
    async close() {
      await options.save();
      await shelf?.close();
    },
  };
}

/** Larger files are looked at and not kept. */
const MOST_BYTES = 512 * 2 ** 20;

const MACHINE = { node: process.versions.node.split('.', 1)[0] ?? '', platform: `${process.platform}-${process.arch}` };

export const freshRun = (): string => `${GAVE_NOTHING}${randomUUID()}`;

/** What the users of a step depend on: its value and files; where there are none, that it ran. */
export function givesOf(value: unknown, files: readonly GeneratedFile[], ran: string): string {
  if (value === undefined && files.length === 0) return ran;
  const digest = digestOfValue(value);
  return digest === undefined ? ran : digestOf(stableText([digest, files.map(([path, content]) => [path, content])]));
}

function notSecret(fields: Fields | undefined, values: JsonObject): JsonObject {
  if (!fieldsOf(fields).some((field) => field.secret)) return values;
  const secrets = new Set(fieldsOf(fields).flatMap((field) => (field.secret ? [field.key] : [])));
  return Object.fromEntries(Object.entries(values).filter(([key]) => !secrets.has(key)));
}

function envOf(spec: ErasedSpec, variables: Readonly<Record<string, string>>): Record<string, string> {
  const declared = fieldsOf(spec.env).filter((field) => !field.secret);
  return Object.fromEntries(declared.map(({ key }) => [key, variables[key] === undefined ? 'unset' : digestOf(variables[key])]));
}
