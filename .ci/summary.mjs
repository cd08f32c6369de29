// The closing lines of .ci/run: what became of each phase, then `N passed, N failed` alone.
//
//   node .ci/summary.mjs FOLDER    with `phases` (name, how it ended, seconds, why) and vitest's NAME.json
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? '.';
const phases = readFileSync(join(folder, 'phases'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [name = '', ended = '', seconds = '', why = ''] = line.split('\t');
    return { name, ended, seconds, why, ...countsOf(name, ended) };
  });

console.log('');
for (const { name, ended, seconds, why, passed, failed } of phases) {
  const tests = passed + failed > 1 ? `${passed} passed, ${failed} failed` : '';
  console.log(`${name.padEnd(14)}${ended.padEnd(10)}${`${seconds} s`.padStart(6)}  ${[tests, why].filter(Boolean).join('; ')}`.trimEnd());
}

const failed = total('failed');
console.log(`\n${total('passed')} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function total(what) {
  return phases.reduce((sum, phase) => sum + phase[what], 0);
}

function countsOf(name, ended) {
  if (ended === 'left out') return { passed: 0, failed: 0 };
  const hasFailed = ended === 'failed';
  const file = join(folder, `${name}.json`);
  if (!existsSync(file)) return { passed: hasFailed ? 0 : 1, failed: hasFailed ? 1 : 0 };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  // A file that does not load has no tests to count, and fails all the same.
  const broken = testResults.filter(
    (result) => result.status === 'failed' && result.assertionResults.every(({ status }) => status !== 'failed'),
  );
  const failures = numFailedTests + broken.length;
  return { passed: numPassedTests, failed: hasFailed ? Math.max(failures, 1) : failures };
}
