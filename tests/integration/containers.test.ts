import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { sandboxFiles } from '../../tasks/support/sandbox/files.ts';
import { containerFiles } from '../support/container-files.ts';
import { PROJECT, leftOf, namelessVolumesOf, tasks, testWith } from '../support/real-tools.ts';

// The whole demo in real containers: built, started, looked into, restarted, destroyed.
const test = testWith(['docker']);
const IMAGE = 'taskwright-integration-server';
const env = { CI: 'true', INFRAHUB_DB_TYPE: 'memgraph', INFRAHUB_IMAGE_NAME: IMAGE, INFRAHUB_IMAGE_VER: '1' };

let root: string;
let checkout: string;
const nameless = new Set<string>();
const CONFIG = `
import { defineConfig, task } from 'taskwright';
import * as infrahub from 'taskwright/tasks';
import { compose } from 'taskwright/tasks/compose';
const backing = compose({ files: ['backing.yml'], project: '${PROJECT}-own', services: { store: 6379 } });
const using = task({ summary: 'Use the services.', needs: { services: infrahub.demo.services({ infrahub: 'checkout' }) }, run: ({ needs }) => needs.services });
const own = task({ summary: 'Use our own.', needs: { backing }, async run({ needs, print }) {
  const { connect } = await import('node:net');
  const answer = await new Promise((resolve, reject) => {
    const socket = connect(needs.backing.store, () => socket.write('PING\\r\\n'));
    socket.once('data', (data) => { socket.destroy(); resolve(String(data).trim()); }).once('error', reject);
  });
  print(answer + '\\n');
} });
export default defineConfig({ tasks: { ...infrahub, using, own } });
`;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-')));
  checkout = join(root, 'checkout');
  for (const [path, text] of Object.entries({ ...sandboxFiles, ...containerFiles })) {
    mkdirSync(dirname(join(checkout, path)), { recursive: true });
    writeFileSync(join(checkout, path), text);
  }
  writeFileSync(join(root, 'tasks.config.ts'), CONFIG);
  writeFileSync(
    join(root, 'backing.yml'),
    'services: { store: { image: "redis:7.2", ports: ["6379"], healthcheck: { test: "redis-cli ping", interval: 1s } } }\n',
  );
});
afterAll(async () => {
  await here('--yes', 'demo.destroy');
  if (nameless.size > 0) execFileSync('docker', ['volume', 'rm', '--force', ...nameless], { stdio: 'ignore' });
  execFileSync('docker', ['image', 'rm', '--force', `${IMAGE}:1`], { stdio: 'ignore' });
  rmSync(root, { recursive: true, force: true });
});
const here = (...argv: string[]) => {
  for (const volume of namelessVolumesOf(PROJECT)) nameless.add(volume);
  return tasks(argv, { cwd: checkout, env });
};

test('build, start --wait, wait-healthy: a server, its workers and its services, healthy', async () => {
  const ran = await here('demo.build', 'demo.start', '--wait', 'demo.wait-healthy', '--expected', '4', 'demo.status');
  expect([ran.code, ran.stderr.match(/^error.*/m)]).toEqual([0, null]);
  expect(ran.stdout.match(/running +healthy/g)).toHaveLength(4);
  expect(execFileSync('docker', ['image', 'inspect', '--format', '{{.Config.Labels.python}}', `${IMAGE}:1`], { encoding: 'utf8' })).toBe(
    '3.11\n',
  );
});

test('the example: schema, data, repository; once more changes nothing, and leaves no container', async () => {
  const before = leftOf(PROJECT).length;
  const chain = [
    'demo.load-infra-schema',
    'demo.load-infra-data',
    'demo.infra-git-import',
    'demo.infra-git-create',
    '--token',
    'a-token-for-the-server',
  ];

  const first = await here(...chain);
  expect([first.code, first.stderr.match(/^error.*/m)]).toEqual([0, null]);
  expect(first.stderr).toContain('infrahubctl schema load models/infrastructure_base.yml in /source');
  expect(first.stderr).toContain('git commit -m first in /remote/infrahub-demo-edge');
  expect(first.stdout + first.stderr).not.toContain('a-token-for-the-server');

  const second = await here('demo.infra-git-import');
  expect(second.stderr).toContain('is a repository already');
  expect(leftOf(PROJECT)).toHaveLength(before);
});

