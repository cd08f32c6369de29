import type { Stats } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { digestOf } from './util/digest.ts';
import type { FileSystem } from './util/file-system.ts';
import { statOf } from './util/file-system.ts';

/**
 * Digests of files that are read only when they may have changed.
 *
 * A digest is reused when size, times and inode are those it was taken at. A checkout that restores old
 * modification times is noticed all the same: it cannot set the time of change.
 *
 * Files change within the granularity of clocks: a file written right after it was read may keep all of
 * its stamp. As git and ninja do, a stamp counts only when it was clearly old when the file was read, by
 * {@link GRANULARITY_MS}; and not at all once the clock has been set back behind that moment.
 */
export interface FileDigests {
  /** Of its content, and whether it may be run; `undefined` where no file is. Never equal to any other where it cannot be read. */
  of(path: string): string | undefined;
  /** Forget what was looked at: somebody may have changed files since. */
  forget(): void;
  /** All that was looked at, for the next run; the same object while nothing changed. */
  records(): FileRecords;
}

/** Size, times in milliseconds, inode, when it was read, digest. */
export type FileRecord = readonly [size: number, mtimeMs: number, ctimeMs: number, inode: number, readAtMs: number, digest: string];
export type FileRecords = Readonly<Record<string, FileRecord>>;

/** The coarsest clock of a file system in use (FAT). */
export const GRANULARITY_MS = 2000;
const TRIES = 3;
/** Stands behind the digest of a file that may be run. */
export const EXECUTABLE = '+x';

export function createFileDigests(scope: {
  readonly fs: FileSystem;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly known?: FileRecords;
}): FileDigests {
  const { fs, now } = scope;
  let given: FileRecords = scope.known ?? {};
  /** What is known otherwise than it was given, by path; `undefined`: no more. */
  const changed = new Map<string, FileRecord | undefined>();
  /** What was looked at since nothing can have changed. */
  const fresh = new Map<string, string | undefined>();

  const recordAt = (path: string): FileRecord | undefined => (changed.has(path) ? changed.get(path) : given[path]);

  function forgetRecord(path: string): void {
    if (recordAt(path)) changed.set(path, undefined);
  }

  function look(path: string): string | undefined {
    const stats = statOf(fs, path);
    if (!stats?.isFile()) {
      forgetRecord(path);
      return undefined;
    }
    const known = recordAt(path);
    if (known && isSame(known, stats) && isTrusted(known, now())) return known[5];
    return read(path, stats, known);
  }

  function read(path: string, first: Stats, known: FileRecord | undefined): string {
    let before = first;
    for (let tries = 0; tries < TRIES; tries++) {
      const readAt = now();
      let digest: string;
      try {
        digest = digestOf(fs.readFileSync(path)) + (before.mode & 0o100 ? EXECUTABLE : '');
      } catch {
        break;
      }
      const after = statOf(fs, path);
      if (!after?.isFile()) break;
      const record = recordOf(after, readAt, digest);
      if (isSame(record, before)) {
        // Read again for its age alone: worth keeping only if it can be trusted from now on.
        if (!known || !isSame(known, after) || known[5] !== digest || isTrusted(record, now())) {
          changed.set(path, record);
        }
        return digest;
      }
      before = after;
    }
    // It changes while it is read, or cannot be read: unknown, which equals nothing.
    forgetRecord(path);
    return `unknown-${randomUUID()}`;
  }

  return {
    of(path) {
      const seen = fresh.get(path);
      if (seen !== undefined || fresh.has(path)) return seen;
      const digest = look(path);
      fresh.set(path, digest);
      return digest;
    },
    forget: () => fresh.clear(),
    records() {
      if (changed.size === 0) return given;
      const all: Record<string, FileRecord> = { ...given };
      for (const [path, record] of changed) {
        if (record) all[path] = record;
        else delete all[path];
      }
      changed.clear();
      given = all;
      return given;
    },
  };
}

function recordOf(stats: Stats, readAt: number, digest: string): FileRecord {
  return [stats.size, stats.mtimeMs, stats.ctimeMs, stats.ino, readAt, digest];
}

function isSame(record: FileRecord, stats: Stats): boolean {
  return record[0] === stats.size && record[1] === stats.mtimeMs && record[2] === stats.ctimeMs && record[3] === stats.ino;
}

function isTrusted(record: FileRecord, nowMs: number): boolean {
  const readAtMs = record[4];
  return readAtMs - Math.max(record[1], record[2]) >= GRANULARITY_MS && readAtMs <= nowMs;
}
