import type { Cache } from './caches/cache.ts';
import type { Json } from './event.ts';
import type { GeneratedFile } from './ledger.ts';
import { digestOf } from './util/digest.ts';

/**
 * Outcomes in caches: an entry for each fingerprint, and the contents that entries name by their digest.
 *
 * The first cache is the nearest. What one of them answers is verified; whatever goes wrong is a miss with
 * one notice, and a cache that failed is left alone for the rest of the run.
 */
export interface Shelf {
  entry(fingerprint: string): Promise<Kept | undefined>;
  keepEntry(fingerprint: string, kept: Kept): Promise<void>;
  content(digest: string): Promise<Uint8Array | undefined>;
  keepContent(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface Kept {
  /** As the body returned it; absent when it was undefined. */
  readonly value?: Json;
  readonly files: readonly GeneratedFile[];
  /** Which run it was. */
  readonly ran: string;
  /** Digest of what it said. */
  readonly log?: string;
}

const VERSION = 1;
/** A cache that is slower than that is no help. */
const PATIENCE_MS = 15_000;

export function createShelf(caches: readonly Cache[], onTrouble: (text: string) => void): Shelf {
  const working = new Set(caches);
  let hasWritten = false;

  async function attempt<T>(cache: Cache, work: () => Promise<T>): Promise<T | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it does not answer')), PATIENCE_MS);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      if (working.delete(cache))
        onTrouble(`${cache.name} is left out from here: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async function read<T>(key: string, verify: (bytes: Uint8Array) => T | undefined): Promise<T | undefined> {
    const missing: Cache[] = [];
    for (const cache of working) {
      const bytes = await attempt(cache, () => cache.read(key));
      const found = bytes && verify(bytes);
      if (bytes && found !== undefined) {
        for (const nearer of missing) await write(nearer, key, bytes);
        return found;
      }
      if (bytes) {
        onTrouble(`${cache.name} held something else than was kept: it counts for nothing`);
        await attempt(cache, async () => cache.remove?.(key));
      }
      if (working.has(cache)) missing.push(cache);
    }
    return undefined;
  }

  async function write(cache: Cache, key: string, bytes: Uint8Array): Promise<void> {
    hasWritten = true;
    await attempt(cache, () => cache.write(key, bytes));
  }

  async function writeAll(key: string, bytes: Uint8Array): Promise<void> {
    for (const cache of working) await write(cache, key, bytes);
  }

  return {
    entry: (fingerprint) => read(`entry/${fingerprint}`, (bytes) => parseEntry(bytes, fingerprint)),
    keepEntry: (fingerprint, kept) => writeAll(`entry/${fingerprint}`, renderEntry(fingerprint, kept)),
    content: (digest) => read(`content/${digest}`, (bytes) => (digestOf(bytes) === digest ? bytes : undefined)),
    keepContent: (bytes) => writeAll(`content/${digestOf(bytes)}`, bytes),
    async close() {
      if (hasWritten) for (const cache of working) await attempt(cache, async () => cache.trim?.());
    },
  };
}

function renderEntry(fingerprint: string, kept: Kept): Uint8Array {
  const body = JSON.stringify({ version: VERSION, fingerprint, ...kept });
  return Buffer.from(`${digestOf(body)}\n${body}`);
}

function parseEntry(bytes: Uint8Array, fingerprint: string): Kept | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (end < 0 || text.slice(0, end) !== digestOf(body)) return undefined;
  try {
    // Its digest tells that it is whole; who wrote it, and for what, is looked at here.
    const entry = JSON.parse(body) as Kept & { readonly version: unknown; readonly fingerprint: unknown };
    const isOurs =
      entry.version === VERSION &&
      entry.fingerprint === fingerprint &&
      typeof entry.ran === 'string' &&
      Array.isArray(entry.files) &&
      entry.files.every(isFile);
    return isOurs ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isFile(file: unknown): file is GeneratedFile {
  return Array.isArray(file) && typeof file[0] === 'string' && typeof file[1] === 'string' && Number.isInteger(file[2]);
}
