import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { sandboxFiles } from '../../tasks/support/sandbox/files.ts';
import { parsePage } from '../support/pages.ts';
import { ENV, PROJECT, REPOSITORY, leftOf, testWith } from '../support/real-tools.ts';

// The set-up of vitest as docs/guide/programs.md has it, word for word, on real Redis and RabbitMQ.
const test = testWith(['docker']);
/** Data stays, as with `docker compose down`. */
const VOLUMES = [`${PROJECT}_database_data`, `${PROJECT}_database_logs`];
const folder = join(REPOSITORY, '.tasks', `global-setup-${process.pid}`);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  execFileSync('docker', ['volume', 'rm', '--force', ...VOLUMES], { stdio: 'ignore' });
});

test('a test suite gets typed endpoints of services that it needs, and nothing is left of them but their data (R37, R41)', () => {
  const page = parsePage('docs/guide/programs.md', readFileSync(join(REPOSITORY, 'docs/guide/programs.md'), 'utf8'));
  const files = page.blocks.flatMap(({ text }) => {
    const [, name] = text.match(/^\/\/ ((?:tests\/|vitest)[\w./-]+\.ts)\n/) ?? [];
    return name === undefined ? [] : [[join('project', name), text] as const];
  });
  const checkout = Object.entries(sandboxFiles).map(([path, text]) => [join('infrahub', path), text] as const);
  // What `tasks override` does: with it the ports are published.
  const override = checkout.flatMap(([path, text]) =>
    path.endsWith('dev-override.yml.tmp') ? [[path.replace(/\.tmp$/, ''), text] as const] : [],
  );
  expect([...files.map(([path]) => path), ...override.map(([path]) => path)]).toHaveLength(4);
  for (const [path, text] of [...files, ...checkout, ...override]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  const vitest = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
  const ran = spawnSync(process.execPath, [vitest, 'run'], { cwd: join(folder, 'project'), env: { ...ENV, CI: 'true' }, encoding: 'utf8' });

  expect(`${ran.stdout}${ran.stderr}`).toContain('2 passed');
  expect(ran.status).toBe(0);
  expect(leftOf(PROJECT).filter((left) => !VOLUMES.includes(left))).toEqual([]);
});
