import { readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { RequirementScope } from './task.ts';
import { findProgram } from './util/find-program.ts';

/**
 * Files of variables: `.env`, and `.envrc` where it is no more than a list of `export`s (R30).
 *
 * Nothing here runs shell code: `$(…)` in a file is text, and an `.envrc` that is code is left to
 * direnv, if the user allowed it there.
 */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Something wrong with a file of variables. */
export interface FileTrouble {
  readonly code: string;
  readonly text: string;
  readonly hint?: string | undefined;
  /** The text is wrong, rather than that it may not be read here and now. */
  readonly isUsage: boolean;
}

export interface FileOfVariables {
  readonly variables: ReadonlyMap<string, string>;
  readonly troubles: readonly FileTrouble[];
  /** A program was asked what it says: the same text may say something else the next time. */
  readonly wasAsked?: true;
}

/** Its text, without a byte order mark; `undefined` where there is no such file, and need not be. */
export function textOfFile({ path, required }: { readonly path: string; readonly required: boolean }): string | undefined | FileTrouble {
  try {
    // Most files of variables are not there, and to throw for that costs ten times the look.
    if (!required && !statSync(path, { throwIfNoEntry: false })) return undefined;
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (!required && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined;
    return { code: 'dotenv-unreadable', text: `\`${path}\` ${READ_TROUBLES[code] ?? `cannot be read (${code})`}`, isUsage: false };
  }
}

/**
 * @param known  the value of a variable that is there already, for expansion
 * @param base   the real environment, and `look` what runs direnv in it
 */
export async function variablesIn(
  { path, text }: { readonly path: string; readonly text: string },
  known: (name: string) => string | undefined,
  { base, look }: { readonly base: Variables; readonly look: RequirementScope['look'] },
): Promise<FileOfVariables> {
  const { parse } = (await import('dotenv')).default;
  if (!/(^|\.)envrc$/.test(basename(path))) return readDotenv(text, path, parse, known);
  return readPlainEnvrc(text, parse, base) ?? loadByDirenv(path, base, look);
}

const READ_TROUBLES: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder; expected a file of variables',
  EACCES: 'may not be read by you',
  EPERM: 'may not be read by you',
};

function failed(trouble: FileTrouble): FileOfVariables {
  return { variables: new Map(), troubles: [trouble] };
}

// ── .env ─────────────────────────────────────────────────────────────────────────────────────────

type ParseDotenv = (text: string) => Record<string, string>;

/** One assignment of a file, as dotenv understands it. */
interface Assignment {
  readonly name: string;
  readonly value: string;
  /** As written: single-quoted and backtick-quoted values are literal, others expanded. */
  readonly isLiteral: boolean;
}

/**
 * dotenv gives values but not how they were quoted, and passes over what it does not understand. So
 * the file is cut into assignments here, and each is handed to dotenv by itself.
 */
function readDotenv(text: string, path: string, parse: ParseDotenv, known: (name: string) => string | undefined): FileOfVariables {
  const variables = new Map<string, string>();
  const troubles: FileTrouble[] = [];
  for (const { statement, line } of statementsOf(text)) {
    const assignment = parseAssignment(statement, parse);
    if (typeof assignment === 'string') {
      troubles.push({ code: 'dotenv-line', text: `\`${path}:${line}\`: ${assignment}`, isUsage: true });
      continue;
    }
    const { name, value, isLiteral } = assignment;
    // The real environment first, then what the files said so far, this one included.
    variables.set(name, isLiteral ? value : expand(value, (other) => known(other) ?? variables.get(other)));
  }
  return { variables, troubles };
}

const ASSIGNMENT = /^\s*(?:export\s+)?([\w.-]+)(?:\s*=|:\s)[^\S\n]*/;
/** A quoted value with nothing but a comment behind it. It may go over several lines. */
const QUOTED = /(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)[^\S\n]*(?:#.*)?(?=\n|$)/y;

function* statementsOf(text: string): Generator<{ readonly statement: string; readonly line: number }> {
  const whole = text.replace(/\r\n?/g, '\n');
  let line = 1;
  for (let from = 0; from < whole.length;) {
    const lineEnd = endOfLine(whole, from);
    const head = whole.slice(from, lineEnd).match(ASSIGNMENT);
    QUOTED.lastIndex = from + (head?.[0].length ?? 0);
    const end = head && QUOTED.test(whole) ? QUOTED.lastIndex : lineEnd;
    const statement = whole.slice(from, end);
    if (!/^\s*(#|$)/.test(statement)) yield { statement, line };
    line += statement.split('\n').length;
    from = end + 1;
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

/** What is wrong with it, where it is no assignment. Its value is never quoted: it may be a secret. */
function parseAssignment(statement: string, parse: ParseDotenv): Assignment | string {
  const head = statement.match(ASSIGNMENT);
  const name = head?.[1];
  if (!head || !name) return 'expected `NAME=value`';
  if (statement.includes('\0')) return `\`${name}\` holds a null character`;
  const written = statement.slice(head[0].length);
  const quote = written[0];
  const isQuoted = quote === "'" || quote === '"' || quote === '`';
  if (isQuoted && !written.includes(quote, 1)) return `the quote of \`${name}\` is not closed`;
  const value = parse(statement)[name];
  if (value === undefined) return 'expected `NAME=value`';
  return { name, value, isLiteral: quote === "'" || quote === '`' };
}

/**
 * `$NAME`, `${NAME}`, `${NAME:-default}`; `\$` is a dollar. Never a command: `$(…)` stays as it is.
 *
 * What a variable holds is put in as it is, and not expanded again.
 */
export function expand(value: string, valueOf: (name: string) => string | undefined): string {
  let expanded = '';
  for (let at = 0; at < value.length;) {
    if (value.startsWith('\\$', at)) {
      expanded += '$';
      at += 2;
      continue;
    }
    const reference = value[at] === '$' ? readReference(value, at) : undefined;
    if (!reference) {
      expanded += value[at];
      at += 1;
      continue;
    }
    const found = valueOf(reference.name);
    // As in a shell, an empty one takes the default too.
    expanded += found || (reference.fallback === undefined ? '' : expand(reference.fallback, valueOf));
    at = reference.end;
  }
  return expanded;
}

interface Reference {
  readonly name: string;
  readonly fallback: string | undefined;
  /** Where the text goes on. */
  readonly end: number;
}

function readReference(value: string, at: number): Reference | undefined {
  const bare = value.slice(at).match(/^\$([A-Za-z_]\w*)/);
  if (bare?.[1]) return { name: bare[1], fallback: undefined, end: at + bare[0].length };
  const braced = value.slice(at).match(/^\$\{([A-Za-z_]\w*)(:-|\})/);
  if (!braced?.[1]) return undefined;
  const begin = at + braced[0].length;
  if (braced[2] === '}') return { name: braced[1], fallback: undefined, end: begin };
  let depth = 1;
  for (let end = begin; end < value.length; end += 1) {
    if (value.startsWith('${', end)) depth += 1;
    else if (value[end] === '}') depth -= 1;
    if (depth === 0) return { name: braced[1], fallback: value.slice(begin, end), end: end + 1 };
  }
  return undefined;
}

// ── .envrc ───────────────────────────────────────────────────────────────────────────────────────

/** Words that bash and dotenv read alike: bare, single-quoted, or double-quoted with nothing but variables to expand. */
const PLAIN_REFERENCE = String.raw`\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*(?::-[\w./:@%+-]*)?\}`;
const PLAIN_WORD = String.raw`'[^'\n]*(?<!\\)'|"(?:[^"\\$\x60\n]|${PLAIN_REFERENCE})*"|(?:[\p{L}\p{N}_./:@%+,=-]|${PLAIN_REFERENCE})*`;
const PLAIN_EXPORT = new RegExp(String.raw`^[ \t]*export[ \t]+([A-Za-z_]\w*)=(${PLAIN_WORD})(?:[ \t]+#.*|[ \t]*)$`, 'u');

/** Undefined where some line is more than `export NAME=` and one word: that is shell code. */
function readPlainEnvrc(text: string, parse: ParseDotenv, base: Variables): FileOfVariables | undefined {
  const variables = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const [, name, word] = line.match(PLAIN_EXPORT) ?? [];
    if (name === undefined || word === undefined || line.includes('\0')) return undefined;
    const asBash = /^['"]/.test(word) ? word.slice(1, -1) : word;
    if (parse(line)[name] !== asBash) return undefined;
    // As bash would: what this file set before goes over what was there.
    variables.set(name, word.startsWith("'") ? asBash : expand(asBash, (other) => variables.get(other) ?? base[other]));
  }
  return { variables, troubles: [] };
}

async function loadByDirenv(path: string, base: Variables, look: RequirementScope['look']): Promise<FileOfVariables> {
  const refuse = (text: string, hint: string): FileOfVariables => failed({ code: 'envrc', text, hint, isUsage: false });
  const makePlain = 'keep it to lines of `export NAME=value`';
  const folder = dirname(path);
  if (basename(path) !== '.envrc') return refuse(`\`${path}\` holds shell code, which is never run from here`, makePlain);
  if (!findProgram('direnv', base, folder)) {
    return refuse(
      `\`${path}\` holds shell code, and direnv, which could load it, was not found on PATH`,
      `Install direnv and run \`direnv allow\`, or ${makePlain}.`,
    );
  }
  const exported = await look(['direnv', 'export', 'json'], { cwd: folder });
  if (!exported.ok) {
    if (/is blocked/.test(exported.stderr))
      return refuse(`\`${path}\` is not allowed by direnv`, `Read it, then run \`direnv allow ${folder}\`.`);
    const said = exported.stderr.trim().split('\n').at(-1);
    return refuse(`direnv could not load \`${path}\`${said ? `: ${said}` : ''}`, `Run \`direnv export json\` in ${folder} to see why.`);
  }
  const variables = variablesOfDirenv(exported.stdout);
  return variables
    ? { variables, troubles: [], wasAsked: true }
    : refuse(`direnv gave no JSON for \`${path}\``, `Run \`direnv export json\` in ${folder} to see why.`);
}

/** What direnv would change. Nothing at all where the user's shell has loaded the file already. */
function variablesOfDirenv(json: string): Map<string, string> | undefined {
  let changes: unknown;
  try {
    changes = json.trim() === '' ? {} : JSON.parse(json);
  } catch {
    return undefined;
  }
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(changes as Record<string, unknown>)) {
    if (typeof value === 'string' && !name.startsWith('DIRENV_')) variables.set(name, value);
  }
  return variables;
}
