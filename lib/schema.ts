import type { z } from 'zod';
import type { Json } from './event.ts';
import type { Fields } from './task.ts';
import { kebab } from './util/kebab.ts';
import { once } from './util/once.ts';
import { zod } from './zod.ts';
import { namesInWords } from './util/describe.ts';

/**
 * What a schema says about each of its fields (R7). The only file that looks inside a zod schema.
 *
 * It looks at `_zod.def`, never with `instanceof`: a schema may come from another copy of zod.
 *
 * @internal
 */
export interface Field {
  readonly key: string;
  readonly kind: FieldKind;
  /** In code: neither optional nor with a default. A boolean without default is false on a command line. */
  readonly required: boolean;
  readonly default: Json | undefined;
  readonly description: string | undefined;
  /** One letter. */
  readonly short: string | undefined;
  readonly positional: boolean;
  readonly variadic: boolean;
  /** A variable that stands in when the flag is absent. */
  readonly env: string | undefined;
  readonly secret: boolean;
  /** Values that everybody may know: `meta.examples`. */
  readonly examples: readonly unknown[];
  readonly hidden: boolean;
  readonly complete: ((typed: string) => readonly string[] | Promise<readonly string[]>) | undefined;
  /** A value of the right type is all that the schema asks for, and is handed on as it is: one may be had without the schema. */
  readonly isPlain: boolean;
}

/** A field of which nothing is said but its name and kind. @internal */
export const BARE_FIELD: Omit<Field, 'key' | 'kind'> = {
  required: false,
  default: undefined,
  description: undefined,
  short: undefined,
  positional: false,
  variadic: false,
  env: undefined,
  secret: false,
  examples: [],
  hidden: false,
  complete: undefined,
  isPlain: false,
};

/** @internal */
export type ScalarKind =
  | { readonly type: 'string' | 'number' | 'int' | 'boolean' | 'date' | 'url' | 'path' | 'json' }
  | { readonly type: 'enum'; readonly values: readonly (string | number)[] };

/** @internal */
export type FieldKind =
  | ScalarKind
  | { readonly type: 'count' }
  | { readonly type: 'key-value' }
  /** A flag whose value may be left out: `--color`, `--color=always`. */
  | { readonly type: 'boolean-or-string' }
  | { readonly type: 'array'; readonly item: ScalarKind };

// ── Builders for what zod has no word for ────────────────────────────────────────────────────────

/** A path. Typed on a command line it is resolved against the folder the user stands in; in code and in defaults against the root. Absolute in the body. */
export function path(): z.ZodString {
  return zod().string().min(1).meta({ taskwright: 'path' });
}

/** Any JSON value, as JSON text on a command line; checked by `schema`. */
export function json<S extends z.ZodType = z.ZodJSONSchema>(schema?: S): S {
  // Without an argument S is its default, which only the compiler cannot see.
  return (schema ?? zod().json()).meta({ taskwright: 'json' }) as S;
}

/** `--define A=1 --define B=2`, gathered into a record. */
export function keyValue(): z.ZodRecord<z.ZodString, z.ZodString> {
  const name = zod()
    .string()
    .regex(/^[^=]+$/, 'a name, without `=`');
  return zod().record(name, zod().string()).meta({ taskwright: 'key-value' });
}

/** How often a flag was given: `-vvv` is 3. */
export function count(): z.ZodDefault<z.ZodNumber> {
  return zod().number().int().nonnegative().default(0).meta({ taskwright: 'count' });
}

// ── Fields ───────────────────────────────────────────────────────────────────────────────────────

/** The part of zod's internals that is read here. */
interface Def {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly out?: Schema;
  readonly element?: Schema;
  readonly options?: readonly Schema[];
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly defaultValue?: unknown;
  readonly coerce?: boolean;
  readonly checks?: readonly unknown[];
  readonly format?: string;
  readonly getter?: () => Schema;
}
interface Schema {
  readonly _zod: { readonly def: Def; readonly optin?: string; readonly bag?: { readonly format?: string } };
}

interface Looked {
  readonly fields: readonly Field[];
  readonly problems: readonly string[];
}
const objects = new WeakMap<object, z.ZodObject>();
const known = new WeakMap<object, Looked>();
const NO_FIELDS = {};

