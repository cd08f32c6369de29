import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Json, JsonObject } from '../event.ts';
import type { Decoded, ShortFlags } from '../flags.ts';
import { decodeText, isScalar, lettered, spellingsOf, takesNoWord } from '../flags.ts';
import type { ResolvedInput } from '../input.ts';
import { jsonOfGiven, resolveInput } from '../input.ts';
import type { Field } from '../schema.ts';
import { fieldsOf, isOfNoFields } from '../schema.ts';
import type { RunOptions } from '../request.ts';
import type { AnyTask } from '../task.ts';
import { specOf } from '../task.ts';
import { parseDurationMs } from '../util/duration.ts';
import { kebab } from '../util/kebab.ts';
import { nearest } from '../util/nearest.ts';
import { stableText } from '../util/stable-text.ts';
import type { OwnOptions } from './own-options.ts';
import { EXCLUSIVE, OWN_FIELDS, ownOptions } from './own-options.ts';
import { namesInWords } from '../util/describe.ts';

/**
 * From the words of a command line to what they ask for (R7–R12). Pure.
 *
 *   [own options] [shared flags] <task> [flags] [<task> [flags]]... [-- passthrough]
 *
 * It reads from left to right and looks at nothing but the words and the vocabulary: a bare word fills a
 * required input that no word of this line has given so far, also where a variable could give it.
 */
export interface Vocabulary {
  find(word: string): VocabularyEntry | undefined;
  isNamespace(word: string): boolean;
  nearest(word: string): string | undefined;
  readonly entries: readonly VocabularyEntry[];
  readonly defaultTask: VocabularyEntry | undefined;
}

export interface VocabularyEntry {
  readonly name: string;
  readonly namespace: string;
  readonly task: AnyTask;
}

export interface ParseScope {
  /** Paths are resolved against it. */
  readonly invocationDir: string;
  readonly shortFlags?: ShortFlags | undefined;
  /** Global flags, of a binary of one's own. @internal */
  readonly flags?: readonly Field[];
  /** With it targets get their whole input, and what is wrong with that is told (R11). */
  readonly values?: ValueScope;
}

/** What inputs have their values from, besides the words. */
export interface ValueScope {
  /** Paths below it are kept relative to it. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the config, by task name. */
  readonly defaults?: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
}

export interface ParsedLine {
  readonly options: OwnOptions;
  /** Those of our own options that were typed. */
  readonly own: JsonObject;
  /** Global flags that were typed. */
  readonly flags: JsonObject;
  readonly targets: readonly ParsedTarget[];
  /** What the first word names, as a name: a namespace before its default task. For what only looks. */
  readonly subject: string | undefined;
  /** Words that name a namespace without a default task. */
  readonly namespaces: readonly string[];
  /** All that is wrong, a line each. */
  readonly problems: readonly ParseProblem[];
  readonly notices: readonly string[];
}

export interface ParsedTarget {
  readonly name: string;
  readonly namespace: string;
  readonly task: AnyTask;
  /** What its words say. */
  readonly given: JsonObject;
  /** With `values`: all of it, variables and defaults included, where nothing is wrong with it. */
  readonly input?: JsonObject;
  readonly passthrough?: readonly string[];
  /** Inputs that a problem of the line is about: that they are missing as well is no news. */
  readonly faulty: ReadonlySet<string>;
}

export interface ParseProblem {
  readonly code: 'unknown-task' | 'unknown-flag' | 'missing-value' | 'bad-value' | 'bad-line';
  readonly text: string;
  readonly hint?: string;
}

// ── Flags by spelling ────────────────────────────────────────────────────────────────────────────

/** One way to write a field. */
interface Written {
  readonly field: Field;
  /** `--no-x`. */
  readonly isNegated: boolean;
}

type Spellings = ReadonlyMap<string, Written>;

function spellingsFor(fields: readonly Field[]): Spellings {
  const written = new Map<string, Written>();
  for (const field of fields) {
    const { long, negated, short } = spellingsOf(field);
    written.set(long, { field, isNegated: false });
    if (negated !== undefined) written.set(negated, { field, isNegated: true });
    if (short !== undefined) written.set(short, { field, isNegated: false });
  }
  return written;
}

const OWN = spellingsFor(OWN_FIELDS);

