import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { Json, JsonObject } from './event.ts';
import { decodeVariable, oneOf, spellingsOf } from './flags.ts';
import type { Field, FieldKind } from './schema.ts';
import { fieldsOf, fromJson, objectOf, plainValue, toJson } from './schema.ts';
import type { Fields } from './task.ts';
import { inOurWords } from './util/issue-words.ts';
import { nearest } from './util/nearest.ts';

/** From what was given to a task's input (R11, R13): variables, defaults, checks. Pure. */
export interface InputRequest {
  readonly fields: Fields | undefined;
  /** As JSON. */
  readonly given: JsonObject;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `defaults` of the config for this task, as JSON. */
  readonly defaults: JsonObject | undefined;
  readonly root: string;
  /** On a command line a boolean without default is false; in code it is required (R7). */
  readonly from: 'command-line' | 'code';
}

export type InputSource = 'given' | 'env' | 'config' | 'default' | 'absent';

export type ResolvedInput =
  | {
      readonly ok: true;
      /** Defaults filled in, before transforms; paths below the root relative to it. */
      readonly json: JsonObject;
      /** As the body sees it: after defaults and transforms, paths absolute. */
      readonly value: unknown;
      readonly sources: Readonly<Record<string, InputSource>>;
    }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

export interface InputProblem {
  /** The field at fault, where it is one. */
  readonly key: string | undefined;
  /** `--database: expected "neo4j" or "memgraph", got "mysql"` */
  readonly text: string;
  /** Nothing was given where something must be. */
  readonly isMissing: boolean;
}

export function resolveInput(request: InputRequest): ResolvedInput {
  const fields = fieldsOf(request.fields);
  const problems: InputProblem[] = [
    ...unknownKeys(fields, request.given, ''),
    ...unknownKeys(fields, request.defaults ?? {}, '`defaults` of the config: '),
  ];
  const json: Record<string, Json> = {};
  const value: Record<string, unknown> = {};
  const sources: Record<string, InputSource> = {};
  for (const field of fields) {
    const found = valueOf(field, request);
    if ('problem' in found) {
      problems.push({ key: field.key, text: found.problem, isMissing: false });
      continue;
    }
    sources[field.key] = found.source;
    if (found.value === undefined) continue;
    json[field.key] = mapPaths(field.kind, found.value, (path) => nearRoot(path, request.root));
    // A default is the schema's own to apply: behind a transform it is no input. A path's needs the root.
    if (found.source === 'default' && !holdsPaths(field.kind)) continue;
    value[field.key] = fromJson(
      field.kind,
      mapPaths(field.kind, found.value, (path) => resolve(request.root, path)),
    );
  }
  // One report: what the schema finds is told beside what could not even be read.
  const parsed = parse(request.fields, value);
  if (parsed.ok && problems.length === 0) return { ok: true, json, value: parsed.value, sources };
  const told = new Set(problems.map((problem) => problem.key));
  const issues = parsed.ok ? [] : parsed.issues.filter((issue) => issue.key === undefined || !told.has(issue.key));
  return { ok: false, problems: [...problems, ...issues.map((issue) => problemOf(fields, issue, value, sources))] };
}

/** What code gave, as JSON. */
export function jsonOfGiven(fields: Fields | undefined, given: Readonly<Record<string, unknown>>): JsonObject {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const kindOf = (key: string): FieldKind => fieldsOf(fields).find((field) => field.key === key)?.kind ?? { type: 'json' };
  return Object.fromEntries(entries.map(([key, value]) => [key, toJson(kindOf(key), value)]));
}

// ── Where a value comes from ─────────────────────────────────────────────────────────────────────

function valueOf(
  field: Field,
  request: InputRequest,
): { readonly value: Json | undefined; readonly source: InputSource } | { readonly problem: string } {
  const given = request.given[field.key];
  if (given !== undefined) return { value: given, source: 'given' };
  if (field.env !== undefined) {
    const decoded = decodeVariable(field, request.env[field.env] ?? '');
    if (!decoded.ok) return { problem: `${field.env} (for ${spellingsOf(field).long}): ${decoded.problem}` };
    if (decoded.value !== undefined) return { value: decoded.value, source: 'env' };
  }
  const configured = request.defaults?.[field.key];
  if (configured !== undefined) return { value: configured, source: 'config' };
  if (field.default !== undefined) return { value: field.default, source: 'default' };
  if (field.kind.type === 'boolean' && field.required && request.from === 'command-line') return { value: false, source: 'given' };
  return { value: undefined, source: 'absent' };
}