// ── Schemas that are not built yet ───────────────────────────────────────────────────────────────

const makers = new WeakMap<object, () => object>();

/** Where something that can be built later stands, in words that differ from place to place. */
const places = new WeakMap<object, string>();

/** Stands for what `make` gives until something has to look at it. @internal */
export function later(make: () => object, place: string): object {
  const standIn = {};
  makers.set(standIn, once(make));
  places.set(standIn, place);
  return standIn;
}

/** What was built at once at that place. @internal */
export function builtAt(value: object, place: string): void {
  places.set(value, place);
}

/** @internal */
export const placeIn = (fields: Fields | undefined): string | undefined => fields && places.get(fields);

/** The schema, or shape, itself. @internal */
export function built<T extends object>(value: T): T {
  // What stands for a thing stands where that thing may stand.
  return (makers.get(value)?.() as T | undefined) ?? value;
}

function unlessDamaged<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

/**
 * What an earlier process found in a shape that is not built: for `fieldsOf`, it need not be.
 *
 * @param find  a shape of {@link shapeOfFields}; it counts where it was found at the same place: a config that looks at
 *              variables may declare another task under that name
 *
 * @internal
 */
export function keepFields(fields: Fields | undefined, find: () => Fields | undefined): void {
  if (fields === undefined || !makers.has(fields)) return;
  const found = once((): Looked => {
    const kept = unlessDamaged(() => {
      const shape = find();
      const found = fieldsOf(shape);
      // A function is not kept.
      return placeIn(shape) !== placeIn(fields) || found.some((field) => field.complete) ? undefined : found;
    });
    return kept ? { fields: kept, problems: [] } : lookAt(built(fields));
  });
  known.set(fields, {
    get fields() {
      return found().fields;
    },
    problems: [],
  });
}

/** `input` or `env` as one schema. A plain shape refuses keys that it does not name. @internal */
export function objectOf(fields: Fields | undefined): z.ZodObject {
  const of = built(fields ?? NO_FIELDS);
  const made = objects.get(of) ?? (isSchema(of) ? (of as z.ZodObject) : zod().strictObject(of));
  objects.set(of, made);
  return made;
}

/** In the order declared. Fields that are not supported are left out; see {@link problemsOf}. @internal */
export function fieldsOf(fields: Fields | undefined): readonly Field[] {
  return lookAt(fields).fields;
}

/** An object of which nothing but a rule can be left. */
export const isOfNoFields = (fields: Fields | undefined): boolean => fields !== undefined && fieldsOf(fields).length === 0;

/** Fields that were read in another process, as if a shape said them. */
export function shapeOfFields(read: () => { readonly fields: readonly Field[]; readonly place: string | undefined }): Fields {
  const shape = {};
  const problems: readonly string[] = [];
  known.set(shape, {
    get fields() {
      const { fields, place } = read();
      if (place !== undefined) places.set(shape, place);
      return fields;
    },
    problems,
  });
  return shape;
}

/** What is wrong with `fields` as input, a line each: what, and what to use instead. */
export function problemsOf(fields: Fields | undefined): string[] {
  const { fields: found, problems } = lookAt(fields);
  return [...problems, ...clashesOf(found)];
}

function lookAt(fields: Fields | undefined): Looked {
  const asked = fields ?? NO_FIELDS;
  const of = known.has(asked) ? asked : built(asked);
  const before = known.get(of);
  if (before) return before;
  const found: Field[] = [];
  const problems: string[] = [];
  for (const [key, schema] of Object.entries(shapeOf(of))) {
    const field = fieldOf(key, schema, (problem) => problems.push(`\`${key}\`: ${problem}`));
    // A schema of the whole may look at any of them.
    if (field) found.push(isSchema(of) ? { ...field, isPlain: false } : field);
  }
  const result = { fields: found, problems };
  known.set(of, result);
  return result;
}

function shapeOf(fields: Fields): Readonly<Record<string, Schema>> {
  return (isSchema(fields) ? (fields._zod.def.shape ?? {}) : fields) as Readonly<Record<string, Schema>>;
}

function isSchema(value: object): value is Schema {
  return '_zod' in value && typeof value._zod === 'object';
}

