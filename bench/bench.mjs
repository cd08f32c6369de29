// Whole processes of the built command line, each paired with a plain one that does the least that
// could do the same. Medians of the pairs' ratios: times of one machine say little, ratios travel.
//
//   npm run bench                 15 pairs a row
//   npm run bench -- --pairs 50   more, for a decision
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const bin = fileURLToPath(new URL('../dist/lib/cli/bin.js', import.meta.url));
const { values } = parseArgs({ options: { pairs: { type: 'string', default: '15' } } });
const pairs = Number(values.pairs);
if (!Number.isSafeInteger(pairs) || pairs < 1) fail('--pairs: expected a whole number from 1');
if (!existsSync(bin)) fail('there is no build; run `npm run build`');

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';

const nothing = task({ summary: 'Do nothing.', run: () => {} });
const commands = task({
  summary: 'Run commands, one after the other.',
  input: { count: z.number().default(100), shell: z.boolean().default(false) },
  async run({ input, $, exec }) {
    for (let done = 0; done < input.count; done++) await (input.shell ? $\`true\` : exec(['true']));
  },
});
const steps = Object.fromEntries(
  Array.from({ length: 100 }, (_, index) => ['step' + index, task({ summary: 'One of many.', run: () => {} })]),
);
const many = task({ summary: 'Need a hundred steps.', needs: steps });

export default defineConfig({ tasks: { nothing, commands, steps, many } });
`;

const EMPTY = ['-e', '0'];
const SPAWNS = `
const { spawn } = require('node:child_process');
const next = (left) => left > 0 && spawn('true', { stdio: 'pipe' }).on('close', () => next(left - 1));
next(100);`;
const BASHES = SPAWNS.replace("spawn('true',", "spawn('bash', ['-c', 'true'],");

/**
 * What is measured, and the plain program of the same Node it is measured against.
 *
 * @type {[title: string, argv: string[], against: string, plain: string[]][]}
 */
const rows = [
  ['--version', ['--version'], 'node -e 0', EMPTY],
  ['--list', ['--list'], 'node -e 0', EMPTY],
  ['one task, no commands', ['nothing'], 'node -e 0', EMPTY],
  ['100 steps, no commands', ['many'], 'node -e 0', EMPTY],
  ['100 commands by exec', ['commands'], '100 spawns', ['-e', SPAWNS]],
  ['100 commands by $', ['commands', '--shell'], '100 spawns of bash', ['-e', BASHES]],
];

const project = mkdtempSync(join(tmpdir(), 'taskwright-bench-'));
try {
  writeFileSync(join(project, 'tasks.config.ts'), CONFIG);
  console.log(`Node ${process.version}, ${pairs} pairs a row, warm; medians\n`);
  console.log(line('', 'ours', 'plain', 'ratio', 'spread', 'against'));
  for (const [title, argv, against, plain] of rows) {
    const measured = measure([bin].concat(argv), plain);
    console.log(line(title, ms(measured.ours), ms(measured.plain), `x${measured.ratio.toFixed(2)}`, measured.spread, against));
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}

function measure(ours, plain) {
  timeOf(ours);
  timeOf(plain);
  // Turn about, so that what slows the machine down slows both.
  const times = Array.from({ length: pairs }, () => ({ ours: timeOf(ours), plain: timeOf(plain) }));
  const ratios = sorted(times.map((pair) => pair.ours / pair.plain));
  return {
    ours: quantile(sorted(times.map((pair) => pair.ours)), 0.5),
    plain: quantile(sorted(times.map((pair) => pair.plain)), 0.5),
    ratio: quantile(ratios, 0.5),
    spread: `${quantile(ratios, 0.25).toFixed(2)}–${quantile(ratios, 0.75).toFixed(2)}`,
  };
}

function timeOf(argv) {
  // Node 20 parses that file at each start, ours and the plain one alike: it would hide the difference.
  const env = { ...process.env, CI: 'true' };
  delete env.NODE_EXTRA_CA_CERTS;
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { cwd: project, env, encoding: 'utf8' });
  const time = performance.now() - start;
  if (status !== 0) throw new Error(`\`${argv.join(' ')}\` ended with ${status}\n${stderr}`);
  return time;
}

function sorted(numbers) {
  return numbers.toSorted((left, right) => left - right);
}

function quantile(ascending, part) {
  return ascending[Math.floor((ascending.length - 1) * part)];
}

function ms(time) {
  return `${time.toFixed(0)} ms`;
}

function line(title, ours, plain, ratio, spread, against) {
  return `${title.padEnd(24)}${ours.padStart(9)}${plain.padStart(9)}${ratio.padStart(9)}  ${spread.padEnd(12)}${against}`;
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}
