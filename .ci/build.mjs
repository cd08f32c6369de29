// Compiles lib/ and tasks/ to dist/. `prepare` runs it on every install, also where the development
// dependencies are left out: then there is nothing to compile with, and nothing to do.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

function compiler() {
  try {
    const manifest = require.resolve('typescript/package.json');
    return join(dirname(manifest), require(manifest).bin.tsc);
  } catch {
    return undefined;
  }
}

const tsc = compiler();
if (tsc === undefined || !existsSync(join(root, 'lib'))) {
  if (!process.argv.includes('--if-possible')) {
    console.error('error: typescript is not installed; run `npm ci` with development dependencies');
    process.exitCode = 1;
  }
} else {
  // Built aside and swapped in, so that a command line that runs meanwhile keeps its files.
  const aside = join(root, `dist.${process.pid}`);
  const built = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', aside], { stdio: 'inherit' });
  if (built.status === 0) {
    chmodSync(join(aside, 'lib/cli/bin.js'), 0o755);
    const old = join(root, `dist.old.${process.pid}`);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(aside, join(root, 'dist'));
    rmSync(old, { recursive: true, force: true });
  } else {
    rmSync(aside, { recursive: true, force: true });
    process.exitCode = built.status ?? 1;
  }
}