interface Unwrapped {
  readonly schema: Schema;
  readonly meta: z.GlobalMeta;
  readonly default: unknown;
}

/** Through optional, default, pipe and the like to the schema that says what a value is. Outer meta wins. */
function unwrap(outer: Schema): Unwrapped {
  let schema = outer;
  let meta: z.GlobalMeta = {};
  let fallback: unknown;
  let isGivenAtTheEnd = false;
  for (;;) {
    // zod's registry types functions of a meta through its own placeholder.
    meta = { ...(zod().globalRegistry.get(schema as unknown as z.ZodType) as z.GlobalMeta | undefined), ...meta };
    const { def } = schema._zod;
    if ((def.type === 'default' || def.type === 'prefault') && fallback === undefined) {
      fallback = def.defaultValue;
      isGivenAtTheEnd = def.type === 'default';
    }
    // Such a default is what comes out behind the pipe, not what goes in.
    if (def.type === 'pipe' && isGivenAtTheEnd) fallback = undefined;
    const inner = innerOf(def);
    if (!inner || meta.taskwright === 'json') return { schema, meta, default: fallback };
    schema = inner;
  }
}

function innerOf(def: Def): Schema | undefined {
  switch (def.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return def.innerType;
    case 'pipe':
      // `preprocess` is a transform in front: what it accepts is what stands behind it.
      return def.in?._zod.def.type === 'transform' ? def.out : def.in;
    case 'lazy':
      return def.getter?.();
    default:
      return undefined;
  }
}

function fieldOf(key: string, outer: Schema, complain: (problem: string) => void): Field | undefined {
  const { schema, meta, default: fallback } = unwrap(outer);
  const kind = kindOf(schema, meta, complain);
  if (!kind) return undefined;
  if (meta.short !== undefined && !/^[A-Za-z0-9]$/.test(meta.short))
    complain(`\`short\` is one letter or digit, not ${JSON.stringify(meta.short)}`);
  if (meta.variadic && kind.type !== 'array') complain('`variadic` is for arrays');
  const ownLetter = /^[A-Za-gi-z]$/.test(key) ? key : undefined;
  return {
    key,
    kind,
    required: outer._zod.optin === undefined,
    default: fallback === undefined ? undefined : toJson(kind, fallback),
    description: meta.description,
    // A name of one letter is that letter, too.
    short: meta.short ?? ownLetter,
    positional: meta.positional === true,
    variadic: meta.variadic === true,
    env: meta.env,
    secret: meta.secret === true,
    examples: examplesOf(meta),
    hidden: meta.hidden === true,
    complete: meta.complete,
    isPlain: isPlain(outer),
  };
}

/** Of a plain type, at most optional or with a default. */
function isPlain(schema: Schema): boolean {
  const { type, innerType, coerce, checks, format } = schema._zod.def;
  if ((checks?.length ?? 0) > 0 || coerce) return false;
  // What JSON does not keep as it is would be another value.
  if (type === 'default' && !isSameInJson(schema._zod.def.defaultValue)) return false;
  if (type === 'default' || type === 'optional') return innerType !== undefined && isPlain(innerType);
  return (
    type === 'boolean' || type === 'enum' || (type === 'string' && !format) || (type === 'number' && (!format || format === 'safeint'))
  );
}

const isSameInJson = (value: unknown): boolean => Object.is(JSON.parse(JSON.stringify(value) ?? 'null'), value);

/** The value that a schema which is not built would give for `value`, where that is certain without it. @internal */
export function plainValue(of: Fields, value: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  return makers.has(of) ? plainValueOf(fieldsOf(of), value) : undefined;
}

/** @internal */
export function plainValueOf(fields: readonly Field[], value: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  // Where there is none, the rule of a whole could not be told from none at all.
  if (fields.length === 0) return undefined;
  const parsed: Record<string, unknown> = {};
  let known = 0;
  for (const field of fields) {
    if (!field.isPlain) return undefined;
    const given = value[field.key];
    if (Object.hasOwn(value, field.key)) known++;
    if (given !== undefined) {
      if (!isOfKind(field.kind, given)) return undefined;
      parsed[field.key] = given;
    } else if (field.default !== undefined) parsed[field.key] = field.default;
    else if (field.required || Object.hasOwn(value, field.key)) return undefined;
  }
  return known === Object.keys(value).length ? parsed : undefined;
}

