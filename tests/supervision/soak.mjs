// Stops runs at random moments and looks at what is left: `npm run soak [-- STOPS [SEED]]`.
//
// One host process has several runs under way at once, each with services, retries, locks, calls and
// hostile trees of processes. It is signalled at a random moment, from before its first line to long after
// the last process is up; at the end each must have ended with the right code, with no process of it left,
// and every lock to be had.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const STOPS = Number(process.argv[2] ?? 1000);
const SEED = Number(process.argv[3] ?? 20261125);
const AT_ONCE = availableParallelism() * 2;
const LATEST_MS = 2500;
const MARK = 'TASKWRIGHT_TEST_RUN';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND_LINE = join(REPOSITORY, 'dist/lib/bin.cjs');

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const SHAPES = [
  'exec sleep 1000',
  'sleep 1000 & (sleep 1000; true) & wait',
  'setsid bash -c "setsid sleep 1000 & exec sleep 1000" <&- >&- 2>&- & sleep 1000; true',
  'trap "" TERM INT HUP; while true; do sleep 1000; done',
  'sleep 1000 & kill -STOP $!; sleep 1000; true',
  'sleep 1000 & disown; sleep 0.05',
  'while true; do (sleep 0.01 &) ; sleep 0.02; done',
];

const CONFIG = `
import { defineConfig, freePort, task } from 'taskwright';
import { z } from 'zod';
const SHAPES = ${JSON.stringify(SHAPES)};
const grace = '300ms';
const lives = task({
  summary: 'Live on.', input: { shape: z.int(), n: z.int() }, grace, lock: ({ input }) => 'lock-' + input.n,
  async run({ input, exec, defer }) {
    defer(({ exec }) => exec(['true']));
    await exec(['bash', '-c', SHAPES[input.shape]]);
    await exec(['sleep', '1000']);
  },
});
const service = task({
  summary: 'Serve.', grace, service: { ready: { log: 'up' }, restart: 'always' },
  async run({ exec }) { await freePort(); void exec(['bash', '-c', 'echo up; exec sleep 1000']); },
});
const tries = task({
  summary: 'Try.', grace, retry: { times: 1000, delay: '10ms' }, lock: 'tries',
  async run({ exec, call }) { await exec(['true']); await call(lives, { shape: 0, n: 9 }); throw new Error('again'); },
});
const all = task({
  summary: 'All.', input: { first: z.int(), second: z.int() },
  needs: ({ input }) => [lives({ shape: input.first, n: 1 }), lives({ shape: input.second, n: 2 }), tries()],
});
const user = task({ summary: 'Use.', needs: ({}) => [service()], grace, run: ({ exec }) => exec(['sleep', '1000']) });
const both = task({ summary: 'Both.', input: { first: z.int(), second: z.int() }, needs: ({ input }) => [all(input), user()] });
const locked = task({ summary: 'Take all locks.', lock: ['lock-1', 'lock-2', 'lock-9', 'tries'], run() {} });
export default defineConfig({ tasks: { both, locked }, jobs: 8 });
`;

/** How a host is stopped, and with which code it may end. */
const WAYS = [
  { signals: ['SIGINT'], code: 130 },
  { signals: ['SIGTERM'], code: 143 },
  { signals: ['SIGHUP'], code: 129 },
  { signals: ['SIGINT', 'SIGINT'], code: 130 },
  { signals: ['SIGKILL'], code: 137 },
];
const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

function survivorsOf(mark) {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`)) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')}`];
    } catch {
      return [];
    }
  });
}

const started = performance.now();
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-soak-')));
const random = randomFrom(SEED);
const wrong = [];
const counts = { stops: 0, survivors: 0, codes: 0, locks: 0 };
let slowestKillMs = 0;

writeFileSync(join(folder, 'tasks.config.ts'), CONFIG);

async function stopOne(number, plan) {
  const own = join(folder, `run-${number}`);
  mkdirSync(own);
  const mark = `${number}-${SEED}-${process.pid}`;
  const env = { PATH: process.env.PATH, HOME: own, XDG_RUNTIME_DIR: own, [MARK]: mark };
  const words = [COMMAND_LINE, '-C', folder, '-r', 'lines', 'both', '--first', plan.first, '--second', plan.second].map(String);
  const child = spawn(process.execPath, words, { cwd: own, env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? 128 + NUMBERS[signal])));
  await pause(plan.afterMs);
  for (const signal of plan.way.signals) child.kill(signal);
  const code = await ended;
  counts.stops++;
  const isKilled = plan.way.code === 137;
  const diedAt = performance.now();
  // Only the watcher of one that was killed has work left to do, and a limit for it.
  if (isKilled) {
    while (survivorsOf(mark).length > 0 && performance.now() - diedAt < 10_000) await pause(20);
    slowestKillMs = Math.max(slowestKillMs, performance.now() - diedAt);
  }
  const left = survivorsOf(mark);
  if (left.length > 0) {
    counts.survivors += left.length;
    wrong.push(`stop ${number} (${plan.way.signals} after ${plan.afterMs} ms): still there: ${left.join('; ')}`);
    for (const line of left) process.kill(Number(line.split(' ')[0]), 'SIGKILL');
  }
  if (code !== plan.way.code) {
    counts.codes++;
    wrong.push(`stop ${number} (${plan.way.signals} after ${plan.afterMs} ms): exit code ${code}, expected ${plan.way.code}`);
  }
  const locks = locksIn(own);
  // One that was killed leaves files behind, which are nobody's: the next one takes them.
  if (locks.length > 0 && !isKilled) {
    counts.locks += locks.length;
    wrong.push(`stop ${number} (${plan.way.signals} after ${plan.afterMs} ms): locks left: ${locks.join(', ')}`);
  }
  if (locks.length > 0 && isKilled) {
    const taker = spawn(process.execPath, [COMMAND_LINE, '-C', folder, '--fail-if-locked', 'locked'], { cwd: own, env, stdio: 'ignore' });
    const taken = await new Promise((resolve) => taker.once('exit', resolve));
    if (taken !== 0) {
      counts.locks++;
      wrong.push(`stop ${number}: the locks of one that was killed were not to be had (${taken})`);
    }
  }
  rmSync(own, { recursive: true, force: true });
}

function locksIn(own) {
  try {
    return readdirSync(join(own, 'taskwright/locks'));
  } catch {
    return [];
  }
}

const plans = Array.from({ length: STOPS }, () => ({
  way: WAYS[Math.floor(random() * WAYS.length)],
  afterMs: Math.floor(random() * LATEST_MS),
  first: Math.floor(random() * SHAPES.length),
  second: Math.floor(random() * SHAPES.length),
}));
let next = 0;
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (next < plans.length) {
      const number = next++;
      await stopOne(number, plans[number]);
      if (counts.stops % 100 === 0)
        console.log(`${counts.stops} stops, ${wrong.length} wrong, ${Math.round((performance.now() - started) / 1000)} s`);
    }
  }),
);
rmSync(folder, { recursive: true, force: true });
for (const line of wrong) console.error(line);
console.log(
  `${counts.stops} stops with seed ${SEED}: ${counts.survivors} survivors, ${counts.codes} wrong exit codes, ${counts.locks} locks left; ` +
    `the slowest end after kill -9 took ${Math.round(slowestKillMs)} ms; ${Math.round((performance.now() - started) / 1000)} s in all`,
);
process.exitCode = wrong.length > 0 ? 1 : 0;
