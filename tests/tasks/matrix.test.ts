import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runTargets } from '../../lib/api.ts';
import { defineConfig } from '../../lib/config.ts';
import { buildRegistry } from '../../lib/registry.ts';
import * as infrahub from '../../tasks/index.ts';
import { checkoutOf } from '../support/checkouts.ts';
import type { TestProject } from '../support/project.ts';
import type { Recorded, StandIns } from '../support/stand-ins.ts';
import { standIns } from '../support/stand-ins.ts';

// Every shipped task with stand-ins for all external programs, which write down how they were called:
// over databases, override files, build names, image variables, sudo, failing commands, odd folders.
const config = defineConfig({ tasks: infrahub });

const FULL =
  '-f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -f development/docker-compose.yml -f development/docker-compose.default.yml -p infrahub';
const DEV = '-f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -p infrahub';
const TEST =
  '-f development/docker-compose-deps.yml -f development/docker-compose-test-database-neo4j.yml -f development/docker-compose-test-cache.yml -f development/docker-compose-test.yml -p infrahub';
const SCALE =
  '-f development/docker-compose-deps.yml -f development/docker-compose-database-neo4j.yml -f development/docker-compose-test-cache.yml -f development/docker-compose-test-scale.yml -p infrahub';
const full = (...words: string[]) => words.map((word) => `docker compose ${FULL} ${word}`);
const dev = (...words: string[]) => words.map((word) => `docker compose ${DEV} ${word}`);
const inTests = (...words: string[]) => words.map((word) => `docker compose ${TEST} ${word}`);
const scale = (...words: string[]) => words.map((word) => `docker compose ${SCALE} ${word}`);

const flake = (paths: string) =>
  `autoflake --recursive --verbose --in-place --remove-all-unused-imports --remove-unused-variables ${paths}`;
const ROOT = '--config <repo>/pyproject.toml';
const MAIN_FORMAT = [flake('tasks models'), `ruff format tasks models/ ${ROOT}`, `ruff check --fix tasks ${ROOT}`];
const SDK_FORMAT = [
  flake('.'),
  'ruff format python_sdk/ --config python_sdk/pyproject.toml',
  'ruff check --fix python_sdk/ --config python_sdk/pyproject.toml',
];
const BACKEND_FORMAT = [flake('backend'), `ruff format backend ${ROOT}`, `ruff check --fix backend ${ROOT}`];
const SYNC_FORMAT = [flake('sync/infrahub-sync'), `ruff format sync/infrahub-sync ${ROOT}`, `ruff check --fix sync/infrahub-sync ${ROOT}`];
const SDK_LINT = [
  'ruff check --diff <repo>/python_sdk --config <repo>/python_sdk/pyproject.toml',
  'pylint infrahub_sdk/',
  'mypy --show-error-codes infrahub_sdk/',
];
const BACKEND_LINT = [
  `ruff check --diff backend ${ROOT}`,
  'pylint --ignore-paths backend/tests backend',
  'mypy --show-error-codes backend',
];
const SYNC_LINT = [`ruff check --diff sync/infrahub-sync ${ROOT}`, 'pylint ./sync/infrahub-sync/infrahub_sync'];

const lifecycle = (name: 'demo' | 'dev'): Readonly<Record<string, Case>> => ({
  [`${name}.build`]: {
    words: ['--no-cache', '--service', 'infrahub-git'],
    runs: full('build --build-arg PYTHON_VER=3.11 --no-cache infrahub-git'),
  },
  [`${name}.pull`]: { runs: full('pull database', 'pull message-queue', 'pull cache') },
  [`${name}.debug`]: { runs: full('up') },
  [`${name}.start`]: { runs: full('up -d') },
  [`${name}.restart`]: { runs: full('restart infrahub-server', 'restart infrahub-git') },
  [`${name}.stop`]: { runs: full('down') },
  [`${name}.destroy`]: { runs: full('down --remove-orphans --volumes --timeout 1') },
  [`${name}.status`]: { runs: [] },
  [`${name}.wait-healthy`]: { runs: [] },
  [`${name}.cli-server`]: { runs: full('exec infrahub-server bash') },
  [`${name}.cli-git`]: { runs: full('run --rm infrahub-git bash') },
  [`${name}.load-infra-schema`]: {
    runs: full('run --rm infrahub-git infrahubctl schema load models/infrastructure_base.yml', 'restart infrahub-server'),
  },
  [`${name}.load-infra-data`]: { runs: full('run --rm infrahub-git infrahubctl run models/infrastructure_edge.py') },
  [`${name}.infra-git-import`]: {
    runs: full(
      'exec infrahub-git test -d /remote/infrahub-demo-edge/.git',
      'run --rm infrahub-git cp -r backend/tests/fixtures/repos/infrahub-demo-edge /remote/',
      ...['init --initial-branch main', 'add .', 'commit -m first'].map(
        (git) => `exec --workdir /remote/infrahub-demo-edge infrahub-git git ${git}`,
      ),
    ),
  },
  [`${name}.infra-git-create`]: { words: ['--address', 'ADDRESS', '--token', 'a-token-of-the-server'], runs: [], isElsewhere: true },
});

