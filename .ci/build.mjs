// Compiles lib/ and tasks/ to dist/. `prepare` runs it on every install, also where the development
// dependencies are left out: then there is nothing to compile with, and nothing to do.
//
// What is published is small and begins soon: lib/ in two files, programs in the shortest form, and only those
// declarations that the package's exports lead to; what is marked @internal is none of them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shakeDeclarations } from './declarations.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);
/** Letters of a line of a program. */
const LINE = 1000;
const later = 'const later = (name) => { let it; return new Proxy({}, { get: (_, key) => (it ??= require(name))[key] }); };';

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
    forgetStaleLinks();
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
  for (const file of filesIn(folder).filter((name) => name.endsWith('.js'))) rmSync(file);
  const sources = filesIn(join(root, 'lib'))
    .toSorted()
    .map((file) => readFileSync(file));
  const id = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 12);
  const common = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    packages: 'external',
    minify: true,
    // A file of nothing else is read as it is; see `loadKept`.
    charset: 'ascii',
    banner: { js: `'use strict';\n${later}` },
    tsconfigRaw: { compilerOptions: { alwaysStrict: false } },
    outExtension: { '.js': '.cjs' },
    logLevel: 'warning',
    define: { TASKWRIGHT_BUILD: JSON.stringify(id), 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' },
    outdir: join(folder, 'lib'),
  };
  await build({ ...common, banner: {}, entryPoints: { 'native-import': 'lib/util/native-import.ts' } });
  // What answers without the config, and all modules that it consists of: the rest has from there what it needs of them.
  const { metafile } = await build({ ...common, entryPoints: ['lib/cli/begin.ts'], write: false, metafile: true });
  const rest = await build({
    ...common,
    entryPoints: { lib: 'lib/bundle.ts' },
    plugins: [outside(Object.keys(metafile.inputs))],
    format: 'esm',
    banner: {},
    write: false,
  });
  const names = new Map();
  const code = withShortNames(rest.outputFiles[0].text, './start.cjs', names);
  const { target, minify, charset, banner, define } = common;
  const asCommon = async (name, text) => {
    const options = { target, minify, charset, define, banner: banner.js, format: 'cjs', platform: 'node' };
    const { code: common } = await transform(withPlainImports(text), options);
    writeFileSync(join(folder, `lib/${name}.cjs`), await shortest(withLateModules(common), false));
  };
  await asCommon('lib', code);
  const contents = ["export { begin } from './lib/cli/begin.ts';"];
  const start = { contents: [...contents, ...exportsOf(names)].join('\n'), resolveDir: root, sourcefile: 'start' };
  const first = await build({ ...common, stdin: start, format: 'esm', banner: {}, write: false });
  await asCommon('start', first.outputFiles[0].text);
  await build({ ...common, banner: {}, entryPoints: { bin: 'lib/cli/bin.ts' } });
  const bundled = join(folder, 'lib/lib.cjs');
  const { library, testing, cli } = require(bundled);
  writeDoor(join(folder, 'lib/package.js'), 'library', Object.keys(library));
  writeDoor(join(folder, 'lib/testing.js'), 'testing', Object.keys(testing));
  writeDoor(join(folder, 'lib/cli/create-cli.js'), 'cli', Object.keys(cli));
  await bundleTasks(build, folder);
  copyShells(join(root, 'lib/cli/completion/shells'), join(folder, 'lib/shells'));
  keepDeclarations(folder);
}

/** Without what is for their authors: what they are read with does not need it. How to use one stands in its first line. */
function copyShells(from, to) {
  mkdirSync(to);
  for (const file of readdirSync(from)) {
    const [first, ...lines] = readFileSync(join(from, file), 'utf8').split('\n');
    const code = lines.map((line) => line.trimStart()).filter((line) => line !== '' && !line.startsWith('#'));
    writeFileSync(join(to, file), `${[first, ...code].join('\n')}\n`);
  }
}

/** The shipped tasks become one file as well; each module that can be imported is a door to it. */
async function bundleTasks(build, folder) {
  const options = { absWorkingDir: root, format: 'esm', target: 'node20.19', minify: true, charset: 'utf8' };
  const entryPoints = readdirSync(join(root, 'tasks')).flatMap((file) => (file.endsWith('.ts') ? [`tasks/${file}`] : []));
  const { metafile, outputFiles } = await build({ ...options, entryPoints, outdir: folder, outbase: '.', write: false, metafile: true });
  const doors = Object.values(metafile.outputs).map(({ entryPoint, exports }) => ({ module: entryPoint, exports }));
  const shared = doors.flatMap(({ module, exports }) => (module === 'tasks/index.ts' ? [] : exports.map((name) => ({ module, name }))));
  const named = shared.map((one, index) => ({ ...one, short: `x${index.toString(36)}` }));
  for (const { module } of doors) {
    const own = named.filter((one) => one.module === module).map(({ name, short }) => `${short} as ${name}`);
    const file = join(folder, module.replace(/ts$/, 'js'));
    // The index has nothing of its own: it is made of the other doors.
    const index = outputFiles.find(({ path }) => path === file)?.text.replaceAll('.ts"', '.js"');
    writeFileSync(file, own.length > 0 ? `export{${own.join(',')}}from"./support/all.js";\n` : index);
  }
  await build({
    ...options,
    stdin: {
      contents: named.map(({ module, name, short }) => `export { ${name} as ${short} } from './${module}';`).join('\n'),
      resolveDir: root,
    },
    outfile: join(folder, 'tasks/support/all.js'),
    bundle: true,
    platform: 'node',
    external: ['taskwright', 'zod'],
    tsconfigRaw: {},
  });
  const all = join(folder, 'tasks/support/all.js');
  writeFileSync(all, await shortest(readFileSync(all, 'utf8'), true));
}