const NOTHING: Vocabulary = {
  find: () => undefined,
  isNamespace: () => false,
  nearest: () => undefined,
  entries: [],
  defaultTask: undefined,
};

/** Our own options in front of the first bare word: what has to be known before a config is looked for. */
export function leadingOptions(argv: readonly string[], flags: readonly Field[] = []): OwnOptions {
  return parseArgv(argv.slice(0, leadingWords(argv, flags)), NOTHING, { invocationDir: '.', flags }).options;
}

/** They say which config there is, so they are read before it. */
const BEFORE_ALL: readonly string[] = ['directory', 'file'] satisfies (keyof OwnOptions)[];

function leadingWords(argv: readonly string[], flags: readonly Field[]): number {
  const globals = spellingsFor(flags);
  let end = 0;
  while (end < argv.length) {
    const word = argv[end] ?? '';
    if (!/^-./.test(word) || word === '--') break;
    end++;
    const isLong = word.startsWith('--');
    const spelling = isLong ? (word.split('=', 1)[0] ?? word) : `-${word.at(-1) ?? ''}`;
    const written = OWN.get(spelling) ?? globals.get(spelling);
    const hasValue = isLong ? word.includes('=') : false;
    if (written && !hasValue && !takesNoWord(written.field.kind)) end++;
  }
  return end;
}

/**
 * The targets of a program's words. Of our own options only those that change the run count.
 *
 * @throws {UsageError} with all that is wrong
 */
export function targetsOf(
  argv: readonly string[],
  {
    registry,
    config,
    invocationDir,
  }: { readonly registry: Vocabulary | undefined; readonly config: { readonly shortFlags?: 'auto' }; readonly invocationDir: string },
): { readonly targets: readonly ParsedTarget[]; readonly own: JsonObject } {
  const line = parseArgv(argv, registry ?? NOTHING, { invocationDir, shortFlags: config.shortFlags });
  const bad = badLine(line);
  if (bad) throw bad;
  if (line.targets.length === 0) throw new UsageError('no-target', 'no task was named');
  return { targets: line.targets, own: line.own };
}

/** Our own options that change how a plan is carried out, where they were given. */
export function runOptionsOf(options: OwnOptions): Partial<RunOptions> {
  return {
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    ...(options.parallel && { parallel: true }),
    ...(options.keepGoing && { keepGoing: true }),
    ...(options.failFast && { failFast: true }),
    ...(options.dryRun && { dryRun: true }),
    ...(options.skipUnmet && { skipUnmet: true }),
    ...(options.failIfLocked && { failIfLocked: true }),
    ...(options.warnOnly && { warnOnly: true }),
    ...(options.force && { force: options.force === 'all' ? 'all' : 'targets' }),
    ...(!options.cache && { noCache: true }),
    ...(options.verbose && { replayLogs: true }),
    ...(options.timeout !== undefined && { timeoutMs: parseDurationMs(options.timeout) }),
    ...(options.commandTimeout !== undefined && { commandTimeoutMs: parseDurationMs(options.commandTimeout) }),
  };
}

/** Everything wrong with a line as one error; `undefined` when nothing is. */
export function badLine(line: ParsedLine): UsageError | undefined {
  const problems = [...line.problems, ...misplaced(line)];
  const [first] = problems;
  if (!first) return undefined;
  if (problems.length === 1) return new UsageError(first.code, first.text, { hint: first.hint });
  return new UsageError('bad-line', `${problems.length} things are wrong with this command line`, {
    facts: problems.flatMap(({ text, hint }) => [text, ...(hint === undefined ? [] : [`  → ${hint}`])]),
  });
}

/**
 * Whether nothing can be wrong with the inputs of its targets but what was typed: neither schemas, nor variables, nor
 * defaults of the config have a say, and nothing is missing.
 */
export function saysAll(line: ParsedLine, hasMoreToSay: boolean): boolean {
  return !hasMoreToSay && line.targets.every(isToldByWords);
}

function isToldByWords({ task, given, faulty }: ParsedTarget): boolean {
  const { input } = specOf(task);
  if (isOfNoFields(input)) return false;
  return fieldsOf(input).every(
    ({ key, kind, isPlain, env, required }) =>
      isPlain && env === undefined && (!required || kind.type === 'boolean' || given[key] !== undefined || faulty.has(key)),
  );
}

