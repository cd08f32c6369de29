import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { buildRegistry } from '../../lib/registry.ts';
import { testTask } from '../../lib/testing.ts';
import { server } from '../../tasks/server.ts';
import { unit } from '../../tasks/test.ts';
import { checkoutOf } from '../support/checkouts.ts';
import { at, shippedConfig, walk as walkIn } from '../support/shipped.ts';
import type { StandIns } from '../support/stand-ins.ts';
import { standIns } from '../support/stand-ins.ts';

// The 27 defects of the tasks that these replace. Each test fails on what they did.
const OWN_PORTS = `
case "$program $*" in
'docker ps'*Ports*) for port in 8000 7687 7474 7444 5672 15672 6379; do echo "0.0.0.0:$port->$port/tcp"; done ;;
esac
`;

function placed(answers = '', name = 'infrahub', programs?: readonly string[]) {
  const checkout = checkoutOf('January 2024', name);
  const standing = standIns(checkout, `${OWN_PORTS}${answers}`, programs);
  const walk = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    walkIn(at(checkout, ...argv), standing, { root: checkout.root, env });
  /** For what does not work on a checkout. */
  const walkBare = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    walkIn(argv, standing, { root: checkout.root, env });
  return { checkout, programs: standing, walk, walkBare };
}
const lines = (programs: StandIns): string[] => programs.calls().map((call) => call.line);
const RUNNING = `case "$program $*" in 'docker ps'*service=infrahub-server*) echo 0123456789ab ;; esac`;

const start = process.cwd();
afterEach(() => process.chdir(start));

test('D1: no list of compose files grows along a chain', async () => {
  const { checkout, programs, walk } = placed();
  checkout.write('development/docker-compose.override.yml', 'services: {}\n');

  await walk(['demo.build', 'demo.start', 'demo.stop']);

  const files = programs.calls().map((call) => call.argv.filter((word) => word.startsWith('development/')));
  expect(files).toHaveLength(3);
  for (const list of files) expect(list).toEqual([...new Set(list)]);
  expect(files[2]).toEqual(files[0]);
});

test('D2: DATABASE_DOCKER_IMAGE is that image', async () => {
  const { programs, walk } = placed();
  await walk(['demo.start'], { DATABASE_DOCKER_IMAGE: 'own/database:1', NEO4J_DOCKER_IMAGE: 'neo4j:other' });
  expect(programs.calls()[0]?.env['DATABASE_DOCKER_IMAGE']).toBe('own/database:1');
});

test('D3: --database changes file, type and image', async () => {
  const { programs, walk } = placed();
  await walk(['demo.dev-start', '--database=memgraph']);
  const [up] = programs.calls();
  expect(up?.line).toContain('docker-compose-database-memgraph.yml');
  expect(up?.env).toMatchObject({ INFRAHUB_DB_TYPE: 'memgraph', DATABASE_DOCKER_IMAGE: 'memgraph/memgraph:2.13.0' });
});

test('D4: a wrong value late in a chain is told before the first step', async () => {
  const { programs, walk } = placed();
  const { exitCode, wrong } = await walk(['demo.destroy', 'demo.dev-start', '--database=bogus']);
  expect(exitCode).toBe(2);
  expect(wrong).toContain('expected "neo4j" or "memgraph", got "bogus"');
  expect(programs.all()).toEqual([]);
});

test('D5: a flag before the first task is for all of the chain', async () => {
  const { programs, walk } = placed();
  await walk(['--database=memgraph', 'demo.destroy', 'demo.dev-start']);
  expect(lines(programs)).toHaveLength(2);
  for (const line of lines(programs)) expect(line).toContain('database-memgraph.yml');
});

