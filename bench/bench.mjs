// Whole processes of the built command line, each paired with `node -e 0` of the same Node: A B A B,
// medians of the pairs' ratios. Times of one machine say little, ratios travel.
//
//   npm run bench                        all rows, to the terminal
//   npm run bench -- --rows list,one     those whose id begins so
//   npm run bench -- --pairs 30          more, for a decision
//   npm run bench -- --node PATH         another Node than the one that runs this (more than once)
//   npm run bench -- --peers             other runners too; installs those of bench/peers
//   npm run bench -- --write             docs/performance.md, its chart and its data
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from './report.mjs';
import { peers, rows } from './shapes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..');
const bin = join(root, 'dist/lib/bin.cjs');
const { values } = parseArgs({
  options: {
    pairs: { type: 'string' },
    rows: { type: 'string' },
    node: { type: 'string', multiple: true },
    peers: { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
if (!existsSync(bin)) fail('there is no build; run `npm run build`');
if (spawnSync('python3', ['--version']).status !== 0) fail('python3 is needed: Node cannot tell the CPU time of a child');

const wanted = values.rows?.split(',');
const isWanted = (id) => wanted === undefined || wanted.some((start) => id.startsWith(start));
const folder = mkdtempSync(join(tmpdir(), 'taskwright-bench-'));
const results = [];
try {
  for (const node of values.node ?? [process.execPath]) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    const env = environment(node);
    console.log(`\nNode ${version}${' '.repeat(38)}cpu    wall     MiB   goal`);
    for (const row of rows.filter(({ id }) => isWanted(id))) {
      const cwd = project(row.id, row.files);
      // The first call compiles; only when it is a while ago can what it kept be trusted without a look into files.
      run([node, bin, '--list'], cwd, env);
      sleepUntilOld();
      run([node, bin, '--list'], cwd, env);
      run([node, bin, ...row.argv], cwd, env);
      if (row.settles) {
        sleepUntilOld();
        run([node, bin, ...row.argv], cwd, env);
      }
      const argv = argvOf(row, node, cwd);
      if (!argv) continue;
      const before = row.changes ? join(cwd, 'tasks.config.ts') : undefined;
      record(row, version, { argv, cwd, env: row.terminal ? atTerminal(env) : env, code: row.code, before }, node, env);
    }
    for (const [id, title, ...argv] of [
      ['floor', 'floor: the least that a runner can do', 'floor.cjs', 't1'],
      ['spawn', "100 commands by Node's bare `spawn`, two at a time", 'spawn.cjs'],
    ]) {
      const [file = '', ...words] = argv;
      const row = { id, title, goal: undefined, ...(id === 'spawn' && { pairs: 5 }) };
      if (isWanted(id)) record(row, version, { argv: [node, join(here, file), ...words], cwd: folder, env }, node, env);
    }
    if (values.peers) measurePeers(node, version, env);
  }
  if (values.write) writeReport(root, results, machine());
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function record(row, version, ours, node, env) {
  const plain = row.against ? { ...ours, argv: inTerminal([node, bin, ...row.against]) } : { argv: [node, '-e', '0'], cwd: folder, env };
  const order = { pairs: Number(values.pairs ?? row.pairs ?? 11), warm: 2, ours: { code: 0, ...ours }, plain };
  const measured = spawnSync('python3', [join(here, 'measure.py')], { input: JSON.stringify(order), encoding: 'utf8' });
  if (measured.status !== 0) {
    console.log(`${row.title}: ${measured.stderr.trim()}`);
    return;
  }
  const pairs = JSON.parse(measured.stdout);
  const ratio = (at) => median(pairs.map(([own, other]) => own[at] / other[at]));
  const result = {
    id: row.id,
    title: row.title,
    node: version,
    goal: row.goal,
    wall: ratio(0),
    cpu: ratio(1),
    mib: median(pairs.map(([own]) => own[2])),
    mibGoal: row.mib,
    ms: median(pairs.map(([own]) => own[1])),
    plainMs: median(pairs.map(([, other]) => other[1])),
  };
  results.push(result);
  const { cpu, wall, mib, goal } = result;
  console.log(
    `${row.title.padEnd(48)}${cpu.toFixed(2).padStart(6)}${wall.toFixed(2).padStart(8)}${mib.toFixed(0).padStart(8)}${String(goal ?? '').padStart(7)}`,
  );
}

/** Nothing where this machine, or this Node, has no such thing. */
function argvOf({ terminal, start, argv }, node, cwd) {
  if (terminal) return spawnSync('script', ['--version']).error ? undefined : inTerminal([node, bin, ...argv]);
  if (!start) return [node, bin, ...argv];
  mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true });
  const link = join(cwd, 'node_modules/.bin/tasks');
  if (!existsSync(link)) symlinkSync(bin, link);
  const beside = join(dirname(node), start[0]);
  const program = start[0] === 'node' ? node : start[0].includes('/') ? start[0] : beside;
  const isThere = existsSync(join(cwd, program)) || existsSync(program);
  const { status } = spawnSync(program, start.slice(1), { cwd, env: environment(node) });
  return isThere && status === 0 ? [program, ...start.slice(1)] : undefined;
}

/** `script` gives it a terminal; both of a pair pay for that. */
function inTerminal(argv) {
  return ['script', '--quiet', '--return', '--command', argv.join(' '), '/dev/null'];
}

function atTerminal(env) {
  return { ...env, TERM: 'xterm', CI: 'false' };
}

function measurePeers(node, version, env) {
  const installed = join(here, 'peers/node_modules');
  if (!existsSync(installed)) spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(here, 'peers'), stdio: 'inherit' });
  for (const peer of peers) {
    for (const [shape, count] of [
      ['list', 100],
      ['one', 100],
    ]) {
      const argv = peer[shape];
      if (!argv) continue;
      const cwd = project(`${peer.name}-${count}`, peer.files(count));
      if (!existsSync(join(cwd, 'node_modules'))) symlinkSync(installed, join(cwd, 'node_modules'));
      const own = join(installed, '.bin', argv[0]);
      const program = existsSync(own) ? [node, realpathSync(own)] : [argv[0]];
      if (program.length === 1 && spawnSync(argv[0], ['--version']).error) continue;
      record(
        {
          id: `peer-${peer.name}-${shape}`,
          title: `${peer.name}: ${shape === 'list' ? 'list of' : 'one no-op of'} ${count}`,
          goal: undefined,
        },
        version,
        { argv: [...program, ...argv.slice(1)], cwd, env },
        node,
        env,
      );
    }
  }
}

function project(name, files) {
  const cwd = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  return cwd;
}

/** Node 20 parses NODE_EXTRA_CA_CERTS at each start, ours and the plain one alike: it would hide the difference. */
function environment(node) {
  const rest = { ...process.env };
  delete rest.NODE_EXTRA_CA_CERTS;
  delete rest.NODE_OPTIONS;
  return { ...rest, CI: 'true', PATH: `${dirname(node)}${delimiter}${rest.PATH}` };
}

function run(argv, cwd, env) {
  spawnSync(argv[0], argv.slice(1), { cwd, env });
}

/** A file counts as old two seconds after it was written. */
function sleepUntilOld() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2100);
}

function machine() {
  const [cpu] = cpus();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return {
    date: new Date().toISOString().slice(0, 10),
    version,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    gib: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
  };
}

function median(numbers) {
  return numbers.toSorted((left, right) => left - right)[Math.floor((numbers.length - 1) / 2)];
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