interface Case {
  /** Flags after the task's name. `ADDRESS` is the stand-in for the server. */
  readonly words?: readonly string[];
  /** What is called, in order; neo4j, no override, folder `infrahub`. `<repo>` is the checkout. */
  readonly runs: readonly string[];
  /** Nothing of it is about the checkout. */
  readonly isElsewhere?: true;
  /** Its commands run side by side. */
  readonly isUnordered?: true;
}

const CASES: Readonly<Record<string, Case>> = {
  ...lifecycle('demo'),
  ...lifecycle('dev'),
  'demo.dev-start': { runs: dev('up -d') },
  'demo.dev-stop': { runs: dev('down') },
  'dev.deps': { runs: dev('up -d') },
  'backend.test-unit': { runs: inTests('run --rm infrahub-test pytest -n 1 -v --cov=infrahub backend/tests/unit --neo4j') },
  'backend.test-core': { runs: inTests('run --rm infrahub-test pytest -n 1 -v --cov=infrahub backend/tests/unit/core --neo4j') },
  'backend.test-integration': { runs: inTests('run --rm infrahub-test pytest -n 1 -v --cov=infrahub backend/tests/integration --neo4j') },
  'backend.test-scale-env-start': { runs: scale('up -d') },
  'backend.test-scale-env-destroy': { runs: scale('down --remove-orphans --volumes') },
  'backend.test-scale': {
    words: ['--stager', 'core', '--amount', '10', '--test', 'one'],
    runs: ['poetry run python backend/tests/scale/main.py --stager core --amount 10 --test one --schema backend/tests/scale/schema.yml'],
  },
  'main.format': { runs: MAIN_FORMAT },
  'sdk.format': { runs: SDK_FORMAT },
  'backend.format': { runs: BACKEND_FORMAT },
  'sync.format': { runs: SYNC_FORMAT },
  format: { runs: [...MAIN_FORMAT, ...SDK_FORMAT, ...BACKEND_FORMAT, ...SYNC_FORMAT] },
  'sdk.lint': { runs: SDK_LINT },
  'backend.lint': { runs: BACKEND_LINT },
  'sync.lint': { runs: SYNC_LINT },
  yamllint: { runs: ['yamllint .'] },
  lint: { runs: ['yamllint .', ...SDK_LINT, ...BACKEND_LINT, ...SYNC_LINT], isUnordered: true },
  'git.switch': { runs: ['git switch develop'] },
  install: { words: ['--with', 'dev'], runs: ['poetry install --with dev'] },
  'env.init': { words: ['--storage', 'STORAGE'], runs: [] },
  'env.show': { runs: [] },
  override: { runs: [] },
  'test.unit': { words: ['--workers', '4'], runs: ['poetry run python -m pytest -n 4 -v backend/tests/unit'] },
  'schema.load': {
    words: ['models/infrastructure_base.yml', '--address', 'ADDRESS'],
    runs: ['poetry run infrahubctl schema load <repo>/models/infrastructure_base.yml --branch main'],
  },
  clone: {
    words: ['elsewhere', '--url', 'git@host:some.git'],
    runs: ['git clone -- git@host:some.git <here>/elsewhere'],
    isElsewhere: true,
  },
};

/** What is tried elsewhere, and where. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'demo.services': 'tests/tasks/services.test.ts, tests/integration/containers.test.ts',
  'dev.services': 'as demo.services',
  server: 'tests/tasks/defects.test.ts (D19), tests/integration/demo.test.ts',
  'env.check': 'tests/tasks/demo.test.ts',
  doctor: 'tests/tasks/doctor.test.ts',
  guide: 'tests/integration/demo.test.ts',
  sandbox: 'tests/integration/demo.test.ts',
  'sandbox-down': 'tests/integration/demo.test.ts',
};

/** The server and its health, as docker tells of them. */
const RUNNING = `
case "$program $*" in
'docker ps'*service=infrahub-server*) echo 0123456789ab ;;
# Whatever listens on this machine counts as the project's own.
'docker ps'*Ports*) for port in 8000 7687 7474 7444 5672 15672 6379; do echo "0.0.0.0:$port->$port/tcp"; done ;;
*'ps --all --format json'*) echo '{"ID":"1","Service":"infrahub-server","State":"running","Health":"healthy"}' ;;
*'exec infrahub-git test -d'*) exit 1 ;;
esac
`;

