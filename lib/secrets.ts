/**
 * Secrets are `***` wherever a text goes out (R29), also when one is split across chunks.
 *
 * Masked are values of at least 8 characters that are not a name in this run: a shorter one, or the
 * project's own name taken as a password, would blot out ordinary words.
 */
export interface Masking {
  readonly mask: (text: string) => string;
  /** Every text in a value of plain data; the same value where there is nothing to mask. */
  readonly maskDeep: <T>(value: T) => T;
  /** For text that comes in pieces; each stream of each command has its own. */
  readonly stream: () => StreamMasker;
  /** With these as well, however short: what one command was told. */
  readonly with: (also: readonly string[]) => Masking;
}

export interface Masker extends Masking {
  add(value: string): void;
}

export interface StreamMasker {
  /** What can be shown by now: all but an end that may be the beginning of a secret. */
  push(text: string): string;
  /** The rest. */
  flush(): string;
}

/** What stands in the place of a secret. */
export const SHOWN = '***';
const SHORTEST = 8;

/** @param onAdd  hears of each value that is masked from now on, once */
export function createMasker(names: ReadonlySet<string> = new Set(), onAdd: (secret: string) => void = () => {}): Masker {
  const secrets = new Set<string>();
  function add(value: string): void {
    if (names.has(value)) return;
    const isNew = value.length >= SHORTEST && !secrets.has(value);
    for (const spelling of spellingsOf(value, SHORTEST)) secrets.add(spelling);
    // Who hears of it may bring it back here.
    if (isNew) onAdd(value);
  }
  return { add, ...maskingOf(secrets, []) };
}

/** @param secrets  may grow while it is used */
function maskingOf(secrets: ReadonlySet<string>, also: readonly string[]): Masking {
  let all: readonly string[] = [];
  let pattern: RegExp | undefined;
  let known = -1;

  function current(): RegExp | undefined {
    if (known === secrets.size) return pattern;
    known = secrets.size;
    // The longest first, so that a secret within a secret does not leave its rest behind.
    all = [...new Set([...secrets, ...also.flatMap((value) => spellingsOf(value, 1))])].toSorted((a, b) => b.length - a.length);
    pattern = all.length > 0 ? new RegExp(all.map(escaped).join('|'), 'g') : undefined;
    return pattern;
  }

  function mask(text: string): string {
    const found = current();
    return found ? text.replaceAll(found, SHOWN) : text;
  }

  function stream(): StreamMasker {
    let held = '';
    return {
      push(text) {
        const secret = current();
        if (!secret) return text;
        const all = held + text;
        let shown = '';
        let from = 0;
        for (;;) {
          secret.lastIndex = from;
          const found = secret.exec(all);
          // Also where a secret is found: it may be the beginning of a longer one.
          const hold = beginningOfSecret(all, from, found?.index ?? all.length);
          if (hold !== undefined || !found) {
            held = all.slice(hold ?? all.length);
            return shown + all.slice(from, hold ?? all.length);
          }
          shown += all.slice(from, found.index) + SHOWN;
          from = found.index + found[0].length;
        }
      },
      flush() {
        const rest = mask(held);
        held = '';
        return rest;
      },
    };
  }

  /** Where, between two places, a secret begins that the text does not end: the earliest. */
  function beginningOfSecret(text: string, from: number, last: number): number | undefined {
    const longest = all[0]?.length ?? 0;
    for (let at = Math.max(from, text.length - longest + 1); at <= last && at < text.length; at++) {
      const end = text.slice(at);
      for (const secret of all) if (secret.length > end.length && secret.startsWith(end)) return at;
    }
    return undefined;
  }

  return {
    mask,
    maskDeep: (value) => (current() ? maskDeep(value, mask) : value),
    stream,
    with: (more) => maskingOf(secrets, [...also, ...more]),
  };
}

/** A secret as it may turn up: itself, its longer lines, and inside JSON, a URL or a quoted shell word. */
function spellingsOf(value: string, shortest: number): string[] {
  const parts = [value, ...(value.includes('\n') ? value.split(/\r?\n/) : [])].filter((part) => part.length >= shortest);
  return parts.flatMap((part) => [
    part,
    JSON.stringify(part).slice(1, -1),
    urlEncoded(part),
    part.replaceAll("'", "'\\''"),
    ansiQuoted(part),
  ]);
}

function urlEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text; // half a surrogate pair has no such spelling
  }
}

/** Inside `$'…'`, as zx quotes. */
const ansiQuoted = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

function maskDeep<T>(value: T, mask: (text: string) => string): T {
  if (typeof value === 'string') return mask(value) as T & string;
  if (Array.isArray(value)) return value.map((item: unknown) => maskDeep(item, mask)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskDeep(item, mask)])) as T;
}
