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
