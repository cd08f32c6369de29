import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder with files of its own, removed when the test is over. */
export interface TestProject {
  /** Absolute, without symbolic links. */
  readonly root: string;
  /** An absolute path below the root. */
  path(...parts: readonly string[]): string;
  write(path: string, text: string, options?: { readonly mode?: number }): void;
  read(path: string): string;
}

/**
 * @param files  texts by path, relative to the root
 * @param name   of the root folder, to try odd ones
 */
export function projectWith(files: Readonly<Record<string, string>> = {}, name = 'project'): TestProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-test-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return projectAt(join(folder, name), files);
}

/** In a new folder that somebody else removes. */
export function projectAt(root: string, files: Readonly<Record<string, string>> = {}): TestProject {
  const project: TestProject = {
    root,
    path: (...parts) => join(root, ...parts),
    read: (path) => readFileSync(join(root, path), 'utf8'),
    write: (path, text, options = {}) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, options);
    },
  };
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) project.write(path, text);
  return project;
}
