import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { FileDigests } from './file-digests.ts';
import { EXECUTABLE } from './file-digests.ts';
import type { GeneratedFile } from './ledger.ts';
import { digestOf } from './util/digest.ts';
import type { FileSystem } from './util/file-system.ts';
import { lstatOf, writeWhole } from './util/file-system.ts';

/** Generated files, as a step left them and as they are now (R33). */
export interface GeneratedState {
  readonly missing: readonly GeneratedFile[];
  /** Not as the step left them: the user's. */
  readonly foreign: readonly GeneratedFile[];
}

export function stateOf(files: readonly GeneratedFile[], cwd: string, digests: FileDigests): GeneratedState {
  const missing: GeneratedFile[] = [];
  const foreign: GeneratedFile[] = [];
  for (const file of files) {
    const digest = digests.of(resolve(cwd, file[0]));
    if (digest === undefined) missing.push(file);
    else if (digest !== file[1]) foreign.push(file);
  }
  return { missing, foreign };
}

export const contentDigest = (digest: string): string => digest.replace(EXECUTABLE, '');

/**
 * Put `files` back.
 *
 * @param read  a content by its digest; whatever it gives is verified
 * @returns why not; what was written until then is as it was kept
 */
export async function restoreFiles(
  files: readonly GeneratedFile[],
  place: { readonly fs: FileSystem; readonly cwd: string; readonly root: string },
  read: (digest: string) => Promise<Uint8Array | undefined>,
): Promise<string | undefined> {
  const { fs, cwd, root } = place;
  const contents: { readonly path: string; readonly bytes: Uint8Array; readonly mode: number }[] = [];
  for (const [name, digest, mode] of files) {
    const path = resolve(cwd, name);
    const obstacle = obstacleAt(fs, path, root);
    if (obstacle !== undefined) return `${name} ${obstacle}`;
    const bytes = await read(contentDigest(digest));
    if (!bytes || digestOf(bytes) !== contentDigest(digest)) return `${name} is not in the cache`;
    contents.push({ path, bytes, mode: mode & 0o777 });
  }
  for (const { path, bytes, mode } of contents) {
    try {
      fs.mkdirSync(dirname(path), { recursive: true });
      writeWhole(fs, path, bytes, mode);
      // The umask took its part.
      fs.chmodSync(path, mode);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return undefined;
}

/** What keeps a path from being written: it leaves the root, or a link or a file stands on the way. */
function obstacleAt(fs: FileSystem, path: string, root: string): string | undefined {
  const near = relative(root, path);
  if (near === '' || near === '..' || near.startsWith(`..${sep}`) || isAbsolute(near)) return 'lies outside of the root';
  let folder = root;
  for (const name of near.split(sep).slice(0, -1)) {
    folder = resolve(folder, name);
    const stats = lstatOf(fs, folder);
    if (!stats) return undefined;
    if (!stats.isDirectory()) return `lies behind a ${stats.isSymbolicLink() ? 'link' : 'file'}`;
  }
  const there = lstatOf(fs, path);
  return there && !there.isFile() ? 'is taken by something that is no file' : undefined;
}

/**
 * Remove those that still are as we left them; what was a link is none of ours.
 *
 * @returns whether all of them are gone
 */
export function removeFiles(
  files: readonly GeneratedFile[],
  place: { readonly fs: FileSystem; readonly cwd: string; readonly root: string },
  digests: FileDigests,
): boolean {
  const { fs, cwd, root } = place;
  let areGone = true;
  for (const [name, digest] of files) {
    const path = resolve(cwd, name);
    if (obstacleAt(fs, path, root) !== undefined || digests.of(path) !== digest) continue;
    try {
      fs.rmSync(path, { force: true });
    } catch {
      areGone = false;
    }
  }
  return areGone;
}