function unknownKeys(fields: readonly Field[], given: JsonObject, where: string): InputProblem[] {
  return Object.keys(given)
    .filter((key) => !fields.some((field) => field.key === key))
    .map((key) => {
      const near = nearest(
        key,
        fields.map((field) => field.key),
      );
      return {
        key,
        text: `${where}there is no input \`${key}\`${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
        isMissing: false,
      };
    });
}

// ── Paths ────────────────────────────────────────────────────────────────────────────────────────

const holdsPaths = (kind: FieldKind): boolean => kind.type === 'path' || (kind.type === 'array' && kind.item.type === 'path');

function mapPaths(kind: FieldKind, value: Json, change: (path: string) => string): Json {
  if (!holdsPaths(kind)) return value;
  if (typeof value === 'string') return change(value);
  return Array.isArray(value) ? value.map((item: Json) => (typeof item === 'string' ? change(item) : item)) : value;
}

/** Relative to the root where it lies below it, with slashes, so that two machines agree. */
function nearRoot(path: string, root: string): string {
  const near = relative(root, resolve(root, path));
  if (near === '') return '.';
  return near === '..' || near.startsWith(`..${sep}`) || isAbsolute(near) ? resolve(root, path) : near.split(sep).join('/');
}

// ── Checks ───────────────────────────────────────────────────────────────────────────────────────

interface Issue {
  readonly key: string | undefined;
  readonly code: string | undefined;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly values?: readonly (string | number)[] | undefined;
}

export function parse(
  fields: Fields | undefined,
  value: Record<string, unknown>,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: readonly Issue[] } {
  // Most tasks take nothing: no schema is made to find that out.
  if (fields === undefined && Object.keys(value).length === 0) return { ok: true, value: {} };
  const plain = fields && plainValue(fields, value);
  if (plain) return { ok: true, value: plain };
  try {
    const parsed = objectOf(fields).safeParse(value, { error: inOurWords });
    if (parsed.success) return { ok: true, value: parsed.data };
    return {
      ok: false,
      issues: parsed.error.issues.map((issue) => ({
        key: typeof issue.path[0] === 'string' ? issue.path[0] : undefined,
        code: issue.code,
        message: issue.message,
        path: issue.path,
        values: issue.code === 'invalid_value' ? (issue.values as (string | number)[]) : undefined,
      })),
    };
  } catch (error) {
    const isAsync = error instanceof Error && /async/i.test(`${error.name} ${error.message}`);
    const message = isAsync
      ? 'its schema has an asynchronous check: input is parsed synchronously; use `requires` or `confirm` for what has to look first'
      : `its schema threw: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, issues: [{ key: undefined, code: undefined, message, path: [] }] };
  }
}

function problemOf(
  fields: readonly Field[],
  issue: Issue,
  value: Readonly<Record<string, unknown>>,
  sources: Readonly<Record<string, InputSource>>,
): InputProblem {
  const field = fields.find((candidate) => candidate.key === issue.key);
  if (!field) return { key: issue.key, text: issue.message, isMissing: false };
  const long = `${spellingsOf(field).long}${sources[field.key] === 'env' ? ` (from ${field.env})` : ''}`;
  const got = value[field.key];
  if (got === undefined) return { key: field.key, text: `${long} is required${kindInWords(field.kind)}`, isMissing: true };
  const inner = issue.path.length > 1 ? ` (at ${issue.path.slice(1).map(String).join('.')})` : '';
  const expected = issue.values
    ? `expected ${oneOf(issue.values)}`
    : lowerFirst(issue.message.replace(/^Invalid (input|option): /, '').replace(/, received .*$/, ''));
  return { key: field.key, text: `${long}${inner}: ${expected}${field.secret ? '' : `, got ${textOf(got)}`}`, isMissing: false };
}

function kindInWords(kind: FieldKind): string {
  if (kind.type === 'string') return '';
  if (kind.type !== 'array') return `: ${kind.type === 'enum' ? oneOf(kind.values) : WORDS[kind.type][0]}`;
  return `: one or more ${kind.item.type === 'enum' ? `of ${oneOf(kind.item.values)}` : WORDS[kind.item.type][1]}`;
}

/** What one of a kind is called, and several. */
const WORDS: { readonly [K in Exclude<FieldKind['type'], 'enum' | 'array'>]: readonly [one: string, several: string] } = {
  string: ['a text', 'texts'],
  int: ['a whole number', 'whole numbers'],
  number: ['a number', 'numbers'],
  boolean: ['true or false', 'of true or false'],
  date: ['a date', 'dates'],
  url: ['a URL', 'URLs'],
  path: ['a path', 'paths'],
  json: ['JSON', 'JSON values'],
  count: ['a whole number', 'whole numbers'],
  'key-value': ['NAME=value', 'of NAME=value'],
  'boolean-or-string': ['true, false or a text', 'texts'],
};

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1);
