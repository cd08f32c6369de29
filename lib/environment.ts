import type { FileTrouble, Variables } from './dotenv-file.ts';
import { textOfFile, variablesIn } from './dotenv-file.ts';
import { RefusedError, UsageError } from './errors.ts';
import type { UserError } from './errors.ts';
import { decodeVariable } from './flags.ts';
import type { Field } from './schema.ts';
import { fieldsOf, fromJson, isTold, objectOf, plainValue } from './schema.ts';
import type { Fields, RequirementScope } from './task.ts';
import { inOurWords } from './util/issue-words.ts';

/** Variables: the real environment, files laid under it, and what a task declares of them (R30, R31). */
export interface Environment {
  readonly variables: Readonly<Record<string, string>>;
  /** `environment`, or the absolute path of the file that it came from. */
  originOf(name: string): string | undefined;
  /** Those that were there, in the order read. */
  readonly files: readonly string[];
}

export interface EnvironmentSources {
  /** The real environment. Nothing is laid over it. */
  readonly base: Variables;
  /** Absolute paths. Later ones go over earlier ones. */
  readonly files: readonly { readonly path: string; readonly required: boolean }[];
  /** Runs direnv, with `base` as its environment. */
  readonly look: RequirementScope['look'];
}

/** @throws {UsageError} for lines that are wrong; {RefusedError} for files that cannot be read here. All of them in one */
export async function loadEnvironment(sources: EnvironmentSources): Promise<Environment> {
  return (await environmentOf(sources, sources.files.map(textOfFile))).environment;
}

/** The same over and over, for steps that each are to see what earlier ones wrote. */
export interface Environments {
  /** What was read of these files, if it is what they say now. */
  known(files: readonly string[]): Environment | undefined;
  /** @throws as {@link loadEnvironment} */
  read(files: readonly string[], look: EnvironmentSources['look']): Promise<Environment>;
  /** A body begins or is over: it may write such a file. */
  touch(change: 1 | -1): void;
}

/** Files are looked at while something runs that can have changed them, and parsed when their text is another. */
export function createEnvironments(base: Variables): Environments {
  const read = new Map<string, { readonly texts: readonly FileText[]; readonly environment: Environment; seen: number }>();
  let running = 0;
  let changes = 0;

  function known(files: readonly string[]): Environment | undefined {
    const last = read.get(files.join('\0'));
    if (!last || (running === 0 && last.seen === changes)) return last?.environment;
    if (!last.texts.every((text, index) => text === textOfFile({ path: files[index] ?? '', required: false }))) return undefined;
    last.seen = changes;
    return last.environment;
  }

  return {
    known,
    async read(files, look) {
      const same = known(files);
      if (same) return same;
      const seen = changes;
      const sources = { base, look, files: files.map((path) => ({ path, required: false })) };
      const texts = sources.files.map(textOfFile);
      const { environment, isOfTexts } = await environmentOf(sources, texts);
      if (isOfTexts) read.set(files.join('\0'), { texts, environment, seen });
      return environment;
    },
    touch(change) {
      running += change;
      changes++;
    },
  };
}

type FileText = ReturnType<typeof textOfFile>;

async function environmentOf(
  sources: EnvironmentSources,
  texts: readonly FileText[],
): Promise<{ readonly environment: Environment; readonly isOfTexts: boolean }> {
  const fromFiles = new Map<string, { readonly value: string; readonly path: string }>();
  const files: string[] = [];
  const troubles: FileTrouble[] = [];
  let isOfTexts = true;
  const inBase = (name: string): boolean => sources.base[name] !== undefined;
  for (const [index, { path }] of sources.files.entries()) {
    const text = texts[index];
    if (text === undefined) continue;
    files.push(path);
    if (typeof text !== 'string') {
      troubles.push(text);
      continue;
    }
    const known = (name: string): string | undefined => sources.base[name] ?? fromFiles.get(name)?.value;
    const read = await variablesIn({ path, text }, known, sources);
    troubles.push(...read.troubles);
    if (read.wasAsked) isOfTexts = false;
    for (const [name, value] of read.variables) if (!inBase(name)) fromFiles.set(name, { value, path });
  }
  if (troubles.length > 0) throw errorOf(troubles);

  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(sources.base)) if (value !== undefined) variables[name] = value;
  for (const [name, { value }] of fromFiles) variables[name] = value;
  return {
    environment: { variables, files, originOf: (name) => (inBase(name) ? 'environment' : fromFiles.get(name)?.path) },
    isOfTexts,
  };
}

function errorOf(troubles: readonly FileTrouble[]): UserError {
  const [first] = troubles;
  const Kind = troubles.some((trouble) => trouble.isUsage) ? UsageError : RefusedError;
  const hint = troubles.find((trouble) => trouble.hint)?.hint;
  if (first && troubles.length === 1) return new Kind(first.code, first.text, { hint });
  return new Kind(first?.code ?? 'dotenv', 'files of variables could not be read', {
    facts: troubles.map((trouble) => trouble.text),
    hint,
  });
}

