// Compiles lib/ and tasks/ to dist/. `prepare` runs it on every install, also where the development
// dependencies are left out: then there is nothing to compile with, and nothing to do.
//
// What is published is small and begins soon: lib/ in two files, programs in the shortest form, and only those
// declarations that the package's exports lead to; what is marked @internal is none of them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
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
    await bundle(aside);
    chmodSync(join(aside, 'lib/bin.cjs'), 0o755);
    const old = join(root, `dist.old.${process.pid}`);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(aside, join(root, 'dist'));
    rmSync(old, { recursive: true, force: true });
  } else {
    rmSync(aside, { recursive: true, force: true });
    process.exitCode = built.status ?? 1;
  }
}

/**
 * lib/ becomes one file, since Node takes longer to find a small module than to run it, and CommonJS,
 * which it begins sooner. The package's entries are doors to it: there is one instance of everything.
 * What answers without the config stands before it in a small file of its own.
 */
async function bundle(folder) {
  const { build, transform } = await import('esbuild');
  const sources = filesIn(join(root, 'lib'))
    .toSorted()
    .map((file) => readFileSync(file));
  const id = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const scripts = filesIn(folder).filter((file) => file.endsWith('.js'));
  for (const file of scripts) if (!file.startsWith(join(folder, 'tasks'))) rmSync(file);
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    packages: 'external',
    minify: true,
    lineLimit: 120,
    outExtension: { '.js': '.cjs' },
    logLevel: 'warning',
    define: { TASKWRIGHT_BUILD: JSON.stringify(id), 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    outdir: join(folder, 'lib'),
  };
  // What answers without the config, and all modules that it consists of: the rest has them from there.
  const { metafile } = await build({ ...common, entryPoints: ['lib/cli/begin.ts'], write: false, metafile: true });
  const shared = Object.keys(metafile.inputs).toSorted();
  const contents = ["export { begin } from './lib/cli/begin.ts';", ...shared.map((file, at) => `export * as m${at} from './${file}';`)];
  await build({
    ...common,
    stdin: { contents: contents.join('\n'), resolveDir: root, sourcefile: 'start' },
    outdir: undefined,
    outfile: join(folder, 'lib/start.cjs'),
  });
  await build({ ...common, entryPoints: { 'native-import': 'lib/util/native-import.ts' } });
  await build({
    ...common,
    entryPoints: { lib: 'lib/bundle.ts' },
    plugins: [fromStart(shared)],
    external: ['./start.cjs', './native-import.cjs'],
  });
  for (const name of ['start', 'lib']) {
    const file = join(folder, `lib/${name}.cjs`);
    writeFileSync(
      file,
      withLateModules(readFileSync(file, 'utf8')).replaceAll(/\bimport\((?="[@a-z])/g, "require('./native-import.cjs').nativeImport("),
    );
  }
  await build({ ...common, entryPoints: { bin: 'lib/cli/bin.ts' } });
  const bundled = join(folder, 'lib/lib.cjs');
  const { library, testing, cli } = require(bundled);
  writeDoor(join(folder, 'lib/package.js'), 'library', Object.keys(library));
  writeDoor(join(folder, 'lib/testing.js'), 'testing', Object.keys(testing));
  writeDoor(join(folder, 'lib/cli/create-cli.js'), 'cli', Object.keys(cli));
  for (const file of scripts.filter((script) => existsSync(script))) {
    const { code } = await transform(readFileSync(file, 'utf8'), { minify: true, lineLimit: 120, target: 'node20' });
    writeFileSync(file, code);
  }
  keepDeclarations(folder);
}

/** Modules of lib/ that are taken from the running `start.cjs`. */
function fromStart(files) {
  return {
    name: 'from-start',
    setup: (build) => {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, resolve(resolveDir, path)).split(sep).join('/');
        const at = files.indexOf(file);
        if (at !== -1) return { path: `start.cjs').m${at}`, namespace: 'start' };
        return file === 'lib/util/native-import.ts' ? { path: "native-import.cjs')", namespace: 'start' } : undefined;
      });
      build.onLoad({ filter: /./, namespace: 'start' }, ({ path }) => ({ contents: `module.exports = require('./${path};` }));
    },
  };
}

/** Node's own modules are read from its binary and run when they are first required: most are not needed for most runs. */
function withLateModules(code) {
  const late = 'const later = (name) => { let it; return new Proxy({}, { get: (_, key) => (it ??= require(name))[key] }); };\n';
  return late + code.replace(/=\s*require\("(node:(?!fs"|path"|url"|module")[a-z0-9_/]+)"\)/g, '=later("$1")');
}

/** What programs import: the one instance, with the zod that they have too. */
function writeDoor(file, part, names) {
  const code = [
    "import * as zod from 'zod';",
    "import lib from './lib.cjs';",
    'lib.useZod(zod);',
    `export const { ${names.join(', ')} } = lib.${part};`,
  ];
  writeFileSync(file, `${code.join('\n')}\n`);
}

/** Only those that the package's exports lead to. */
function keepDeclarations(folder) {
  const files = filesIn(folder);
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