/** What esbuild leaves takes 2 % less when swc has simplified it. Node shows the line of what nobody caught: they stay short. */
async function shortest(code, isModule) {
  const [{ minifySync }, { parse }] = await Promise.all([import('@swc/core'), import('acorn')]);
  const compress = { passes: 3, toplevel: true, unsafe_methods: true };
  const options = { ecma: 2022, module: isModule, toplevel: true, compress, mangle: { toplevel: true }, format: { asciiOnly: !isModule } };
  // What the first time has left behind is shorter once more.
  const text = minifySync(minifySync(code, options).code, options).code;
  const lines = [];
  let begin = 0;
  const onToken = ({ type, end }) => {
    // Behind these a line may break.
    if (end - begin < LINE || ![',', ';', '{'].includes(type.label)) return;
    lines.push(text.slice(begin, end));
    begin = end;
  };
  parse(text, { ecmaVersion: 2022, sourceType: isModule ? 'module' : 'script', allowReturnOutsideFunction: true, onToken });
  return [...lines, text.slice(begin)].join('\n');
}

/** Leaves out these modules of lib/, and the one that stands alone. */
function outside(files) {
  return {
    name: 'outside',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, resolve(resolveDir, path)).split(sep).join('/');
        if (file === 'lib/util/native-import.ts') return { path: './native-import.cjs', external: true };
        return files.includes(file) ? { path: `outside:${file}`, external: true } : undefined;
      }),
  };
}

/** What is imported from outside comes from the file `from`, where each name is short and its own among all. */
function withShortNames(text, from, names) {
  const code = text.replaceAll(/(\b(?:im|ex)port\s*)\{([^}]*)\}\s*from\s*"outside:([^"]*)"/g, (_, statement, list, file) => {
    const items = list.split(',').map((item) => {
      const [name, , as = name] = item.trim().split(/\s+/);
      return `${shortName(names, file, name)} as ${as}`;
    });
    return `${statement}{${items.join(',')}}from"${from}"`;
  });
  if (code.includes('"outside:')) throw new Error(`something of ${from} is imported in a way that the build does not know`);
  return code;
}

function shortName(names, file, name) {
  const short = names.get(file) ?? new Map();
  names.set(file, short);
  const count = [...names.values()].reduce((sum, { size }) => sum + size, 0);
  if (!short.has(name)) short.set(name, `x${count.toString(36)}`);
  return short.get(name);
}

function exportsOf(names) {
  return [...names].flatMap(([file, short]) => [...short].map(([name, as]) => `export { ${name} as ${as} } from './${file}';`));
}

function withLateModules(code) {
  const first = new Map();
  return code
    .replaceAll(/([\w$]+)=\s*require\("(node:(?!fs"|path"|url"|module")[a-z0-9_/]+|\.\/native-import\.cjs)"\)/g, (_, name, file) => {
      const known = first.get(file);
      first.set(file, known ?? name);
      return `${name}=${known ?? `later("${file}")`}`;
    })
    .replaceAll(/\bimport\((?="[@a-z])/g, "require('./native-import.cjs').nativeImport(");
}

/** What is loaded in any case is called by its name, not as a property each time; once for all modules of the bundle. */
function withPlainImports(code) {
  const items = new Map();
  const rest = code.replaceAll(
    /\bimport\s*\{([^}]*)\}\s*from\s*("(?:node:fs|node:path|node:url|node:module|\.\/start\.cjs)");\n?/g,
    (_, list, file) => {
      const named = list.split(',').map((item) => item.trim().replace(/\s+as\s+/, ':'));
      items.set(file, [...(items.get(file) ?? []), ...named]);
      return '';
    },
  );
  return [...[...items].map(([file, named]) => `var{${named.join(',')}}=require(${file});`), rest].join('\n');
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

function keepDeclarations(folder) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const types = Object.values(exports).flatMap((entry) => entry?.types ?? []);
  const isEntry = (file) =>
    types.some((pattern) => {
      const [before, after] = join(folder, pattern.replace('./dist/', '')).split('*');
      return (
        file === before ||
        (after !== undefined && file.startsWith(before) && file.endsWith(after) && !file.slice(before.length).includes(sep))
      );
    });
  shakeDeclarations(
    filesIn(folder).filter((file) => file.endsWith('.d.ts')),
    isEntry,
  );
}

/**
 * `npx tasks` in this folder links it once, into npm's cache, and never looks at that link again: after a pull that
 * moved the program it would say `tasks: not found` forever.
 */
function forgetStaleLinks() {
  const kept = join(process.env['npm_config_cache'] ?? join(homedir(), '.npm'), '_npx');
  for (const name of existsSync(kept) ? readdirSync(kept) : []) {
    const folder = join(kept, name);
    const bin = join(folder, 'node_modules/.bin/tasks');
    const isLinked = lstatSync(bin, { throwIfNoEntry: false })?.isSymbolicLink() && !existsSync(bin);
    const itself = join(folder, 'node_modules/taskwright');
    if (isLinked && existsSync(itself) && realpathSync(itself) === realpathSync(root)) rmSync(folder, { recursive: true });
  }
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