// ── What a task declares ─────────────────────────────────────────────────────────────────────────

export interface VariableProblem {
  /** Absent where a rule over several variables is broken. */
  readonly name: string | undefined;
  readonly text: string;
}
export type ParsedEnv =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly VariableProblem[] };

/** The variables that `fields` declares, typed. An empty one counts as absent. Secret values are never quoted. */
export function parseTaskEnv(fields: Fields | undefined, variables: Variables): ParsedEnv {
  const problems: VariableProblem[] = [];
  const given: Record<string, unknown> = {};
  for (const field of fieldsOf(fields)) {
    const text = variables[field.key];
    const decoded = text === undefined || text === '' ? { ok: true as const, value: undefined } : decodeVariable(field, text);
    if (!decoded.ok) {
      problems.push({
        name: field.key,
        text: `\`${field.key}\`: ${field.secret ? withoutValue(decoded.problem, text ?? '') : decoded.problem}`,
      });
    } else if (decoded.value !== undefined) {
      given[field.key] = fromJson(field.kind, decoded.value);
    } else if (field.required) {
      const about = field.description ? ` (${field.description})` : '';
      problems.push({ name: field.key, text: `\`${field.key}\` is ${text === '' ? 'empty' : 'not set'}${about}` });
    }
  }
  const plain = fields && problems.length === 0 && plainValue(fields, given);
  if (plain) return { ok: true, value: plain };
  const told = new Set(problems.map((problem) => problem.name));
  let parsed: ReturnType<ReturnType<typeof objectOf>['safeParse']>;
  try {
    parsed = objectOf(fields).safeParse(given, { error: inOurWords });
  } catch (error) {
    // zod throws when a schema would need to wait.
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
    return { ok: false, problems: [...problems, { name: undefined, text: `\`env\` cannot be checked: ${why}` }] };
  }
  if (parsed.success && problems.length === 0) return { ok: true, value: parsed.data };
  for (const issue of parsed.error?.issues ?? []) {
    const [key] = issue.path;
    const name = key === undefined ? undefined : String(key);
    if (name === undefined || !told.has(name)) problems.push({ name, text: textOf(name, issue.message, fields, variables) });
  }
  return { ok: false, problems };
}

function textOf(name: string | undefined, message: string, fields: Fields | undefined, variables: Variables): string {
  const secrets = secretTextsOf(fields, variables).map(({ text }) => text);
  const safe = secrets.reduce(withoutValue, message);
  if (name === undefined) return safe;
  const isSecret = fieldsOf(fields).some((field) => field.key === name && field.secret);
  const got = isSecret || variables[name] === undefined ? '' : `, got ${JSON.stringify(variables[name])}`;
  return `\`${name}\`: ${safe.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())}${got}`;
}

function withoutValue(text: string, value: string): string {
  return value === '' ? text : text.replaceAll(JSON.stringify(value), '***').replaceAll(value, '***');
}

/** The values of secret fields, to be masked wherever they turn up: those that the schema does not tell itself. */
export function secretValuesOf(fields: Fields | undefined, variables: Variables): string[] {
  return secretTextsOf(fields, variables).flatMap(({ field, text }) => (isTold(field, text) ? [] : [text]));
}

function secretTextsOf(fields: Fields | undefined, variables: Variables): { readonly field: Field; readonly text: string }[] {
  return fieldsOf(fields).flatMap((field) => {
    const text = variables[field.key] ?? '';
    return field.secret && text !== '' ? [{ field, text }] : [];
  });
}

// ── What a command sees ──────────────────────────────────────────────────────────────────────────

/** Variables that every command sees, whatever its task declares (R31). `*` stands for any text. */
export const BASE_VARIABLES: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_*',
  'TZ',
  'TERM',
  'COLORTERM',
  'NO_COLOR',
  'FORCE_COLOR',
  'COLUMNS',
  'TMPDIR',
  'TEMP',
  'TMP',
  'XDG_*',
  'SSH_AUTH_SOCK',
  'DOCKER_*',
  'VIRTUAL_ENV',
  '*_proxy',
  '*_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'CI',
  // Windows does not start programs without these.
  'SystemRoot',
  'ComSpec',
  'PATHEXT',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
];

/**
 * The variables a command gets, and the names held back from it.
 *
 * @param only  names and patterns besides {@link BASE_VARIABLES}; absent: all pass
 */
export function childEnvironment(
  variables: Readonly<Record<string, string>>,
  only: readonly string[] | undefined,
): { readonly variables: Readonly<Record<string, string>>; readonly heldBack: readonly string[] } {
  if (!only) return { variables, heldBack: [] };
  const pattern = new RegExp(`^(?:${[...BASE_VARIABLES, ...only].map(escapePattern).join('|')})$`);
  const passes = (name: string): boolean => pattern.test(name);
  return {
    variables: Object.fromEntries(Object.entries(variables).filter(([name]) => passes(name))),
    heldBack: Object.keys(variables).filter((name) => !passes(name)),
  };
}

function escapePattern(name: string): string {
  return name.replace(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`).replaceAll('*', '.*');
}