function isOfKind(kind: FieldKind, value: unknown): boolean {
  switch (kind.type) {
    case 'string':
    case 'boolean':
      return typeof value === kind.type;
    case 'number':
      return Number.isFinite(value);
    case 'int':
      return Number.isSafeInteger(value);
    case 'enum':
      return kind.values.some((one) => one === value);
    default:
      return false;
  }
}

function kindOf(schema: Schema, meta: z.GlobalMeta, complain: (problem: string) => void): FieldKind | undefined {
  if (meta.taskwright === 'count' || meta.taskwright === 'key-value') return { type: meta.taskwright };
  if (schema._zod.def.type === 'array' && meta.taskwright !== 'json') {
    const { schema: element, meta: elementMeta } = unwrap(schema._zod.def.element ?? schema);
    const item = scalarOf(element, elementMeta, complain);
    return item && { type: 'array', item };
  }
  if (isBooleanOrString(schema._zod.def)) return { type: 'boolean-or-string' };
  return scalarOf(schema, meta, complain);
}

function isBooleanOrString(def: Def): boolean {
  const types = def.type === 'union' ? (def.options ?? []).map((option) => unwrap(option).schema._zod.def.type) : [];
  return types.length === 2 && types.includes('boolean') && types.includes('string');
}

function scalarOf(schema: Schema, meta: z.GlobalMeta, complain: (problem: string) => void): ScalarKind | undefined {
  const { def, bag } = schema._zod;
  if (meta.taskwright === 'json' || meta.taskwright === 'path') return { type: meta.taskwright };
  switch (def.type) {
    case 'string':
      return { type: (def.format ?? bag?.format) === 'url' ? 'url' : 'string' };
    case 'number':
      return { type: /int/.test(def.format ?? bag?.format ?? '') ? 'int' : 'number' };
    case 'int':
      return { type: 'int' };
    case 'boolean':
      if (!def.coerce) return { type: 'boolean' };
      complain('`z.coerce.boolean()` takes every text for true, "false" included; use `z.boolean()`');
      return undefined;
    case 'date':
      return { type: 'date' };
    case 'enum':
      return { type: 'enum', values: enumValues(def.entries ?? {}) };
    case 'literal':
      return literalsOf([def], complain);
    case 'union': {
      const options = (def.options ?? []).map((option) => unwrap(option).schema._zod.def);
      if (options.length > 0 && options.every((option) => option.type === 'literal')) return literalsOf(options, complain);
      complain('a union has no flag, unless of a boolean and a string, or of literals; use `z.enum([…])` or `json(schema)`');
      return undefined;
    }
    case 'object':
    case 'record':
    case 'map':
      complain('an object has no flag; use flat fields, `keyValue()`, or `json(schema)`');
      return undefined;
    case 'nullable':
      complain('null cannot be typed on a command line; use `.optional()`');
      return undefined;
    case 'array':
    case 'tuple':
    case 'set':
      complain('a list in a list, a tuple and a set have no flag; use `z.array(…)` of single values, or `json(schema)`');
      return undefined;
    case 'bigint':
      complain('a bigint is no JSON; use `z.int()`, or `z.string()` with a transform');
      return undefined;
    default:
      complain(`\`${def.type}\` has no flag; use a string with a transform, or \`json(schema)\``);
      return undefined;
  }
}

/** A TypeScript enum with numbers has its names among the values of the object; they are no values of the enum. */
function enumValues(entries: Readonly<Record<string, string | number>>): (string | number)[] {
  const numbers = Object.values(entries).filter((value) => typeof value === 'number');
  return Object.entries(entries)
    .filter(([key]) => !numbers.includes(Number(key)))
    .map(([, value]) => value);
}

function literalsOf(defs: readonly Def[], complain: (problem: string) => void): ScalarKind | undefined {
  const values = defs.flatMap((def) => def.values ?? []);
  if (values.every((value) => typeof value === 'string' || typeof value === 'number')) return { type: 'enum', values };
  if (values.every((value) => typeof value === 'boolean')) return { type: 'boolean' };
  complain('a literal must be a string or a number; use `z.enum([…])`');
  return undefined;
}