test('shells open in the running container; without a terminal they end at once', async () => {
  const ran = await here('demo.cli-server', 'demo.cli-git');
  expect(ran.code).toBe(0);
});

test('restart, stop, and what is done inside is refused once nothing runs', async () => {
  expect((await here('demo.restart', 'demo.stop')).code).toBe(0);
  const refused = await here('demo.load-infra-data');
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(`service \`infrahub-server\` of project ${PROJECT} does not run`);
  expect(refused.stderr).toContain('tasks demo.start --wait');
});

test('an image that no registry has fails with what docker says', async () => {
  const ran = await tasks(['demo.pull'], { cwd: checkout, env: { ...env, DATABASE_DOCKER_IMAGE: 'localhost:9/none:1' } });
  expect(ran.code).not.toBe(0);
  expect(ran.stderr).toContain('localhost:9');
});

test('tests in docker: their exit code, and what it means; formats with the tools of the container', async () => {
  const passed = await here('backend.test-unit', '--', '-k', 'schema');
  expect(passed.stdout).toContain('pytest -n 1 -v --cov=infrahub backend/tests/unit -k schema with memgraph');
  expect(passed.code).toBe(0);
  const none = await here('backend.test-integration');
  expect([none.code, none.stderr.includes('no test was collected')]).toEqual([5, true]);
  const formatted = await here('sdk.format', '--docker');
  expect(formatted.stdout).toContain('ruff check --fix python_sdk/ --config python_sdk/pyproject.toml in /source');
  expect((await here('backend.test-scale-env-start')).code).toBe(0);
  expect((await here('backend.test-scale-env-destroy')).code).toBe(0);
});

test("D20: the other database is not started on a volume that holds one's data", async () => {
  expect((await here('--yes', 'demo.destroy', 'demo.dev-start')).code).toBe(0);
  expect((await here('demo.dev-stop')).code).toBe(0);
  const volume = `${PROJECT}_database_data`;
  const fill = ['run', '--rm', '--mount', `type=volume,source=${volume},target=/data`, '--entrypoint', 'mkdir', 'memgraph/memgraph:2.13.0'];
  execFileSync('docker', [...fill, '/data/snapshots', '/data/wal']);

  const refused = await tasks(['demo.dev-start'], { cwd: checkout, env: { ...env, INFRAHUB_DB_TYPE: 'neo4j' } });
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(`volume ${volume} holds the data of memgraph, and neo4j cannot use it`);
  expect((await here('demo.dev-start')).code).toBe(0);
});

test('D27: start says which ports it takes from a local server', async () => {
  expect((await here('override', 'demo.dev-start', '--wait')).code).toBe(0);
  const ran = await here('demo.start');
  expect(ran.stderr).toContain('cache, database, message-queue: recreated without the ports that they have now');
});

test('demo.services: what it starts is gone after its user, what ran before stays (R37)', async () => {
  expect((await here('--yes', 'demo.destroy')).code).toBe(0);
  const containers = (): string[] =>
    execFileSync('docker', ['ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${PROJECT}`], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean);

  const alone = await tasks(['--json', 'using'], { cwd: root, env });
  expect([alone.code, alone.stderr.match(/^error.*/m)]).toEqual([0, null]);
  const { targets } = JSON.parse(alone.stdout) as { targets: { output: unknown }[] };
  expect(targets[0]?.output).toEqual({
    database: { host: '127.0.0.1', port: 7687, type: 'memgraph' },
    cache: { host: '127.0.0.1', port: 6379 },
    messageQueue: { host: '127.0.0.1', port: 5672 },
  });
  expect(containers()).toEqual([]);

  expect((await here('demo.dev-start', '--wait')).code).toBe(0);
  const running = containers();
  expect((await tasks(['using'], { cwd: root, env })).code).toBe(0);
  expect(containers()).toEqual(running);
});

test("compose(): anybody's compose file as a service, on whatever port is free", async () => {
  const ran = await tasks(['own'], { cwd: root, env });
  expect([ran.code, ran.stdout.includes('+PONG')]).toEqual([0, true]);
  expect(leftOf(`${PROJECT}-own`)).toEqual([]);
});

test('destroy leaves nothing', async () => {
  expect((await here('--yes', 'demo.destroy')).code).toBe(0);
  expect(leftOf(PROJECT)).toEqual([]);
});