/** A namespace may be listed; it cannot be run where it has no default task. */
function misplaced(line: ParsedLine): ParseProblem[] {
  if (line.options.list || line.targets.length === 0) return [];
  return line.namespaces.map((name) => ({
    code: 'unknown-task',
    text: `\`${name}\` is a namespace without a default task`,
    hint: `Run \`tasks --list ${name}\` to see its tasks.`,
  }));
}

// ── The line ─────────────────────────────────────────────────────────────────────────────────────

/** A target while its words are read. */
interface Draft {
  readonly entry: VocabularyEntry;
  readonly fields: readonly Field[];
  readonly spellings: Spellings;
  readonly given: Record<string, Json>;
  /** Inputs that a bare word filled, and which. */
  readonly byWord: Map<string, string>;
  /** Inputs about which something was said already. */
  readonly faulty: Set<string>;
}

/** A flag before the first task, to be read anew for each target that declares it. */
interface Shared {
  readonly spelling: string;
  readonly text: string | undefined;
}

/**
 * What a command line asks for: its words, read against the names and flags of tasks. Pure: nothing is
 * loaded, looked up, run or thrown; all that is wrong is in `problems`.
 *
 * @param vocabulary  the names of tasks: {@link vocabularyOf} a config
 */
export function parseArgv(argv: readonly string[], vocabulary: Vocabulary, scope: ParseScope): ParsedLine {
  const problems: ParseProblem[] = [];
  const own: Record<string, Json> = {};
  const flags: Record<string, Json> = {};
  const globals = spellingsFor(scope.flags ?? []);
  const drafts: Draft[] = [];
  const shared: Shared[] = [];
  const namespaces: string[] = [];
  let subject: string | undefined;
  const leadingEnd = leadingWords(argv, scope.flags ?? []);
  let passthrough: readonly string[] | undefined;
  let at = 0;

  const complain = (code: ParseProblem['code'], text: string, hint?: string): void =>
    void problems.push({ code, text, ...(hint !== undefined && { hint }) });
  const current = (): Draft | undefined => drafts.at(-1);
  const fieldsFor = (entry: VocabularyEntry): readonly Field[] => lettered(fieldsOf(specOf(entry.task).input), scope.shortFlags);
  const draftOf = (entry: VocabularyEntry): Draft => {
    const fields = fieldsFor(entry);
    return { entry, fields, spellings: spellingsFor(fields), given: {}, byWord: new Map(), faulty: new Set() };
  };
  const about = (draft: Draft | undefined): string => (draft ? ` of \`${draft.entry.name}\`` : '');

  while (at < argv.length) {
    const word = argv[at++] ?? '';
    if (word === '--') {
      passthrough = argv.slice(at);
      break;
    }
    if (word.startsWith('--')) readLong(word);
    else if (/^-./.test(word) && !isNumberHere(word)) readShorts(word);
    else readBare(word);
  }

  /** `-3` is a value, unless the task has a flag `-3`. */
  function isNumberHere(word: string): boolean {
    return /^-(\d|\.\d)/.test(word) && !current()?.spellings.has(word.slice(0, 2));
  }

  function readLong(word: string): void {
    const equals = word.indexOf('=');
    const spelling = equals === -1 ? word : word.slice(0, equals);
    const attached = equals === -1 ? undefined : word.slice(equals + 1);
    const found = lookUp(spelling);
    if (found) take(found, spelling, attached);
    else unknown(spelling);
  }

  /** `-abc`, `-j4`, `-j=4`, `-vvv`. */
  function readShorts(word: string): void {
    for (let letter = 1; letter < word.length; letter++) {
      const spelling = `-${word[letter] ?? ''}`;
      const found = lookUp(spelling);
      if (!found) return unknown(spelling, word);
      const rest = word.slice(letter + 1);
      const { kind } = found.written.field;
      const takesRest = rest.startsWith('=') || !takesNoWord(kind) || kind.type === 'boolean-or-string';
      if (rest !== '' && takesRest) return take(found, spelling, rest.startsWith('=') ? rest.slice(1) : rest);
      take(found, spelling, undefined);
    }
  }

  interface Found {
    readonly written: Written;
    readonly of: 'own' | 'global' | 'task' | 'shared';
  }

  /** Whose flag it is, where it stands (R10). Help is nobody's. */
  function lookUp(spelling: string): Found | undefined {
    const ours = OWN.get(spelling);
    const draft = current();
    if (ours?.field.key === 'help') return { written: ours, of: 'own' };
    const theirs = draft?.spellings.get(spelling);
    if (theirs) return { written: theirs, of: 'task' };
    if (ours) return { written: ours, of: 'own' };
    const global = globals.get(spelling);
    if (global) return { written: global, of: 'global' };
    return draft ? undefined : sharedFlag(spelling);
  }

  /** Its kind is that of all tasks that declare it; where these differ it cannot be read before a task is known. */
  function sharedFlag(spelling: string): Found | undefined {
    const kinds = new Map<string, Written>();
    for (const entry of vocabulary.entries) {
      const written = spellingsFor(fieldsFor(entry)).get(spelling);
      if (written) kinds.set(stableText([written.isNegated, shapeOf(written.field)]), written);
    }
    const [written] = kinds.values();
    if (!written) return undefined;
    if (kinds.size > 1) {
      complain('bad-line', `\`${spelling}\` means different things to different tasks`, 'Write it after the task it is for.');
    }
    return { written, of: 'shared' };
  }

  /** Read the value that belongs to a flag, and keep it where it belongs. */
  function take({ written, of }: Found, spelling: string, attached: string | undefined): void {
    const { field, isNegated } = written;
    const draft = of === 'task' ? current() : undefined;
    if (of === 'own' && BEFORE_ALL.includes(field.key) && at > leadingEnd) {
      complain('bad-line', `\`${spelling}\` stands too late: it says which config is read`, 'Write it before everything else.');
    }
    let text = attached;
    if (text === undefined && !isNegated && !takesNoWord(field.kind)) {
      const next = argv[at];
      if (next === undefined || next.startsWith('--')) {
        draft?.faulty.add(field.key);
        return complain(
          'missing-value',
          `\`${spelling}\`${about(draft)} needs a value`,
          `Write \`${spelling} VALUE\` or \`${spelling}=VALUE\`.`,
        );
      }
      at++;
      text = next;
    }
    if (of === 'shared') return void shared.push({ spelling, text });
    const into = draft?.given ?? (of === 'global' ? flags : own);
    const problem = keep(into, field, isNegated, text);
    if (problem !== undefined) {
      draft?.faulty.add(field.key);
      complain('bad-value', `\`${spelling}\`${about(draft)}: ${problem}`);
    }
    const filledBy = draft?.byWord.get(field.key);
    if (filledBy !== undefined) {
      complain('bad-line', `\`${spelling}\`${about(draft)} was given already, by the word \`${filledBy}\`${alsoTask(filledBy)}`);
    }
  }

  /** What was wrong with it, in words. */
  function keep(into: Record<string, Json>, field: Field, isNegated: boolean, text: string | undefined): string | undefined {
    if (isNegated) {
      if (text !== undefined) return 'it takes no value';
      into[field.key] = field.kind.type === 'array' ? [] : field.kind.type === 'key-value' ? {} : false;
      return undefined;
    }
    if (text === undefined) {
      into[field.key] = field.kind.type === 'count' ? Number(into[field.key] ?? 0) + 1 : true;
      return undefined;
    }
    const decoded = decodeText(field, text);
    if (!decoded.ok) return decoded.problem;
    into[field.key] = gathered(into[field.key], field, inFolder(field, decoded));
    return undefined;
  }

  function inFolder(field: Field, { value }: Extract<Decoded, { ok: true }>): Json {
    const isPath = field.kind.type === 'path' || (field.kind.type === 'array' && field.kind.item.type === 'path');
    return isPath && typeof value === 'string' ? resolve(scope.invocationDir, value) : value;
  }

  /** A flag that stands behind the wrong task of the line. */
  function ownerHint(spelling: string): string | undefined {
    const owner = argv.flatMap((word) => vocabulary.find(word) ?? []).find((entry) => spellingsFor(fieldsFor(entry)).has(spelling));
    return owner && `\`${owner.name}\` has it: write it behind that name.`;
  }

  function unknown(spelling: string, within = spelling): void {
    const draft = current();
    const known = [...(draft?.spellings.keys() ?? allSpellings()), ...OWN.keys(), ...globals.keys()].filter(
      (candidate) => candidate.startsWith('--') === spelling.startsWith('--'),
    );
    // Without the dashes, which all of them share.
    const nearBare = spelling.startsWith('--')
      ? nearest(
          spelling.slice(2),
          known.map((one) => one.slice(2)),
        )
      : undefined;
    const near = nearBare === undefined ? undefined : `--${nearBare}`;
    const meant = near === undefined ? undefined : draft?.spellings.get(near);
    if (meant) draft?.faulty.add(meant.field.key);
    const where = within === spelling ? '' : ` (in \`${within}\`)`;
    const who = draft ? `\`${draft.entry.name}\` has no flag \`${spelling}\`${where}` : `there is no option \`${spelling}\`${where}`;
    complain(
      'unknown-flag',
      who,
      ownerHint(spelling) ??
        (near === undefined ? `Run \`tasks ${draft ? `${draft.entry.name} ` : ''}--help\`.` : `Did you mean \`${near}\`?`),
    );
    // Its value, if the next word is one, would be told as an unknown task.
    const next = argv[at];
    if (next !== undefined && !next.startsWith('-') && !vocabulary.find(next) && !vocabulary.isNamespace(next) && !canTakeBare(draft, next))
      at++;
  }

  function allSpellings(): Iterable<string> {
    return new Set(vocabulary.entries.flatMap((entry) => [...spellingsFor(fieldsFor(entry)).keys()]));
  }

  // ── Bare words (R9) ────────────────────────────────────────────────────────────────────────────

  function readBare(word: string): void {
    const draft = current();
    const field = draft && fieldFor(draft, word);
    if (draft && field) {
      const decoded = decodeText(field, word);
      if (!decoded.ok) {
        draft.faulty.add(field.key);
        return complain(
          'bad-value',
          `\`${word}\` is no ${spellingsOf(field).long.slice(2)}${about(draft)}: ${decoded.problem}${alsoTask(word)}`,
        );
      }
      if (field.kind.type !== 'array') draft.byWord.set(field.key, word);
      draft.given[field.key] = gathered(draft.given[field.key], field, inFolder(field, decoded));
      return;
    }
    const entry = vocabulary.find(word);
    subject ??= vocabulary.isNamespace(word) ? word : entry?.name;
    if (entry) {
      drafts.push(draftOf(entry));
      return;
    }
    if (vocabulary.isNamespace(word)) return void namespaces.push(word);
    const near = vocabulary.nearest(word);
    complain(
      'unknown-task',
      `no task is named \`${word}\``,
      near === undefined ? 'Run `tasks --list` to see them all.' : `Did you mean \`${near}\`?`,
    );
  }

  function canTakeBare(draft: Draft | undefined, word: string): boolean {
    return draft !== undefined && fieldFor(draft, word) !== undefined;
  }

  /** Which input a bare word fills: required scalars, then optional positionals unless it is a task, then the variadic one. */
  function fieldFor(draft: Draft, word: string): Field | undefined {
    const isGiven = (field: Field): boolean => draft.given[field.key] !== undefined;
    const required = draft.fields.find((field) => field.required && isScalar(field) && !isGiven(field));
    if (required) return required;
    const isTask = vocabulary.find(word) !== undefined || vocabulary.isNamespace(word);
    const positional = isTask ? undefined : draft.fields.find((field) => field.positional && isScalar(field) && !isGiven(field));
    return positional ?? draft.fields.find((field) => field.variadic);
  }

  function alsoTask(word: string): string {
    return vocabulary.find(word) ? ` (\`${word}\` is also a task)` : '';
  }

  // ── After the last word ────────────────────────────────────────────────────────────────────────

  const isLooking = own['list'] === true || own['help'] === true;
  const isDefault = drafts.length === 0 && namespaces.length === 0 && !isLooking && problems.length === 0;
  if (isDefault && vocabulary.defaultTask) drafts.push(draftOf(vocabulary.defaultTask));
  const onItsOwn = new Map(drafts.map((draft) => [draft, new Set(Object.keys(draft.given))]));
  for (const { spelling, text } of shared) {
    const takers = drafts.filter((draft) => draft.spellings.has(spelling));
    if (takers.length === 0 && !isLooking) {
      complain(
        'unknown-flag',
        `no target takes \`${spelling}\``,
        'A flag before the first task is for every target that declares it; write others after their task.',
      );
    }
    for (const draft of takers) {
      const written = draft.spellings.get(spelling);
      // What stands after the task itself wins.
      if (!written || onItsOwn.get(draft)?.has(written.field.key)) continue;
      const problem = keep(draft.given, written.field, written.isNegated, text);
      if (problem === undefined) continue;
      draft.faulty.add(written.field.key);
      complain('bad-value', `\`${spelling}\`${about(draft)}: ${problem}`);
    }
  }

  const wantsRest = drafts.filter((draft) => specOf(draft.entry.task).passthrough);
  if (passthrough !== undefined && wantsRest.length === 0 && !isLooking) {
    complain('bad-line', 'no target takes the words after `--`', 'A task takes them when it declares `passthrough: true`.');
  }

  const options = ownOptions(own, (key, expected) =>
    complain('bad-value', `\`--${kebab(key)}\`: ${expected}, got ${JSON.stringify(own[key])}`),
  );
  const exclusive = EXCLUSIVE.filter((key) => options[key] !== undefined && options[key] !== false);
  // `task --help --dry-run` asks for help.
  if (exclusive.length > 1 && !options.help) {
    complain('bad-line', `only one of ${namesInWords(exclusive.map((key) => `--${kebab(key)}`))} can be asked for at a time`);
  }

  const targets = drafts.map((draft): ParsedTarget => ({
    name: draft.entry.name,
    namespace: draft.entry.namespace,
    task: draft.entry.task,
    given: draft.given,
    faulty: draft.faulty,
    ...(passthrough !== undefined && wantsRest.includes(draft) && { passthrough }),
  }));
  const { values } = scope;
  const whole = values ? targets.map((target) => withInput(target, values, problems)) : targets;

  return {
    options,
    own,
    flags,
    subject,
    targets: whole,
    namespaces,
    problems,
    notices: fallBackNotices(drafts),
  };
}

