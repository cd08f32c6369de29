import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * The file that `name` starts, as a shell would find it: along `PATH`, or as a path when it has a slash.
 *
 * @param env  its `PATH` counts (and on Windows its `PATHEXT`)
 * @param cwd  what relative paths begin at
 */
export function findProgram(name: string, env: Readonly<Record<string, string | undefined>>, cwd: string): string | undefined {
  const isWindows = process.platform === 'win32';
  const endings = isWindows ? ['', ...(env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';')] : [''];
  const isPath = name.includes('/') || (isWindows && name.includes('\\'));
  const searchPath = env['PATH'] ?? (isWindows ? env['Path'] : undefined) ?? '';
  // An empty part of PATH means the current folder.
  const folders = isPath ? [''] : searchPath.split(delimiter);
  for (const folder of folders) {
    for (const ending of endings) {
      const file = isAbsolute(name) ? name + ending : resolve(cwd, join(folder, name + ending));
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    if (!statSync(file).isFile()) return false;
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
