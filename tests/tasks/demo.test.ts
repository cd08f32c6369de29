import { chmodSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testTask } from '../../lib/testing.ts';
import type { GivenCommand } from '../../lib/testing.ts';
import { clone } from '../../tasks/clone.ts';
import * as demo from '../../tasks/demo.ts';
import * as env from '../../tasks/env.ts';
import * as git from '../../tasks/git.ts';
import { install } from '../../tasks/install.ts';
import { override } from '../../tasks/override.ts';
import * as schema from '../../tasks/schema.ts';
import { sandboxDown } from '../../tasks/sandbox-down.ts';
import { sandboxFiles } from '../../tasks/support/sandbox/files.ts';
import { composeSettings, projectName } from '../../tasks/support/settings.ts';
import { january2024 } from '../../tasks/support/layouts/january-2024.ts';
import { parsePs, renderServices } from '../../tasks/support/services.ts';
import * as unitTests from '../../tasks/test.ts';
import { projectWith } from '../support/project.ts';

/** A checkout, by default named as a real one is. */
const checkoutWith = (files: Readonly<Record<string, string>> = {}, name = 'infrahub') => projectWith({ ...sandboxFiles, ...files }, name);

const PS =
  '{"ID":"1","Service":"cache","Image":"redis:7.2","State":"running","Health":"healthy","Publishers":[{"PublishedPort":6379,"TargetPort":6379},{"PublishedPort":6379,"TargetPort":6379}]}\n';
/** Docker answers and everything works. */
const working = (command: GivenCommand) => (command.argv?.includes('ps') && command.argv.includes('json') ? PS : '');
const composeLines = (commands: readonly GivenCommand[]): string[] =>
  commands.map((command) => command.line).filter((line) => / (up|down|restart) ?/.test(line));
const failing = (message: RegExp) =>
  expect.objectContaining({ failure: expect.objectContaining({ message: expect.stringMatching(message) }) });

test('dev-start and destroy give the exact commands, files from the root whatever the folder (D1, D9)', async () => {
  const checkout = checkoutWith({ 'development/docker-compose.dev-override.yml': 'services: {}\n' });
  const input = { infrahub: checkout.root };

  const started = await testTask(demo.devStart, { input, commands: working, root: '/' });
  const destroyed = await testTask(demo.destroy, { input, commands: working, root: '/' });

  expect(composeLines(started.commands)).toEqual([
    'docker compose -f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -f development/docker-compose.dev-override.yml -p infrahub up -d',
  ]);
  expect(composeLines(destroyed.commands)).toEqual([
    'docker compose -f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -f development/docker-compose.yml -f development/docker-compose.default.yml -p infrahub down --remove-orphans --volumes --timeout 1',
  ]);
  expect(started.commands.at(-1)?.cwd).toBe(checkout.root);
});

test('a second call gives the same command: no list of files is shared (D1)', async () => {
  const checkout = checkoutWith({ 'development/docker-compose.override.yml': 'services: {}\n' });
  const lines = async () => composeLines((await testTask(demo.start, { input: { infrahub: checkout.root }, commands: working })).commands);

  const first = await lines();
  expect(first).toEqual([
    expect.stringContaining('-f development/docker-compose.yml -f development/docker-compose.override.yml -p infrahub up -d'),
  ]);
  expect(await lines()).toEqual(first);
});

test('--database sets files, type and image together (D3)', async () => {
  const checkout = checkoutWith();

  const { commands } = await testTask(demo.devStart, { input: { infrahub: checkout.root, database: 'memgraph' }, commands: working });

  const up = commands.find((command) => command.argv?.includes('up'));
  expect(up?.line).toContain('docker-compose-database-memgraph.yml');
  expect(up?.env).toMatchObject({
    IMAGE_NAME: 'opsmill/infrahub-py3.11',
    IMAGE_VER: '0.9.1',
    PYTHON_VER: '3.11',
    INFRAHUB_BUILD_NAME: 'infrahub',
    NBR_WORKERS: '1',
    CACHE_DOCKER_IMAGE: 'redis:7.2',
    MESSAGE_QUEUE_DOCKER_IMAGE: 'rabbitmq:3.12-management',
    INFRAHUB_DB_TYPE: 'memgraph',
    DATABASE_DOCKER_IMAGE: 'memgraph/memgraph:2.13.0',
  });
});

test('variables change settings by their precedence; IMAGE_NAME alone is not theirs (D2, D10)', () => {
  const { root } = checkoutWith();
  const settings = (given: Parameters<typeof composeSettings>[1]) =>
    composeSettings({ checkout: root, layout: january2024, use: 'demo', database: 'neo4j' }, given);

  expect(settings({ DATABASE_DOCKER_IMAGE: 'own:1', NEO4J_DOCKER_IMAGE: 'neo4j:5' }).DATABASE_DOCKER_IMAGE).toBe('own:1');
  expect(settings({ NEO4J_DOCKER_IMAGE: 'neo4j:5', MEMGRAPH_DOCKER_IMAGE: 'm:1' }).DATABASE_DOCKER_IMAGE).toBe('neo4j:5');
  expect(settings({ INFRAHUB_IMAGE_NAME: 'a/b', INFRAHUB_IMAGE_VER: '1.0 beta' })).toMatchObject({
    IMAGE_NAME: 'a/b',
    IMAGE_VER: '1.0 beta',
  });
  expect(settings({ PYTHON_VER: '3.10' })).toMatchObject({ PYTHON_VER: '3.10', IMAGE_NAME: 'opsmill/infrahub-py3.10' });
});

