// Compiles lib/ and tasks/ to dist/. `prepare` runs it on every install, also where the development
// dependencies are left out: then there is nothing to compile with, and nothing to do.
//
// What is published is small: programs in the shortest form (modules stay, so that a stack trace names the file), and only those
// declarations that the package's exports lead to; what is marked @internal is none of them.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
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
    await shrink(aside);
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

async function shrink(folder) {
  const { transform } = await import('esbuild');
  const files = filesIn(folder);
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    const { code } = await transform(readFileSync(file, 'utf8'), {
      minifyWhitespace: true,
      minifySyntax: true,
      minifyIdentifiers: true,
      lineLimit: 120,
      target: 'node20',
    });
    writeFileSync(file, code);
  }
  const wanted = new Set();
  const follow = (file) => {
    if (wanted.has(file) || !existsSync(file)) return;
    wanted.add(file);
    for (const [, path] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()['"](\.[^'"]+)\.(?:ts|js)['"]/g)) {
      follow(`${resolve(dirname(file), path)}.d.ts`);
    }
  };
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const types of Object.values(exports).flatMap((entry) => entry?.types ?? [])) {
    const [before, after] = join(folder, types.replace('./dist/', '')).split('*');
    const isExport = (file) =>
      file === before ||
      (after !== undefined && file.startsWith(before) && file.endsWith(after) && !file.slice(before.length).includes('/'));
    files.filter(isExport).forEach(follow);
  }
  for (const file of files) if (file.endsWith('.d.ts') && !wanted.has(file)) rmSync(file);
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
