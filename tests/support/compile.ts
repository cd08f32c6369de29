import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { TestProject } from './project.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the compiler has to say; empty when all is well. */
export function compile(project: string): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('typescript/package.json');
  const compiler = join(dirname(manifest), (require(manifest) as { bin: { tsc: string } }).bin.tsc);
  try {
    return execFileSync(process.execPath, [compiler, '-p', project, '--pretty', 'false'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** What it says of the config of a project, and of the files in `tasks/`, which lie outside of the repository. */
export function typesOf(project: TestProject): string {
  // Inside the repository, so that `taskwright` and `zod` are found from there.
  const folder = join(ROOT, '.tasks', `init-${process.pid}-${++copies}`);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(folder, { recursive: true });
  for (const name of ['tasks.config.ts', 'tasks']) cpSync(project.path(name), join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['**/*.ts'], exclude: [] }));
  return compile(folder);
}

let copies = 0;