let address: string;
const server = createServer((request, response) => {
  request.resume();
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ data: { CoreRepositoryCreate: { ok: true } } }));
});
// The tests of the backend want database and cache; what listens there already will do.
const reachable = [7687, 6379].map((port) => ({ port, server: createTcpServer((socket) => socket.destroy()) }));
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const one of reachable) {
    await new Promise<void>((resolve) => {
      one.server.once('error', () => resolve());
      one.server.listen(one.port, '127.0.0.1', resolve);
    });
  }
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  for (const one of reachable) if (one.server.listening) await new Promise((resolve) => one.server.close(resolve));
});

interface Round {
  readonly checkout: TestProject;
  readonly programs: StandIns;
}

function roundIn(name = 'infrahub', answers = ''): Round {
  const checkout = checkoutOf('January 2024', name);
  mkdirSync(checkout.path('python_sdk/infrahub_sdk'), { recursive: true });
  return { checkout, programs: standIns(checkout, `${RUNNING}${answers}`) };
}

/** Run one task as a program would, with its words as they stand on a command line. */
async function walk(name: string, { checkout, programs }: Round, env: Readonly<Record<string, string>> = {}, more: readonly string[] = []) {
  const { words = [], isElsewhere } = CASES[name] ?? { runs: [] };
  const filled = words.map((word) =>
    word === 'ADDRESS'
      ? address
      : word === 'STORAGE'
        ? checkout.path('..', 'storage')
        : word.startsWith('models/')
          ? checkout.path(word)
          : word === 'elsewhere'
            ? checkout.path('elsewhere')
            : word,
  );
  const shared = isElsewhere ? [] : ['--infrahub', checkout.root];
  const argv = [...more, name, ...shared, ...filled];
  return runTargets(config, argv, { root: checkout.root, env: { ...programs.env, ...env }, confirm: true, signals: false });
}

const linesOf = (calls: readonly Recorded[], checkout: TestProject): string[] =>
  calls.map((call) =>
    call.line
      .replaceAll(JSON.stringify(checkout.root).slice(1, -1), '<repo>')
      .replaceAll('<repo>/elsewhere', '<here>/elsewhere')
      // Quoted only for the sake of the folder's name.
      .replaceAll(/"(<(?:repo|here)>[^" ]*)"/g, '$1'),
  );

const named = (wanted: (runs: readonly string[]) => boolean): string[] =>
  Object.entries(CASES)
    .filter(([, { runs }]) => wanted(runs))
    .map(([name]) => name);
const composing = named((runs) => runs.some((line) => line.startsWith('docker compose')));
const calling = named((runs) => runs.length > 0);

/** In order, unless its commands run side by side. */
const expected = (name: string, change: (line: string) => string = (line) => line): string[] => {
  const { runs = [], isUnordered } = CASES[name] ?? {};
  return isUnordered ? runs.map(change).toSorted() : runs.map(change);
};
const seen = (name: string, { checkout, programs }: Round): string[] => {
  const lines = linesOf(programs.calls(), checkout);
  return CASES[name]?.isUnordered ? lines.toSorted() : lines;
};
const SETTINGS = {
  IMAGE_NAME: 'opsmill/infrahub-py3.11',
  IMAGE_VER: '0.9.1',
  PYTHON_VER: '3.11',
  INFRAHUB_BUILD_NAME: 'infrahub',
  NBR_WORKERS: '1',
  CACHE_DOCKER_IMAGE: 'redis:7.2',
  MESSAGE_QUEUE_DOCKER_IMAGE: 'rabbitmq:3.12-management',
  INFRAHUB_DB_TYPE: 'neo4j',
  DATABASE_DOCKER_IMAGE: 'neo4j:5.14-community',
};
const settingsOf = (round: Round) =>
  round.programs
    .calls()
    .filter((call) => call.program === 'docker')
    .map((call) => call.env);

test('every shipped task is in the matrix, or named with its place', async () => {
  const registry = await buildRegistry(config.tasks, {});
  const names = registry.entries.map((entry) => entry.name).toSorted();
  expect(names).toEqual([...Object.keys(CASES), ...Object.keys(ELSEWHERE)].toSorted());
});

describe.each(Object.keys(CASES))('%s', (name) => {
  test('gives its commands, in the checkout', async () => {
    const round = roundIn();

    const result = await walk(name, round);

    expect([result.exitCode, seen(name, round)]).toEqual([0, expected(name)]);
    const folders = new Set(round.programs.calls().map((call) => call.cwd));
    for (const folder of folders) expect([round.checkout.root, round.checkout.path('python_sdk')]).toContain(folder);
    for (const env of settingsOf(round)) expect(env).toMatchObject(SETTINGS);
  });

  test('goes on working in a folder with an odd name (D6, D7)', async () => {
    const round = roundIn("infra hub's (1) & $(touch injected);é");

    const result = await walk(name, round);

    const inOdd = (line: string) => line.replace('-p infrahub', '-p infrahubs1touchinjected');
    expect([result.exitCode, seen(name, round)]).toEqual([0, expected(name, inOdd)]);
  });
});