test.each([
  ['infra-hub', 'infrahub'],
  ['Infra Hub', 'infrahub'],
  ["infra'hub;$(x)", 'infrahubx'],
])('a folder named %j gives the project %j (D7, D8)', (folder, project) => {
  expect(projectName(`/some/${folder}`, {})).toBe(project);
});

test.each([['-'], ['日本']])('a folder named %j cannot name a project, and is told before anything is done (D8)', (folder) => {
  expect(() => projectName(`/some/${folder}`, {})).toThrow(/cannot name a compose project/);
  expect(() => projectName('/some/x', { INFRAHUB_BUILD_NAME: 'Infrahub.Dev' })).toThrow('from `INFRAHUB_BUILD_NAME`');
});

test('hostile values reach docker as they are (D6)', async () => {
  const checkout = checkoutWith({}, "infra hub's (1) & $(x)");

  const { commands } = await testTask(demo.devStop, {
    input: { infrahub: checkout.root },
    env: { INFRAHUB_IMAGE_VER: '1.0;touch${IFS}injected;true' },
    commands: working,
  });

  const down = commands.find((command) => command.argv?.includes('down'));
  expect([down?.env['IMAGE_VER'], down?.cwd, down?.argv?.at(-2)]).toEqual(['1.0;touch${IFS}injected;true', checkout.root, 'infrahubs1x']);
});

test('without the dev override it is said that no port is published (D18)', async () => {
  const { log } = await testTask(demo.devStart, { input: { infrahub: checkoutWith().root }, commands: working });

  expect(log.join('\n')).toContain('no port is published');
});

test('--wait names the service that is not healthy, with its last words (D16)', async () => {
  const rows = '{"ID":"7","Service":"database","State":"running","Health":"unhealthy"}\n';

  const result = await testTask(demo.devStart, {
    input: { infrahub: checkoutWith().root, wait: true },
    commands: (command) =>
      command.argv?.includes('json')
        ? rows
        : command.argv?.includes('inspect')
          ? 'probe failed\n'
          : command.argv?.includes('logs')
            ? 'out of memory\n'
            : '',
  });

  expect(result).toEqual(failing(/^service `database` is unhealthy$/));
  expect(result.failure?.facts?.join('\n')).toContain('probe failed');
  expect(result.failure?.facts?.join('\n')).toContain('out of memory');
});

test('status is typed data and the table of the guide, from both forms of compose', async () => {
  const { output, printed } = await testTask(demo.status, { input: { infrahub: checkoutWith().root }, commands: working });

  expect(output?.services).toEqual([
    { service: 'cache', image: 'redis:7.2', state: 'running', health: 'healthy', ports: [{ published: 6379, target: 6379 }] },
  ]);
  expect(printed).toBe('SERVICE  IMAGE      STATE    HEALTH   PORTS\ncache    redis:7.2  running  healthy  6379\n');
  expect(parsePs(`[${PS.trim()}]`)).toEqual(parsePs(PS));
  expect(renderServices(parsePs(''))).toBe('no service is running\n');
});

test("compose's exit code is the task's (D22)", async () => {
  const result = await testTask(demo.stop, {
    input: { infrahub: checkoutWith().root },
    commands: (command) => (command.argv?.includes('down') ? { exitCode: 17, stderr: 'no\n' } : ''),
  });

  expect(result.exitCode).toBe(17);
});

// ── Clone, switch, settings, override, install ───────────────────────────────────────────────────

test('clone leaves a clone of the same origin alone, and refuses what is something else', async () => {
  const there = projectWith({ 'x/.git/HEAD': '', 'y/file': '' });
  const commands = { [`git -C ${there.path('x')} remote get-url origin`]: 'url\n' };

  expect((await testTask(clone, { input: { url: 'url', target: there.path('x') }, commands })).outcome.status).toBe('up-to-date');
  expect(await testTask(clone, { input: { url: 'url', target: there.path('y') }, commands })).toEqual(failing(/is no clone of url$/));
  const cloned = await testTask(clone, { input: { url: '-u', target: there.path('z') }, commands: [[/^git clone/, '']] });
  expect(cloned.commands.map((command) => command.argv)).toEqual([['git', 'clone', '--', '-u', there.path('z')]]);
});

test("git's own failure is passed on, and a branch that is there needs nothing", async () => {
  const { root } = checkoutWith();
  const now = `git -C ${root} rev-parse --abbrev-ref HEAD`;

  expect((await testTask(git.switch, { input: { infrahub: root }, commands: { [now]: 'develop\n' } })).outcome.status).toBe('up-to-date');
  expect(
    (await testTask(git.switch, { input: { infrahub: root }, commands: { [now]: 'main\n', 'git switch develop': { exitCode: 128 } } }))
      .exitCode,
  ).toBe(128);
});

