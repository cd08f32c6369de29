/**
 * Patterns of paths: `*`, `?`, `[a-z]` within a name, `**` for any number of folders, `{a,b}` for either.
 * They match as written, upper and lower case told apart, names that begin with a dot included.
 */
export interface Glob {
  /** Begins with `!`: takes away what stands before it in the list. */
  readonly isNegated: boolean;
  /** The folders in front that hold no pattern: `src/lib` of `src/lib/**`; for a plain path all of it. */
  readonly base: string;
  /** Below the base; empty for a plain path. */
  readonly segments: readonly Segment[];
}
export type Segment = RegExp | '**';

/** Positions within the segments of a glob: how far a path has come. */
export type Positions = readonly number[];

export const ANY_NAME = /^/;

export function parseGlob(pattern: string): readonly Glob[] {
  if (PLAIN.test(pattern)) return [{ isNegated: false, base: partsOf(pattern).join('/'), segments: [] }];
  const isNegated = pattern.startsWith('!');
  const text = isNegated ? pattern.slice(1) : pattern;
  return expandBraces(text).map((one) => ({ isNegated, ...splitGlob(one) }));
}

/** Nothing in it has a meaning of its own, as in most. */
const PLAIN = /^[^!*?[{\\]*$/;

const partsOf = (text: string): string[] => text.split('/').filter((part, index) => part !== '.' && (part !== '' || index === 0));

function splitGlob(text: string): Pick<Glob, 'base' | 'segments'> {
  const parts = partsOf(text);
  const magic = parts.findIndex(hasMagic);
  if (magic < 0) return { base: unescaped(parts.join('/')), segments: [] };
  const base = unescaped(parts.slice(0, magic).join('/'));
  return { base: base === '' && text.startsWith('/') ? '/' : base, segments: segmentsOf(parts.slice(magic)) };
}

const hasMagic = (part: string): boolean => /(?<!\\)[*?[]/.test(part);
const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, '$1');

/** `**` at the end stands for what lies below, not for the folder itself. */
export function segmentsOf(parts: readonly string[]): readonly Segment[] {
  const segments = parts.map((part): Segment => (part === '**' ? '**' : segmentOf(part)));
  return segments.at(-1) === '**' ? [...segments, ANY_NAME] : segments;
}

function segmentOf(part: string): RegExp {
  let source = '';
  for (let at = 0; at < part.length; at++) {
    const character = part[at] ?? '';
    const set = character === '[' ? part.slice(at).match(/^\[([!^]?)(\]?[^\]]*)\]/) : null;
    if (character === '\\' && at + 1 < part.length) source += escaped(part[++at] ?? '');
    else if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (set) {
      source += `[${set[1] ? '^' : ''}${(set[2] ?? '').replaceAll(/[\\\]^[]/g, String.raw`\$&`)}]`;
      at += set[0].length - 1;
    } else source += escaped(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** `a{b,c{d,e}}` → `ab`, `acd`, `ace`. Braces without a comma stand for themselves. */
function expandBraces(text: string): string[] {
  for (let open = text.indexOf('{'); open >= 0; open = text.indexOf('{', open + 1)) {
    if (text[open - 1] === '\\') continue;
    const { close, commas } = bracesAt(text, open);
    if (close === undefined || commas.length === 0) continue;
    const ends = [open, ...commas, close];
    const options = ends.slice(1).map((end, index) => text.slice((ends[index] ?? 0) + 1, end));
    return options.flatMap((option) => expandBraces(text.slice(0, open) + option + text.slice(close + 1)));
  }
  return [text];
}

function bracesAt(text: string, open: number): { readonly close: number | undefined; readonly commas: readonly number[] } {
  const commas: number[] = [];
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '{') depth++;
    else if (character === ',' && depth === 1) commas.push(at);
    else if (character === '}' && --depth === 0) return { close: at, commas };
  }
  return { close: undefined, commas };
}

// ── Matching, a name at a time ───────────────────────────────────────────────────────────────────

export function startOf(segments: readonly Segment[]): Positions {
  return withSkips([0], segments);
}

/** Where a path stands after one more name; empty when nothing below can match. */
export function advance(positions: Positions, name: string, segments: readonly Segment[]): Positions {
  const next: number[] = [];
  for (const position of positions) {
    const segment = segments[position];
    if (segment === '**') next.push(position);
    else if (segment?.test(name)) next.push(position + 1);
  }
  return withSkips(next, segments);
}

export function isMatch(positions: Positions, segments: readonly Segment[]): boolean {
  return positions.includes(segments.length);
}

export function matchesPath(path: readonly string[], segments: readonly Segment[]): boolean {
  let positions = startOf(segments);
  for (const name of path) positions = advance(positions, name, segments);
  return isMatch(positions, segments);
}

/** `**` may stand for no folder at all. */
function withSkips(positions: readonly number[], segments: readonly Segment[]): Positions {
  const all = new Set(positions);
  for (const position of all) if (segments[position] === '**') all.add(position + 1);
  return [...all];
}
