import { serialize } from 'node:v8';
import type { Json } from './event.ts';
import type { CommandData } from './runners/runner.ts';
import { isCommandResult, resultWith } from './runners/runner.ts';
import { digestOf } from './util/digest.ts';
import { isPlainObject } from './util/describe.ts';
import { stableText } from './util/stable-text.ts';

/** A value as JSON that {@link fromKept} makes the same of, or where it is none. What a command gave is kept as its data. */
export function asKept(
  value: unknown,
): { readonly ok: true; readonly json: Json | undefined } | { readonly ok: false; readonly at: string } {
  if (isCommandResult(value)) {
    const { command, exitCode, signal, stdout, stderr, ms, ok } = value;
    return { ok: true, json: { [COMMAND]: { command, exitCode, ...(signal && { signal }), stdout, stderr, ms, ok } } };
  }
  const at = impureAt(value, '', []);
  if (at !== undefined) return { ok: false, at };
  // Nothing but JSON is in it.
  return { ok: true, json: value as Json | undefined };
}

export function fromKept(json: Json | undefined): unknown {
  if (typeof json !== 'object' || json === null || !(COMMAND in json)) return json;
  // Written by asKept.
  const data = json[COMMAND] as unknown as CommandData;
  return resultWith({ ...data, signal: data.signal });
}

const COMMAND = '$command';

function impureAt(value: unknown, path: string, above: readonly object[]): string | undefined {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? undefined : placed(`${value}`, path);
  if (typeof value !== 'object') return placed(typeof value, path);
  if (above.includes(value)) return placed('a circle', path);
  if (Array.isArray(value)) {
    // A hole, or `undefined` in a list, would come back as null.
    const hole = value.findIndex((item) => item === undefined);
    if (hole >= 0) return placed('undefined', `${path}[${hole}]`);
    return firstOf(
      value.map((item, index) => [`${path}[${index}]`, item] as const),
      [...above, value],
    );
  }
  if (!isPlainObject(value) || Object.getPrototypeOf(value) === null || Object.hasOwn(value, '__proto__'))
    return placed(value.constructor?.name ?? 'an object', path);
  return firstOf(
    Object.entries(value).map(([key, item]) => [path === '' ? key : `${path}.${key}`, item] as const),
    [...above, value],
  );
}

function firstOf(entries: readonly (readonly [path: string, value: unknown])[], above: readonly object[]): string | undefined {
  for (const [path, value] of entries) {
    const at = impureAt(value, path, above);
    if (at !== undefined) return at;
  }
  return undefined;
}

const placed = (what: string, path: string): string => (path === '' ? what : `${what} at \`${path}\``);

/** Of any value that can be copied; `undefined` for those that cannot, such as functions. */
export function digestOfValue(value: unknown): string | undefined {
  // How long it took is no part of what it gave.
  if (isCommandResult(value)) return digestOf(stableText([value.command, value.exitCode, value.stdout, value.stderr]));
  const kept = asKept(value);
  if (kept.ok) return digestOf(stableText(kept.json));
  try {
    return digestOf(serialize(value));
  } catch {
    return undefined;
  }
}