test('env.init writes the nine settings once, for their owner, with a random token; a different file stays', async () => {
  const checkout = checkoutWith();
  const input = { infrahub: checkout.root, storage: checkout.path('storage') };
  const file = checkout.path('.envrc');

  const first = await testTask(env.init, { input });
  const text = readFileSync(file, 'utf8');
  expect(first.outcome.status).toBe('done');
  expect(text.match(/^export /gm)).toHaveLength(9);
  expect(text).toMatch(/^export INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN=[0-9a-f]{32}$/m);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  expect((await testTask(env.init, { input })).outcome.status).toBe('up-to-date');
  chmodSync(file, 0o600);
  const differs = await testTask(env.init, { input: { ...input, database: 'neo4j' } });
  expect(differs).toEqual(failing(/is there and differs/));
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect((await testTask(env.init, { input: { ...input, database: 'neo4j', force: true } })).outcome.status).toBe('done');
  expect(readFileSync(file, 'utf8')).toContain('INFRAHUB_DB_TYPE=neo4j');
});

test('env.check tells all problems in one report (D17)', async () => {
  const checkout = checkoutWith({
    '.envrc': 'export INFRAHUB_PRODUCTION=maybe\nexport INFRAHUB_METRICS_PORT=8000\nexport INFRAHUB_SDK_TIMEOUT=soon\n',
  });

  const error: unknown = await testTask(env.check, { input: { infrahub: checkout.root } }).catch((caught: unknown) => caught);

  expect(error).toMatchObject({ exitCode: 2 });
  const facts = (error as { facts: string[] }).facts.join('\n');
  for (const name of [
    'PRODUCTION',
    'METRICS_PORT',
    'SDK_TIMEOUT',
    'SECRET_KEY',
    'SDK_USERNAME',
    'SDK_PASSWORD',
    'DB_TYPE',
    'ADMIN_TOKEN',
    'STORAGE',
  ])
    expect(facts).toContain(name);
});

test('env.show masks secrets and names origins', async () => {
  const checkout = checkoutWith({ '.envrc': 'export INFRAHUB_SDK_PASSWORD=infrahub\nexport INFRAHUB_SDK_TIMEOUT=20\n' });

  const { output, printed } = await testTask(env.show, { input: { infrahub: checkout.root }, env: { INFRAHUB_SDK_USERNAME: 'ada' } });

  expect(output?.settings).toEqual(
    expect.arrayContaining([
      { name: 'INFRAHUB_SDK_PASSWORD', value: '***', origin: '.envrc' },
      { name: 'INFRAHUB_SDK_USERNAME', value: 'ada', origin: 'environment' },
      { name: 'INFRAHUB_DB_TYPE', value: null, origin: null },
    ]),
  );
  expect(printed).not.toContain('=infrahub');
});

test('override copies once, and keeps one that differs', async () => {
  const checkout = checkoutWith();
  const input = { infrahub: checkout.root };

  expect((await testTask(override, { input })).outcome.status).toBe('done');
  expect((await testTask(override, { input })).outcome.status).toBe('up-to-date');
  checkout.write('development/docker-compose.dev-override.yml', 'mine');
  expect(await testTask(override, { input })).toEqual(failing(/differs from its template/));
  expect(readFileSync(checkout.path('development/docker-compose.dev-override.yml'), 'utf8')).toBe('mine');
  expect((await testTask(override, { input: { ...input, overwrite: true } })).outcome.status).toBe('done');
});

test('install, tests and schema: exact commands, and the failures that look like successes', async () => {
  const checkout = checkoutWith();
  const input = { infrahub: checkout.root };
  const lines = (commands: readonly GivenCommand[]): string[] =>
    commands.map((command) => command.line.replaceAll(checkout.root, '<repo>'));

  expect(lines((await testTask(install, { input, commands: [[/.*/, '']] })).commands)).toEqual(['poetry install']);
  const tests = await testTask(unitTests.unit, { input, commands: [[/.*/, { exitCode: 5 }]] });
  expect([tests.exitCode, tests.log, tests.commands[0]?.env['INFRAHUB_LOG_LEVEL']]).toEqual([5, ['no test was collected'], 'CRITICAL']);

  const loading = { ...input, paths: ['a.yml'], address: 'http://localhost:8000' };
  const refused = await testTask(schema.load, { input: loading, commands: [[/.*/, 'Unable to load the schema:\n  node 0: no\n']] });
  expect(refused).toEqual(failing(/refused the schema$/));
  expect(refused.failure?.facts).toEqual(['  node 0: no']);
});

test('sandbox-down has nothing to do where no sandbox is, and asks docker nothing', async () => {
  const { outcome, commands } = await testTask(sandboxDown, { root: projectWith({}).root });
  expect(outcome).toEqual({ status: 'up-to-date', reason: 'there is no sandbox' });
  expect(commands).toEqual([]);
});