function withInput(target: ParsedTarget, values: ValueScope, problems: ParseProblem[]): ParsedTarget {
  const resolved = resolveTarget(target, values);
  if (resolved.ok) return { ...target, input: resolved.json };
  for (const { text } of resolved.problems) problems.push({ code: 'bad-value', text: `\`${target.name}\`: ${text}` });
  return target;
}

/** The input of a target; of what is wrong with it all but what a problem of its line has told already. */
export function resolveTarget(target: ParsedTarget, { root, env, defaults }: ValueScope): ResolvedInput {
  const { input } = specOf(target.task);
  const own = defaults?.[target.name];
  const resolved = resolveInput({
    fields: input,
    given: target.given,
    env,
    defaults: own && jsonOfGiven(input, own),
    root,
    from: 'command-line',
  });
  if (resolved.ok) return resolved;
  return { ok: false, problems: resolved.problems.filter(({ key }) => key === undefined || !target.faulty.has(key)) };
}

/** For comparing what a flag means: enums of different values are read alike. */
const shapeOf = (field: Field): Json => {
  const { kind } = field;
  return kind.type === 'array' ? ['array', kind.item.type] : kind.type;
};

/** An array gathers, key-value pairs join; of a scalar the last wins. */
function gathered(before: Json | undefined, field: Field, value: Json): Json {
  if (field.kind.type === 'array') return [...(Array.isArray(before) ? (before as Json[]) : []), value];
  if (field.kind.type === 'key-value') return { ...(before as JsonObject | undefined), ...(value as JsonObject) };
  return value;
}

/** R10: a flag meant for two targets of one namespace, and given to one. */
function fallBackNotices(drafts: readonly Draft[]): string[] {
  const notices = new Set<string>();
  for (const draft of drafts) {
    for (const key of Object.keys(draft.given)) {
      for (const neighbour of drafts) {
        const field = neighbour.fields.find((candidate) => candidate.key === key);
        const isNeighbour = neighbour !== draft && neighbour.entry.namespace !== '' && neighbour.entry.namespace === draft.entry.namespace;
        if (!isNeighbour || !field || field.required || neighbour.given[key] !== undefined) continue;
        const { long } = spellingsOf(field);
        const fallback = field.default === undefined ? 'gets none' : `uses its default (${JSON.stringify(field.default)})`;
        notices.add(
          `\`${long}\` was given to \`${draft.entry.name}\` and not to \`${neighbour.entry.name}\`, which ${fallback}; before the first task it is for both`,
        );
      }
    }
  }
  return [...notices];
}