test.each(['3.11;touch injected', '$(touch injected)', "it's", 'a"b', '1.0 beta'])(
  'D6: %j is a value, and never a command',
  async (hostile) => {
    const { checkout, programs, walk } = placed();
    await walk(['demo.build', '--python-ver', hostile], { INFRAHUB_IMAGE_VER: hostile });
    const [build] = programs.calls();
    expect(build?.argv.slice(-3)).toEqual(['build', '--build-arg', `PYTHON_VER=${hostile}`]);
    expect(build?.env).toMatchObject({ PYTHON_VER: hostile, IMAGE_VER: hostile });
    expect([checkout.path('injected'), checkout.path('development/injected')].filter((path) => existsSync(path))).toEqual([]);
  },
);

test.each(["infra'hub", 'infra&hub', 'infra(1)', 'infra hub', 'infra;touch injected'])(
  'D7: a checkout in %j is formatted and started',
  async (name) => {
    const { checkout, programs, walk } = placed('', name);
    expect((await walk(['main.format', 'demo.stop'])).exitCode).toBe(0);
    const ruff = programs.calls().find((call) => call.program === 'ruff');
    expect(ruff?.argv.slice(-2)).toEqual(['--config', checkout.path('pyproject.toml')]);
    expect(programs.calls().at(-1)).toMatchObject({ program: 'docker', cwd: checkout.root });
  },
);

test('D8: a name that compose refuses is told, with what is right, and nothing is done', async () => {
  const { programs, walk } = placed('', '-');
  const bare = await walk(['demo.status']);
  expect([bare.exitCode, bare.wrong]).toEqual([3, expect.stringContaining('"" cannot name a compose project')]);
  const given = await walk(['demo.status'], { INFRAHUB_BUILD_NAME: 'Infrahub.dev' });
  expect([given.exitCode, given.wrong]).toEqual([3, expect.stringContaining('"Infrahub.dev" cannot name a compose project')]);
  expect(lines(programs)).toEqual([]);
});

test('D9: files are looked up in the checkout, from whatever folder', async () => {
  const { checkout, programs } = placed();
  checkout.write('development/docker-compose.override.yml', 'services: {}\n');
  process.chdir(checkout.path('development'));
  await walkIn(['demo.stop', 'yamllint'], programs, { root: checkout.root });
  const [down, lint] = programs.calls();
  expect(down?.line).toContain('-f development/docker-compose.override.yml');
  expect([down?.cwd, lint?.cwd]).toEqual([checkout.root, checkout.root]);
});

test('D10: IMAGE_NAME and IMAGE_VER change nothing, and that is said', async () => {
  const { programs, walk } = placed();
  const { said } = await walk(['demo.stop'], { IMAGE_NAME: 'own', IMAGE_VER: '1' });
  expect(said).toContain('IMAGE_NAME is set, and not read: the variable is INFRAHUB_IMAGE_NAME');
  expect(said).toContain('IMAGE_VER is set, and not read: the variable is INFRAHUB_IMAGE_VER');
  expect(programs.calls()[0]?.env).toMatchObject({ IMAGE_NAME: 'opsmill/infrahub-py3.11', IMAGE_VER: '0.9.1' });
});

test('D11: --python-ver changes argument, setting and image name', async () => {
  const { programs, walk } = placed();
  await walk(['demo.build', '--python-ver=3.10']);
  const [build] = programs.calls();
  expect(build?.line).toContain('--build-arg PYTHON_VER=3.10');
  expect(build?.env).toMatchObject({ PYTHON_VER: '3.10', IMAGE_NAME: 'opsmill/infrahub-py3.10' });
});

test('D12: the cache is pulled, and what cannot be built is refused alike', async () => {
  const { programs, walk } = placed();
  await walk(['demo.pull']);
  expect(lines(programs).map((line) => line.split(' ').at(-1))).toEqual(['database', 'message-queue', 'cache']);
  programs.forget();
  for (const service of ['cache', 'database']) {
    const refused = await walk(['demo.build', `--service=${service}`]);
    expect([refused.exitCode, refused.wrong]).toEqual([2, expect.stringContaining('infrahub-git')]);
  }
  expect(programs.all()).toEqual([]);
});

