import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
