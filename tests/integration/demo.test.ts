import { createServer } from 'node:net';
import { afterAll, beforeAll, expect } from 'vitest';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT, leftOf, tasks, testWith } from '../support/real-tools.ts';

const test = testWith(['docker', 'poetry', 'ruff', 'yamllint']);
let root: string;
let checkout: string;
beforeAll(() => {
  // A space and letters beyond ASCII. Poetry itself fails in folders with shell characters in their names.
  root = join(realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-'))), 'a folder ünï');
  mkdirSync(root);
  checkout = join(root, '.sandbox', 'infrahub-sandbox');
  writeFileSync(
    join(root, 'tasks.config.ts'),
    "import { defineConfig } from 'taskwright';\nimport * as infrahub from 'taskwright/tasks';\nexport default defineConfig({ tasks: { ...infrahub } });\n",
  );
});
afterAll(async () => {
  await tasks(['sandbox-down'], { cwd: root });
  rmSync(join(root, '..'), { recursive: true, force: true });
});
const inCheckout = (...argv: string[]) => tasks(argv, { cwd: checkout, env: { CI: 'true' } });

test('the guide up to the services, then the same again: nothing is done twice', async () => {
  const first = await tasks(['guide', '--sandbox', '--yes', '--keep'], { cwd: root });
  expect(first.stdout + first.stderr).not.toContain('✖');
  expect(first.stdout + first.stderr).not.toContain('poetry.lock is not consistent');
  expect(first.code).toBe(0);
  expect(first.stdout + first.stderr).toContain('6 passed');

  const second = await tasks(['-r', 'json', 'guide', '--sandbox', '--yes', '--keep'], { cwd: root });
  const ended = second.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; step: string; outcome?: { status: string } });
  const statuses = Object.fromEntries(
    ended.filter((event) => event.type === 'step-ended').map((event) => [event.step, event.outcome?.status]),
  );
  expect(second.code).toBe(0);
  expect(statuses).toMatchObject({
    clone: 'up-to-date',
    'git.switch': 'up-to-date',
    'env.init': 'up-to-date',
    override: 'up-to-date',
    'demo.destroy': 'done',
    'demo.dev-start': 'done',
    yamllint: 'up-to-date',
  });
});

test('demo.destroy demo.dev-start --wait demo.status, twice: three healthy services and the table', async () => {
  for (const round of [1, 2]) {
    const ran = await inCheckout('--database', 'memgraph', '--yes', 'demo.destroy', 'demo.dev-start', '--wait', 'demo.status');
    expect([round, ran.code]).toEqual([round, 0]);
    expect(ran.stdout.match(/running +healthy/g)).toHaveLength(3);
  }
});

test('dev-start again changes nothing, and its own ports count as free', async () => {
  const ran = await inCheckout('demo.dev-start', '--database', 'memgraph', '--wait');
  expect(ran.stdout + ran.stderr).not.toContain('Recreat');
  expect(ran.code).toBe(0);
});

test('destroy asks when volumes would go, and refuses where nobody answers', async () => {
  const ran = await inCheckout('demo.destroy', '--database', 'memgraph');
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain(`Remove project ${PROJECT} with its data (volumes `);
  expect(leftOf(PROJECT).length).toBeGreaterThan(3);
});

test('a refusal of the schema is a failure, though the program exits with 0', async () => {
  const ran = await inCheckout('schema.load', 'models/refused.yml');
  expect(ran.code).toBe(1);
  const said = ran.stdout + ran.stderr;
  expect(said).toContain('refused the schema');
  expect(said).toContain("'name' must be in CamelCase");
});

test('a chain with a wrong value touches nothing (D4)', async () => {
  const ran = await inCheckout('--yes', 'demo.destroy', 'demo.dev-start', '--database=bogus');
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('expected "neo4j" or "memgraph", got "bogus"');
  expect(leftOf(PROJECT).length).toBeGreaterThan(3);
});

test('destroy leaves nothing, and a port taken by somebody else is told with its service', async () => {
  expect((await inCheckout('demo.destroy', '--database', 'memgraph', '--yes')).code).toBe(0);
  expect(leftOf(PROJECT)).toEqual([]);

  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(6379, resolve));
  const ran = await inCheckout('demo.dev-start', '--database', 'memgraph');
  await new Promise((resolve) => stranger.close(resolve));
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain('port 6379 (cache) is taken by something else');
  expect(leftOf(PROJECT)).toEqual([]);
});

test('an image that is not there fails with what docker says, and the code of docker', async () => {
  const ran = await tasks(['demo.dev-start'], {
    cwd: checkout,
    env: { DATABASE_DOCKER_IMAGE: 'no-such-image-anywhere:1', INFRAHUB_DB_TYPE: 'memgraph' },
  });
  expect(ran.code).toBeGreaterThan(0);
  expect(ran.stderr).toMatch(/no-such-image-anywhere|pull access denied|Error/);
  await inCheckout('demo.destroy', '--database', 'memgraph', '--yes');
});

test('no engine is one clear message', async () => {
  const ran = await tasks(['demo.status'], { cwd: checkout, env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  expect(ran.code).toBe(3);
  expect(ran.stderr).toContain('the Docker engine does not answer');
});