// ── Clashes (R2) ─────────────────────────────────────────────────────────────────────────────────

function clashesOf(fields: readonly Field[]): string[] {
  const owners = new Map<string, string>();
  const problems: string[] = [];
  const claim = (spelling: string, key: string): void => {
    const owner = owners.get(spelling);
    if (owner !== undefined && owner !== key) problems.push(`\`${owner}\` and \`${key}\` both come to \`${spelling}\``);
    owners.set(spelling, key);
  };
  for (const field of fields) {
    claim(longFlagOf(field), field.key);
    if (hasNegation(field)) claim(negatedFlagOf(field), field.key);
    if (field.short !== undefined) claim(`-${field.short}`, field.key);
  }
  for (const [spelling, key] of owners) {
    if (spelling === '--help' || spelling === '-h') problems.push(`\`${key}\` comes to \`${spelling}\`, which is help's everywhere`);
  }
  const variadic = fields.filter((field) => field.variadic);
  if (variadic.length > 1)
    problems.push(`${namesInWords(variadic.map((field) => field.key))} are variadic: only one can take every following word`);
  return problems;
}

/** @internal */
export const longFlagOf = (field: Field): string => `--${kebab(field.key)}`;
/** @internal */
export const negatedFlagOf = (field: Field): string => `--no-${kebab(field.key)}`;
/** What can be said no to: switches, and lists that are not empty when nothing is said. @internal */
export function hasNegation({ kind, default: fallback }: Field): boolean {
  if (kind.type === 'array' || kind.type === 'key-value') return fallback === undefined || Object.keys(fallback as object).length > 0;
  return kind.type === 'boolean' || kind.type === 'boolean-or-string';
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────

/** A value of code as JSON; what is JSON already stays. @internal */
export function toJson(kind: FieldKind, value: unknown): Json {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? String(value) : value.toISOString();
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) return value.map((item: unknown) => toJson(kind.type === 'array' ? kind.item : kind, item));
  // On a command line these two words are the switch; they are everywhere.
  if (kind.type === 'boolean-or-string' && (value === 'true' || value === 'false')) return value === 'true';
  // What is left is JSON, or the schema refuses it.
  return value as Json;
}

/** JSON as the value that the schema takes. @internal */
export function fromJson(kind: FieldKind, value: Json): unknown {
  if (kind.type === 'array' && Array.isArray(value)) return value.map((item: Json) => fromJson(kind.item, item));
  return kind.type === 'date' && typeof value === 'string' ? new Date(value) : value;
}

function examplesOf(meta: z.GlobalMeta): readonly unknown[] {
  const { examples } = meta;
  return Array.isArray(examples) ? examples : [];
}

/** A secret that the schema itself tells, as its default or an example, is none where it turns up in other texts (R29). @internal */
export function isTold(field: Pick<Field, 'default' | 'examples'>, value: unknown): boolean {
  return value === field.default || field.examples.includes(value);
}

/** The texts in `value` that stand where `schema` says `secret`, but for those that it tells itself. @internal */
export function secretValuesIn(given: z.ZodType | undefined, value: unknown): string[] {
  const schema = given && built(given);
  if (!schema || value === undefined || value === null) return [];
  const { schema: inner, meta } = unwrap(schema);
  if (meta.secret) return typeof value === 'string' && !examplesOf(meta).includes(value) ? [value] : [];
  const { def } = inner._zod;
  if (def.type === 'object' && typeof value === 'object') {
    return Object.entries(def.shape ?? {}).flatMap(([key, field]) =>
      secretValuesIn(field as unknown as z.ZodType, (value as Record<string, unknown>)[key]),
    );
  }
  if (def.type === 'array' && Array.isArray(value))
    return value.flatMap((item) => secretValuesIn(def.element as unknown as z.ZodType, item));
  return [];
}

/** For programs (R42): dates as date-time strings; what JSON Schema cannot say is left open. @internal */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): Record<string, unknown> {
  return zod().toJSONSchema(built(schema), {
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      delete jsonSchema['complete'];
    },
  });
}