test('D13: sudo stands before docker, all of it, and before nothing else', async () => {
  const { programs, walk, walkBare } = placed(RUNNING + answeringPs);
  const { address } = await graphql({ data: { CoreRepositoryCreate: { ok: true } } });
  const env = { INVOKE_SUDO: 'yes' };
  expect((await walkBare(['demo.infra-git-create', '--address', address, '--token', 'the-token-of-it'], env)).exitCode).toBe(0);
  expect((await walk(['backend.test-scale'], env)).exitCode).toBe(0);
  expect((await walk(['demo.wait-healthy'], env)).exitCode).toBe(0);
  expect((await walk(['backend.format', '--docker'], env)).exitCode).toBe(0);
  const direct = programs.all().filter((call) => call.program === 'sudo' && !call.argv.includes('docker'));
  expect(direct).toEqual([]);
  const sudos = programs.all().filter((call) => call.program === 'sudo').length;
  expect(sudos).toBe(programs.all().filter((call) => call.program === 'docker').length);
});

test('D14: docker is probed once for a chain, and what is wrong with it is said in its words', async () => {
  const { programs, walk } = placed(RUNNING);
  await walk(['demo.infra-git-import', 'demo.restart'], { DOCKER_HOST: 'probed once' });
  expect(programs.all().filter((call) => call.line === 'docker ps --quiet')).toHaveLength(1);

  const dead = placed("echo 'Cannot connect to the Docker daemon' >&2; exit 1");
  const refused = await dead.walk(['demo.status'], { DOCKER_HOST: 'dead' });
  expect([refused.exitCode, refused.wrong]).toEqual([
    3,
    expect.stringContaining('the Docker engine does not answer: Cannot connect to the Docker daemon'),
  ]);
});

const answeringPs = `
[[ "$program $*" == *'ps --all --format json'* ]] && echo '{"ID":"1","Service":"database","State":"running","Health":"healthy"}'
`;

test('D15: wait-healthy has a limit, and only its own project counts', async () => {
  const { programs, walk } = placed(`
    [[ "$program $*" == 'docker ps'*health=healthy* ]] && printf 'other-1\\nother-2\\n'
    [[ "$program $*" == *'ps --all --format json'* ]] && echo '{"ID":"1","Service":"cache","State":"running","Health":"starting"}'
    exit 0`);
  const { exitCode, wrong } = await walk(['demo.wait-healthy', '--wait-limit', '1']);
  expect([exitCode, wrong]).toEqual([1, expect.stringContaining('service `cache` was not healthy within 1s: it is starting')]);
  expect(programs.all().some((call) => call.line.includes('-p infrahub ps --all'))).toBe(true);
});

test('D16: what needs the services says so, and dev-start can wait for them', async () => {
  const { walk } = placed(answeringPs);
  const { exitCode, outputs } = await walk(['demo.dev-start', '--wait']);
  expect([exitCode, outputs]).toEqual([
    0,
    [{ project: 'infrahub', services: [expect.objectContaining({ service: 'database', health: 'healthy' })] }],
  ]);
});

test('D17: a step of the guide that fails is the last, and settings are checked', async () => {
  const { programs, walk } = placed();
  const { exitCode, wrong } = await walk(['env.check', 'test.unit', 'format']);
  expect(exitCode).toBe(3);
  expect(wrong).toContain('INFRAHUB_SECURITY_SECRET_KEY');
  expect(lines(programs)).toEqual([]);
});

test('D18: without the dev override it is said that no port is published', async () => {
  const { walk } = placed();
  expect((await walk(['demo.dev-start'])).said).toContain('no port is published');
});

