import * as nodeFs from 'node:fs';

/**
 * The file system as far as we use it, handed in where a test wants to break it at a certain operation.
 *
 * Synchronous: in a row of small operations a promise for each costs four times the operation itself.
 */
export type FileSystem = Pick<
  typeof nodeFs,
  | 'chmodSync'
  | 'lstatSync'
  | 'mkdirSync'
  | 'readFileSync'
  | 'readdirSync'
  | 'readlinkSync'
  | 'realpathSync'
  | 'renameSync'
  | 'rmSync'
  | 'statSync'
  | 'symlinkSync'
  | 'unlinkSync'
  | 'utimesSync'
  | 'writeFileSync'
>;

export const realFileSystem: FileSystem = nodeFs;

/** What `stat` says of a path that a link does not hide; `undefined` when nothing can be seen there. */
export function statOf(fs: FileSystem, path: string): nodeFs.Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    // ENOTDIR, ELOOP, EACCES on the way: for us nothing is there.
    return undefined;
  }
}

export function lstatOf(fs: FileSystem, path: string): nodeFs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Write a file so that whoever reads its name sees all of it or nothing: aside, then renamed.
 *
 * @throws what the file system says; nothing is left aside then
 */
export function writeWhole(fs: FileSystem, path: string, bytes: string | Uint8Array, mode = 0o600): void {
  const aside = `${path}.${process.pid}.${(counter++).toString(36)}.tmp`;
  try {
    fs.writeFileSync(aside, bytes, { mode, flag: 'wx' });
    fs.renameSync(aside, path);
  } catch (error) {
    try {
      fs.rmSync(aside, { force: true });
    } catch {
      // Whoever trims the folder finds it.
    }
    throw error;
  }
}

let counter = 0;
