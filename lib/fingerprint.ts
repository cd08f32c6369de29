import type { Json, JsonObject } from './event.ts';
import { digestOf, digestOfAll } from './util/digest.ts';
import { stableText } from './util/stable-text.ts';

/**
 * All that a step depends on (R32), as an object to be printed: names, and values or digests. Two steps
 * with one fingerprint would do the same.
 */
export interface Ingredients {
  /** Secrets are left out: changing one re-runs nothing (R29). */
  readonly input: JsonObject;
  /** Global flags, of a task that was made with some. */
  readonly flags: JsonObject;
  readonly passthrough: readonly string[];
  /** Declared variables that are not secret: digests of their values, or `unset`. */
  readonly env: Readonly<Record<string, string>>;
  readonly sources: FileSet;
  /** Digests of what its needs gave, by the names in `needs`. */
  readonly needs: Readonly<Record<string, string>>;
  /** Its own modules. */
  readonly code: FileSet;
  /** Versions of the packages these import. */
  readonly packages: Readonly<Record<string, string>>;
  /** Node, platform, folder, what it generates. */
  readonly about: Readonly<Record<string, string>>;
}

/** Files by path with their digests, and one digest of all. */
export interface FileSet {
  readonly digest: string;
  readonly files: Readonly<Record<string, string>>;
}

export function fileSetOf(files: Readonly<Record<string, string>>): FileSet {
  return { digest: digestOfAll(files), files };
}

export function fingerprintOf(ingredients: Ingredients): string {
  return digestOf(stableText({ ...ingredients, code: ingredients.code.digest, sources: ingredients.sources.digest }));
}

/** What has changed, a line each: `changed: src/a.ts`, `input tag: "a" → "b"`, `code: tasks/compose.ts` (R34). */
export function whyChanged(before: Ingredients, now: Ingredients): readonly string[] {
  return [
    ...valuesChanged('input ', before.input, now.input),
    ...valuesChanged('flag ', before.flags, now.flags),
    ...(stableText(before.passthrough) === stableText(now.passthrough) ? [] : ['the words after `--`']),
    ...keysChanged(before.env, now.env).map((name) => `variable ${name}`),
    ...filesChanged(before.sources, now.sources, { changed: 'changed: ', added: 'new: ', gone: 'gone: ' }),
    ...keysChanged(before.needs, now.needs).map((name) => needChanged(name, now.needs[name])),
    ...filesChanged(before.code, now.code, { changed: 'code: ', added: 'code: ', gone: 'code: ' }),
    ...valuesChanged('package ', before.packages, now.packages),
    ...valuesChanged('', before.about, now.about),
  ];
}

/** What a need gives that gave neither value nor files: equal to no other time. */
export const GAVE_NOTHING = 'ran-';

function needChanged(name: string, digest: string | undefined): string {
  if (digest === undefined) return `need ${name} is gone`;
  return digest.startsWith(GAVE_NOTHING) ? `need ${name} re-ran without a value` : `need ${name} gave something else`;
}

function valuesChanged(prefix: string, before: Readonly<Record<string, Json>>, now: Readonly<Record<string, Json>>): string[] {
  return keysChanged(before, now).map((key) => `${prefix}${key}: ${textOf(before[key])} → ${textOf(now[key])}`);
}

function textOf(value: Json | undefined): string {
  if (value === undefined) return 'not given';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function filesChanged(
  before: FileSet,
  now: FileSet,
  words: { readonly changed: string; readonly added: string; readonly gone: string },
): string[] {
  if (before.digest === now.digest) return [];
  return keysChanged(before.files, now.files).map((path) => {
    const word = now.files[path] === undefined ? words.gone : before.files[path] === undefined ? words.added : words.changed;
    return `${word}${path}`;
  });
}

function keysChanged(before: Readonly<Record<string, unknown>>, now: Readonly<Record<string, unknown>>): string[] {
  const keys = new Set([...Object.keys(now), ...Object.keys(before)]);
  return [...keys].filter((key) => stableText(before[key]) !== stableText(now[key]));
}
