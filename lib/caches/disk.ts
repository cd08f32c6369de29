import { join } from 'node:path';
import type { FileSystem } from '../util/file-system.ts';
import { lstatOf, writeWhole } from '../util/file-system.ts';
import type { Cache, CacheInfo } from './cache.ts';

export interface DiskCache extends Cache {
  info(): CacheInfo;
  clear(): void;
}

export interface DiskCacheOptions {
  readonly fs: FileSystem;
  readonly now: () => number;
  /** Made when something is written. */
  readonly folder: string;
  readonly maxSizeBytes?: number;
  readonly maxAgeMs?: number;
}

const GIB = 2 ** 30;
const DAY_MS = 86_400_000;
/** What a run that was killed left aside is old enough to go. */
const STALE_MS = DAY_MS;

/** A folder of this machine: a file for each key, written aside and renamed, the least used going first. */
export function diskCache(options: DiskCacheOptions): DiskCache {
  const { fs, now, folder, maxSizeBytes = GIB, maxAgeMs = 30 * DAY_MS } = options;

  const pathOf = (key: string): string => {
    const [kind = '', name = ''] = key.split('/');
    if (!/^[a-z0-9-]+\/[a-z0-9-]{3,}$/.test(key)) throw new Error(`no key of a cache: ${key}`);
    return join(folder, kind, name.slice(0, 2), name);
  };

  async function read(key: string): Promise<Uint8Array | undefined> {
    const path = pathOf(key);
    const stats = lstatOf(fs, path);
    // A link may lead anywhere; we never make one.
    if (!stats?.isFile()) return undefined;
    const bytes = fs.readFileSync(path);
    touch(path, stats.mtimeMs);
    return bytes;
  }

  /** The time of modification is that of the last use, told once a day. */
  function touch(path: string, lastUseMs: number): void {
    if (now() - lastUseMs < DAY_MS) return;
    try {
      fs.utimesSync(path, new Date(now()), new Date(now()));
    } catch {
      // It may be trimmed a little early.
    }
  }

  async function write(key: string, bytes: Uint8Array): Promise<void> {
    const path = pathOf(key);
    const stats = lstatOf(fs, path);
    if (stats?.isFile() && stats.size === bytes.length) return;
    const [kind = '', name = ''] = key.split('/');
    fs.mkdirSync(join(folder, kind, name.slice(0, 2)), { recursive: true, mode: 0o700 });
    writeWhole(fs, path, bytes);
  }

  function* filesIn(): Generator<{ readonly path: string; readonly sizeBytes: number; readonly usedAtMs: number }> {
    const open = [folder];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      let names: string[] = [];
      try {
        names = fs.readdirSync(place);
      } catch {
        continue;
      }
      for (const name of names) {
        const path = join(place, name);
        const stats = lstatOf(fs, path);
        if (stats?.isDirectory()) open.push(path);
        else if (stats) yield { path, sizeBytes: stats.size, usedAtMs: stats.mtimeMs };
      }
    }
  }

  return {
    name: 'the cache',
    read,
    write,
    async remove(key) {
      fs.rmSync(pathOf(key), { force: true });
    },
    async trim() {
      const files = [...filesIn()].toSorted((a, b) => b.usedAtMs - a.usedAtMs);
      let sizeBytes = 0;
      for (const file of files) {
        const ageMs = now() - file.usedAtMs;
        const isLeftAside = file.path.endsWith('.tmp') && ageMs > STALE_MS;
        sizeBytes += file.sizeBytes;
        if (sizeBytes > maxSizeBytes || ageMs > maxAgeMs || isLeftAside) fs.rmSync(file.path, { force: true });
      }
    },
    info() {
      const files = [...filesIn()];
      return { folder, entries: files.length, sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
    },
    clear: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}
