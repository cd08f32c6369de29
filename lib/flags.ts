import type { Json, JsonObject } from './event.ts';
import type { Field, FieldKind, ScalarKind } from './schema.ts';
import { hasNegation, longFlagOf, negatedFlagOf } from './schema.ts';
import { nearest } from './util/nearest.ts';
import { stableText } from './util/stable-text.ts';

/** Fields ↔ the words of a command line and the texts of variables (R7, R8, R11). */
export interface Spellings {
  /** `--no-cache` */
  readonly long: string;
  /** `--no-no-cache`, for what can be said no to. */
  readonly negated: string | undefined;
  /** `-n` */
  readonly short: string | undefined;
}

export function spellingsOf(field: Field): Spellings {
  const known = spelled.get(field);
  if (known) return known;
  const spellings: Spellings = {
    long: longFlagOf(field),
    negated: hasNegation(field) ? negatedFlagOf(field) : undefined,
    short: field.short === undefined ? undefined : `-${field.short}`,
  };
  spelled.set(field, spellings);
  return spellings;
}
/** A plan of many steps says each flag many times. */
const spelled = new WeakMap<Field, Spellings>();

/** `auto`: every flag gets a letter, as Invoke has it (R8). */
export type ShortFlags = 'auto';

/**
 * The fields with the letters that a config gives them: the first letter of a name that no field before it took, and
 * that is no field's whole name.
 */
export function lettered(fields: readonly Field[], shortFlags: ShortFlags | undefined): readonly Field[] {
  if (shortFlags === undefined) return fields;
  const taken = new Set([
    'h',
    ...fields.flatMap(({ key, short }) => [...(short === undefined ? [] : [short]), ...(key.length === 1 ? [key] : [])]),
  ]);
  return fields.map((field) => {
    const letters = field.short === undefined ? longFlagOf(field).replaceAll('-', '') : '';
    const letter = [...letters].find((candidate) => !taken.has(candidate));
    if (letter === undefined) return field;
    taken.add(letter);
    return { ...field, short: letter };
  });
}

/** Whether it holds one value that a bare word can give. */
export const isScalar = ({ kind }: Field): boolean => !takesNoWord(kind) && kind.type !== 'array' && kind.type !== 'key-value';

/** Whether a flag stands alone: its value comes only after `=` or attached. */
export function takesNoWord(kind: FieldKind): boolean {
  return kind.type === 'boolean' || kind.type === 'count' || kind.type === 'boolean-or-string';
}

// ── Texts to values ──────────────────────────────────────────────────────────────────────────────

export type Decoded = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly problem: string };

/** The text of one flag. For an array: one item of it; for key-value: one pair, as a record. */
export function decodeText(field: Field, text: string): Decoded {
  const { kind } = field;
  switch (kind.type) {
    case 'array':
      return decodeScalar(kind.item, text);
    case 'count':
      return decodeScalar({ type: 'int' }, text);
    case 'boolean-or-string':
      return fine(text === 'true' ? true : text === 'false' ? false : text);
    case 'key-value': {
      const at = text.indexOf('=');
      return at > 0 ? fine({ [text.slice(0, at)]: text.slice(at + 1) }) : wrong(`expected NAME=value, got ${shown(field, text)}`);
    }
    default:
      return hideSecret(field, decodeScalar(kind, text));
  }
}

/** The whole text of a variable; `undefined` when it is empty, which counts as absent. */
export function decodeVariable(
  field: Field,
  text: string,
): { readonly ok: true; readonly value: Json | undefined } | { readonly ok: false; readonly problem: string } {
  if (text === '') return { ok: true, value: undefined };
  const { kind } = field;
  if (kind.type === 'boolean' || kind.type === 'boolean-or-string') {
    const word = wordAsBoolean(text);
    if (word !== undefined) return fine(word);
    return kind.type === 'boolean' ? wrong(`expected true, false, yes, no, 1 or 0, got ${shown(field, text)}`) : fine(text);
  }
  if (kind.type === 'array') return decodeList(field, kind.item, text);
  if (kind.type === 'key-value') return decodePairs(field, text);
  return decodeText(field, text);
}

function decodeList(field: Field, item: ScalarKind, text: string): Decoded {
  if (text.trimStart().startsWith('[')) {
    const parsed = parseJson(text);
    return Array.isArray(parsed) ? fine(parsed as Json[]) : wrong('expected a JSON array, or values with commas between them');
  }
  const values: Json[] = [];
  for (const part of text.split(',')) {
    const decoded = hideSecret(field, decodeScalar(item, part.trim()));
    if (!decoded.ok) return decoded;
    values.push(decoded.value);
  }
  return fine(values);
}

function decodePairs(field: Field, text: string): Decoded {
  if (text.trimStart().startsWith('{')) {
    const parsed = parseJson(text);
    return typeof parsed === 'object' && parsed !== null
      ? fine(parsed)
      : wrong('expected a JSON object, or NAME=value pairs with commas between them');
  }
  let record: JsonObject = {};
  for (const part of text.split(',')) {
    const decoded = decodeText(field, part.trim());
    if (!decoded.ok) return decoded;
    record = { ...record, ...(decoded.value as JsonObject) };
  }
  return fine(record);
}