test('D19: tasks, tests and server have one database, whatever says which', async () => {
  const { checkout, programs, walk } = placed();
  const types = async (): Promise<(string | undefined)[]> => {
    programs.forget();
    await walk(['demo.dev-start']);
    const input = { infrahub: checkout.root };
    const { commands: tests } = await testTask(unit, { input, commands: [[/.*/, '']], env: {} });
    const { commands: served } = await testTask(server, { input, commands: [[/.*/, '']], env: {} });
    return [programs.calls()[0], tests[0], served[0]].map((call) => call?.env['INFRAHUB_DB_TYPE']);
  };
  expect(await types()).toEqual(['neo4j', 'neo4j', 'neo4j']);
  checkout.write('.envrc', 'export INFRAHUB_DB_TYPE=memgraph\n');
  expect(await types()).toEqual(['memgraph', 'memgraph', 'memgraph']);
});

const HOLDING_NEO4J = `
case "$program $*" in
'docker volume ls'*) echo infrahub_database_data ;;
'docker run'*' ls '*) printf 'databases\\ndbms\\ntransactions\\n' ;;
esac`;

test("D20: one database is not started on the other's data", async () => {
  const { programs, walk } = placed(HOLDING_NEO4J);
  const { exitCode, wrong } = await walk(['demo.dev-start', '--database', 'memgraph']);
  expect([exitCode, wrong]).toEqual([
    3,
    expect.stringContaining('volume infrahub_database_data holds the data of neo4j, and memgraph cannot use it'),
  ]);
  expect(wrong).toContain('tasks demo.destroy');
  expect(lines(programs)).toEqual([]);
  // Its own data is fine, and so is what is destroyed first.
  expect((await walk(['demo.dev-start'])).exitCode).toBe(0);
});

test('D21: containers made for a command are removed, and a shell opens in the one that runs', async () => {
  const { programs, walk } = placed(`${RUNNING}
    [[ "$program $*" == *'ps --all --format json'* ]] && echo '{"ID":"1","Service":"infrahub-server","State":"running"}'
    exit 0`);
  await walk(['demo.load-infra-schema', 'demo.load-infra-data', 'demo.cli-server', 'demo.cli-git', 'backend.test-core']);
  const made = lines(programs).filter((line) => / run /.test(line));
  expect(made).toHaveLength(4);
  for (const line of made) expect(line).toContain(' run --rm ');
  expect(lines(programs)).toContainEqual(expect.stringMatching(/ exec infrahub-server bash$/));
});

interface GraphQl {
  readonly address: string;
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
}

