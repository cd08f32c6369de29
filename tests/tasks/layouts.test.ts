import { describe, expect, test } from 'vitest';
import { LAYOUTS } from '../../tasks/support/layouts/index.ts';
import { layoutIn } from '../../tasks/support/checkout.ts';
import { checkoutOf } from '../support/checkouts.ts';
import { projectWith } from '../support/project.ts';
import { at, walk as walkIn } from '../support/shipped.ts';
import { standIns } from '../support/stand-ins.ts';

// The layout of October 2024: recognised by its own files, and described, not programmed.
const ANSWERS = `
case "$program $*" in
'docker ps'*service=server*) echo 0123456789ab ;;
'docker ps'*Ports*) for port in 8000 7687 7474 7444 5672 15672 6379 4222; do echo "0.0.0.0:$port->$port/tcp"; done ;;
*'exec task-worker test -d'*) exit 1 ;;
esac
`;

function placed(answers = '') {
  const checkout = checkoutOf('October 2024');
  const programs = standIns(checkout, `${ANSWERS}${answers}`);
  const walk = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    walkIn(at(checkout, ...argv), programs, { root: checkout.root, env });
  return { checkout, programs, walk };
}

test('each checkout is recognised by its own files, and what is neither by nothing', () => {
  expect(layoutIn(checkoutOf('January 2024').root)?.name).toBe('January 2024');
  expect(layoutIn(checkoutOf('October 2024').root)?.name).toBe('October 2024');
  expect(layoutIn(projectWith({ 'pyproject.toml': '' }).root)).toBeUndefined();
});

test('every layout has all that the tasks ask for, and says nothing twice', () => {
  for (const layout of LAYOUTS) {
    for (const files of Object.values(layout.compose.files)) {
      const names = files.map((file) => JSON.stringify(file));
      expect(names).toEqual([...new Set(names)]);
    }
  }
  expect(new Set(LAYOUTS.map((layout) => layout.name)).size).toBe(LAYOUTS.length);
});

const FILES =
  '-f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -f development/docker-compose.yml -f development/docker-compose.default.yml';
const demo = (words: string) => `docker compose --profile demo ${FILES} -p infrahub ${words}`;
const dev = (words: string) => `docker compose --profile dev ${FILES} -f development/docker-compose.local-build.yml -p infrahub ${words}`;

describe.each<[string, readonly string[], readonly string[]]>([
  ['demo, from images of a registry', ['demo.start'], [demo('up -d')]],
  [
    'dev, from images that are built here',
    ['dev.build', '--service', 'server', 'dev.start'],
    [dev('build --build-arg PYTHON_VER=3.12 server'), dev('up -d')],
  ],
  [
    'dev.deps',
    ['dev.deps'],
    [
      'docker compose --profile dev -f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -p infrahub up -d',
    ],
  ],
  ['other names of services', ['demo.restart'], [demo('restart server'), demo('restart task-worker')]],
  [
    'schema and data',
    ['demo.load-infra-schema', 'demo.load-infra-data'],
    [
      demo('run --rm task-worker infrahubctl schema load models/base --wait 30'),
      demo('restart server'),
      demo('run --rm task-worker infrahubctl run models/infrastructure_edge.py'),
    ],
  ],
  [
    'the repository of the example',
    ['demo.infra-git-import'],
    [
      demo('exec task-worker test -d /remote/infrahub-demo-edge/.git'),
      demo('run --rm task-worker cp -r backend/tests/fixtures/repos/infrahub-demo-edge/initial__main /remote/infrahub-demo-edge'),
      demo('exec --workdir /remote/infrahub-demo-edge task-worker git init --initial-branch main'),
      demo('exec --workdir /remote/infrahub-demo-edge task-worker git add .'),
      demo('exec --workdir /remote/infrahub-demo-edge task-worker git commit -m first'),
    ],
  ],
  [
    'tests, with the message queue of their own',
    ['backend.test-core'],
    [
      'docker compose --profile test -f development/docker-compose-deps.yml -f development/docker-compose-test-database-neo4j.yml -f development/docker-compose-test-cache.yml -f development/docker-compose-test-message-queue.yml -f development/docker-compose-test.yml -p infrahub run --rm infrahub-test pytest -n 1 -v --cov=infrahub backend/tests/unit/core --neo4j',
    ],
  ],
  [
    'ruff alone',
    ['main.format'],
    ['ruff format tasks models/ --config <repo>/pyproject.toml', 'ruff check --fix tasks --config <repo>/pyproject.toml'],
  ],
  ['unit tests that start their own services', ['test.unit'], ['poetry run python -m pytest -v backend/tests/unit']],
])('October 2024: %s', (_, argv, expected) => {
  test(argv.join(' '), async () => {
    const { checkout, programs, walk } = placed();
    const { exitCode, wrong } = await walk(argv);
    expect([exitCode, wrong]).toEqual([0, '']);
    expect(programs.calls().map((call) => call.line.replaceAll(checkout.root, '<repo>'))).toEqual(expected);
  });
});

test('October 2024: images, versions, and NATS in place of RabbitMQ and Redis', async () => {
  const { programs, walk } = placed();
  await walk(['demo.start', 'demo.pull'], { INFRAHUB_USE_NATS: 'true' });
  await walk(['dev.start']);
  const [start, database, queue, dev] = programs.calls();
  expect(start?.line).toContain('docker-compose-deps-nats.yml');
  expect(start?.env).toMatchObject({
    IMAGE_NAME: 'registry.opsmill.io/opsmill/infrahub',
    IMAGE_VER: 'stable',
    PYTHON_VER: '3.12',
    MESSAGE_QUEUE_DOCKER_IMAGE: 'nats:2.10.14-alpine',
    DATABASE_DOCKER_IMAGE: 'neo4j:5.16.0-enterprise',
  });
  expect([database?.argv.at(-1), queue?.argv.at(-1)]).toEqual(['database', 'message-queue']);
  expect(dev?.env).toMatchObject({ IMAGE_VER: 'local', MESSAGE_QUEUE_DOCKER_IMAGE: 'rabbitmq:3.12.12-management' });
});

test('October 2024: compose waits itself, and keeps colours to itself on a dumb terminal', async () => {
  const { programs, walk } = placed(
    `[[ "$program $*" == *'ps --all --format json'* ]] && echo '{"ID":"1","Service":"server","State":"running","Health":"healthy"}'`,
  );
  await walk(['dev.start', '--wait', '--wait-limit', '60'], { TERM: 'dumb' });
  expect(programs.calls()[0]?.line).toMatch(/^docker compose --ansi never --profile dev .* up -d --wait --wait-timeout 60$/);
});

test('October 2024: where compose waits in vain, the service at fault is named', async () => {
  const { walk } = placed(`case "$program $*" in
    *'up -d --wait'*) exit 1 ;;
    *'ps --all --format json'*) echo '{"ID":"1","Service":"server","State":"running","Health":"unhealthy"}' ;;
  esac`);
  const { exitCode, wrong } = await walk(['dev.start', '--wait']);
  expect([exitCode, wrong]).toEqual([1, expect.stringContaining('service `server` is unhealthy')]);
});

test('a service of the other layout is refused before anything is done', async () => {
  const { programs, walk } = placed();
  const { exitCode, wrong } = await walk(['dev.build', '--service', 'infrahub-git']);
  expect([exitCode, wrong]).toEqual([3, expect.stringContaining('a checkout of October 2024 builds no service `infrahub-git`')]);
  expect(wrong).toContain('It builds server and task-worker.');
  expect(programs.calls()).toEqual([]);
});