function decodeScalar(kind: ScalarKind, text: string): Decoded {
  switch (kind.type) {
    case 'string':
      return fine(text);
    case 'path':
      return text === '' ? wrong('expected a path, got an empty text') : fine(text);
    case 'int': {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text)) return wrong(`expected a whole number, got ${JSON.stringify(text)}`);
      return Number.isSafeInteger(value) ? fine(value) : wrong(`expected a whole number below 2^53, got ${text}`);
    }
    case 'number': {
      const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
      return isNumber ? fine(Number(text)) : wrong(`expected a number, got ${JSON.stringify(text)}`);
    }
    case 'boolean':
      return text === 'true' || text === 'false' ? fine(text === 'true') : wrong(`expected true or false, got ${JSON.stringify(text)}`);
    case 'date': {
      const date = /^(\d{4}|[+-]\d{6})-\d\d-\d\d([T ]|$)/.test(text) ? new Date(text) : new Date(Number.NaN);
      return Number.isNaN(date.getTime())
        ? wrong(`expected a date such as 2026-11-24 or 2026-11-24T08:00:00Z, got ${JSON.stringify(text)}`)
        : fine(date.toISOString());
    }
    case 'url':
      return URL.canParse(text) ? fine(text) : wrong(`expected a URL such as https://example.org/, got ${JSON.stringify(text)}`);
    case 'enum':
      return decodeEnum(kind.values, text);
    case 'json': {
      const value = parseJson(text);
      return value === undefined ? wrong(`expected JSON, got ${JSON.stringify(text)}`) : fine(value);
    }
    default:
      return kind satisfies never;
  }
}

function decodeEnum(values: readonly (string | number)[], text: string): Decoded {
  const value = values.find((candidate) => String(candidate) === text);
  if (value !== undefined) return fine(value);
  const near = nearest(
    text,
    values.filter((candidate) => typeof candidate === 'string'),
  );
  return wrong(
    `expected ${oneOf(values)}, got ${JSON.stringify(text)}${near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`}`,
  );
}

/** `"a" or "b"`, `"a", "b" or "c"`. */
export function oneOf(values: readonly (string | number)[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

function wordAsBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (['true', 'yes', '1'].includes(word)) return true;
  return ['false', 'no', '0'].includes(word) ? false : undefined;
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

const fine = (value: Json): Extract<Decoded, { ok: true }> => ({ ok: true, value });
const wrong = (problem: string): Extract<Decoded, { ok: false }> => ({ ok: false, problem });
const shown = (field: Field, text: string): string => (field.secret ? 'something else' : JSON.stringify(text));
const hideSecret = (field: Field, decoded: Decoded): Decoded =>
  decoded.ok || !field.secret ? decoded : wrong(decoded.problem.replace(/, got .*$/s, ', got something else'));

// ── Values to words ──────────────────────────────────────────────────────────────────────────────

/** Words that parse back to the same input. What equals its default is left out. */
export function renderArgv(fields: readonly Field[], input: JsonObject): string[] {
  return fields.flatMap((field) => {
    const value = input[field.key];
    return value === undefined || isDefault(field, value) ? [] : wordsOf(field, value);
  });
}

/** Whether it is what a command line gives without a word of it. */
export function isDefault(field: Field, value: Json): boolean {
  const fallback = field.default ?? (field.kind.type === 'boolean' && field.required ? false : undefined);
  if (fallback === undefined || typeof value !== typeof fallback) return false;
  return value === fallback || (typeof value === 'object' && stableText(value) === stableText(fallback));
}

function wordsOf(field: Field, value: Json): string[] {
  const { long, negated } = spellingsOf(field);
  switch (field.kind.type) {
    case 'boolean':
      return [value === true ? long : (negated ?? long)];
    case 'boolean-or-string':
      // The words true and false after `=` would come back as booleans; they cannot be texts.
      return value === true ? [long] : value === false ? [negated ?? long] : [`${long}=${String(value)}`];
    case 'count':
      return [`${long}=${String(value)}`];
    case 'array': {
      const { item } = field.kind;
      if (!Array.isArray(value)) return [];
      return value.length === 0 && negated !== undefined ? [negated] : value.flatMap((one: Json) => flagWith(long, textOf(item, one)));
    }
    case 'key-value':
      if (Object.keys(value as JsonObject).length === 0 && negated !== undefined) return [negated];
      return Object.entries(value as JsonObject).flatMap(([key, text]) => flagWith(long, `${key}=${String(text)}`));
    default:
      return flagWith(long, textOf(field.kind, value));
  }
}

/** `--flag value` reads better; `--flag=value` where the value could be taken for something else. */
const flagWith = (long: string, text: string): string[] => (text === '' || text.startsWith('-') ? [`${long}=${text}`] : [long, text]);

const textOf = (kind: ScalarKind, value: Json): string => (kind.type === 'json' ? JSON.stringify(value) : String(value));

/** Words as one line that a POSIX shell reads back as the same words. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}