async function graphql(answer: unknown, status = 200): Promise<GraphQl> {
  const requests: GraphQl['requests'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      requests.push({ headers: request.headers, body });
      response.statusCode = status;
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
const TOKEN = '06438eb2-8019-4776-878c-0941b1f1d1ec';

test.each<[string, unknown, number, string]>([
  ['an HTTP error', 'no', 500, 'answered 500'],
  ['a refused token', 'no', 403, 'answered 403'],
  ['a GraphQL error', { data: null, errors: [{ message: 'a repository of that name exists' }] }, 200, 'a repository of that name exists'],
  ['ok: false', { data: { CoreRepositoryCreate: { ok: false } } }, 200, 'did not create repository demo-edge'],
  ['something else', '<html>', 200, 'no GraphQL answer'],
])('D22: %s fails infra-git-create, whose token is told nowhere', async (_, answer, status, problem) => {
  const { programs, walkBare } = placed();
  const { address, requests } = await graphql(answer, status);
  const { exitCode, wrong, said } = await walkBare(['demo.infra-git-create', '--address', address], { INFRAHUB_API_TOKEN: TOKEN });
  expect([exitCode, wrong]).toEqual([1, expect.stringContaining(problem)]);
  expect(requests[0]?.headers['x-infrahub-key']).toBe(TOKEN);
  expect(wrong + said + JSON.stringify(programs.all())).not.toContain(TOKEN);
});

test('D22: a server that is not there is told, and odd names arrive as they are (D6)', async () => {
  const { walkBare } = placed();
  const { address, requests } = await graphql({ data: { CoreRepositoryCreate: { ok: true } } });
  const name = `it's a "name"`;
  expect((await walkBare(['demo.infra-git-create', '--address', address, '--name', name], { INFRAHUB_API_TOKEN: TOKEN })).exitCode).toBe(0);
  expect(JSON.parse(requests[0]?.body ?? '')).toMatchObject({ variables: { name, location: '/remote/infrahub-demo-edge' } });

  const gone = await walkBare(['demo.infra-git-create', '--address', 'http://127.0.0.1:9'], { INFRAHUB_API_TOKEN: TOKEN });
  expect([gone.exitCode, gone.wrong]).toEqual([1, expect.stringMatching(/127\.0\.0\.1:9\/graphql does not answer/)]);
});

test('D23: a word that is neither yes nor no is one clear message, and an empty one is none', async () => {
  const { programs, walk } = placed();
  const { exitCode, wrong } = await walk(['demo.stop'], { INVOKE_SUDO: 'perhaps' });
  expect([exitCode, wrong]).toEqual([2, expect.stringContaining('INVOKE_SUDO')]);
  expect(lines(programs)).toEqual([]);
  expect((await walk(['demo.stop'], { INVOKE_SUDO: '' })).exitCode).toBe(0);
});

test.each([
  ['false', false],
  ['0', false],
  ['', false],
  ['__run_2', true],
])('D24: GITHUB_ACTION=%j counts as CI: %j', async (word, isCi) => {
  const { programs, walk } = placed();
  await walk(['backend.test-unit'], { GITHUB_ACTION: word });
  expect(lines(programs)[0]?.includes('-e GITHUB_SHA')).toBe(isCi);
});

test('D25: in the container, paths are those of the container', async () => {
  const { checkout, programs, walk } = placed();
  await walk(['format', '--docker', 'lint', '--docker']);
  const inDocker = programs.calls().filter((call) => call.program === 'docker');
  expect(inDocker.length).toBeGreaterThan(15);
  for (const call of inDocker) expect(call.line).not.toContain(checkout.root);
  expect(lines(programs)).toContainEqual(
    expect.stringMatching(/run --rm infrahub-test ruff check --diff backend --config \/source\/pyproject\.toml$/),
  );
  expect(lines(programs)).toContainEqual(
    expect.stringMatching(/run --rm --workdir \/source\/python_sdk infrahub-test pylint infrahub_sdk\/$/),
  );
});

test('D26: there is no task without work, and a missing tool is no success', async () => {
  const registry = await buildRegistry(shippedConfig.tasks, {});
  expect(registry.entries.filter(({ name }) => /^(ctl|performance)\./.test(name))).toEqual([]);
  const { walk } = placed('', 'infrahub', ['docker', 'git', 'ruff']);
  const { exitCode, wrong } = await walk(['lint']);
  expect(exitCode).toBe(3);
  for (const program of ['yamllint', 'pylint', 'mypy']) expect(wrong).toContain(`\`${program}\` was not found on PATH`);
});

test('D27: start says that it takes the ports which dev-start published', async () => {
  const { walk } = placed(`case "$program $*" in
    *'ps --all --format json'*) echo '{"ID":"1","Service":"cache","State":"running","Publishers":[{"PublishedPort":6379,"TargetPort":6379}]}' ;;
    *'config --format json'*) echo '{"services":{"cache":{"image":"redis:7.2"}}}' ;;
  esac`);
  const { said } = await walk(['demo.start']);
  expect(said).toContain('cache: recreated without the ports that they have now');

  const open = placed(`case "$program $*" in
    *'ps --all --format json'*) echo '{"ID":"1","Service":"cache","State":"running","Publishers":[{"PublishedPort":6379,"TargetPort":6379}]}' ;;
    *'config --format json'*) echo '{"services":{"cache":{"ports":[{"target":6379,"published":"6379"}]}}}' ;;
  esac`);
  expect((await open.walk(['demo.start'])).said).toBe('');
});