describe.each(composing)('%s', (name) => {
  test('takes files, type and image of the database from one place (D3)', async () => {
    const round = roundIn();

    await walk(name, round, { INFRAHUB_DB_TYPE: 'memgraph' });

    const memgraph = (line: string) => line.replace('database-neo4j', 'database-memgraph').replace(/ --neo4j$/, '');
    expect(seen(name, round)).toEqual(expected(name, memgraph));
    for (const env of settingsOf(round))
      expect(env).toMatchObject({ INFRAHUB_DB_TYPE: 'memgraph', DATABASE_DOCKER_IMAGE: 'memgraph/memgraph:2.13.0' });
  });

  test('uses override files where they are, once each (D1, D9)', async () => {
    const round = roundIn();
    for (const file of ['docker-compose.override.yml', 'docker-compose.dev-override.yml', 'docker-compose-test-scale-override.yml'])
      round.checkout.write(`development/${file}`, 'services: {}\n');

    await walk(name, round);

    const overridden = (line: string) =>
      line
        .replace('docker-compose.default.yml', 'docker-compose.override.yml')
        .replace(DEV, DEV.replace(' -p', ' -f development/docker-compose.dev-override.yml -p'))
        .replace('test-scale.yml', 'test-scale.yml -f development/docker-compose-test-scale-override.yml');
    expect(seen(name, round)).toEqual(expected(name, overridden));
  });

  test('takes names and images from the variables, as they are (D2, D6, D10)', async () => {
    const round = roundIn();
    const given = {
      INFRAHUB_BUILD_NAME: 'build-1',
      INFRAHUB_IMAGE_NAME: 'own/image',
      INFRAHUB_IMAGE_VER: '1.0;touch${IFS}injected',
      PYTHON_VER: '3.10',
      PYTEST_XDIST_WORKER_COUNT: '3',
      CACHE_DOCKER_IMAGE: 'redis:own',
      MESSAGE_QUEUE_DOCKER_IMAGE: 'rabbitmq:own',
      DATABASE_DOCKER_IMAGE: 'database:own',
    };

    await walk(name, round, { ...given, IMAGE_NAME: 'not/this', IMAGE_VER: 'nor this' });

    const renamed = (line: string) =>
      line.replace('-p infrahub', '-p build-1').replace('PYTHON_VER=3.11', 'PYTHON_VER=3.10').replace('-n 1', '-n 3');
    expect(seen(name, round)).toEqual(expected(name, renamed));
    const { INFRAHUB_IMAGE_NAME, INFRAHUB_IMAGE_VER, PYTEST_XDIST_WORKER_COUNT, ...same } = given;
    const settings = { ...same, IMAGE_NAME: INFRAHUB_IMAGE_NAME, IMAGE_VER: INFRAHUB_IMAGE_VER, NBR_WORKERS: PYTEST_XDIST_WORKER_COUNT };
    for (const env of settingsOf(round)) expect(env).toMatchObject(settings);
  });

  test('goes through sudo where docker is denied, settings and all, and asks for it once (D13, D14)', async () => {
    const round = roundIn('infrahub', 'if [[ $program == docker && ! -v AS_ROOT ]]; then echo permission denied >&2; exit 1; fi');

    const result = await walk(name, round, { DOCKER_HOST: `denied by ${name}` });

    expect(result.exitCode).toBe(0);
    const direct = round.programs.calls().filter((call) => call.program === 'docker');
    expect(linesOf(direct, round.checkout)).toEqual(expected(name));
    for (const env of settingsOf(round)) expect(env).toMatchObject(SETTINGS);
    expect(round.programs.all().filter((call) => call.line === 'docker ps --quiet' && !('AS_ROOT' in call.env))).toHaveLength(2);
  });
});

describe.each(calling)('%s', (name) => {
  test('ends with the code of the command that fails, and does nothing after it', async () => {
    const runs = CASES[name]?.runs ?? [];
    const failing = (runs.find((line) => !line.includes(' test -d ')) ?? '')
      .replace(/^.* -p infrahub /, '')
      .replace(/^(.*?)<(?:repo|here)>.*$/, '$1');
    const round = roundIn('infrahub', `if [[ "$program $*" == *${JSON.stringify(failing)}* ]]; then echo it failed >&2; exit 17; fi`);

    const result = await walk(name, round, {}, ['--jobs', '1']);

    expect(result.exitCode).toBe(17);
    const until = runs.findIndex((line) => line.includes(failing)) + 1;
    const done = linesOf(round.programs.calls(), round.checkout);
    expect(done).toEqual(runs.slice(0, until));
  });
});
