import { expect, expectTypeOf, test } from 'vitest';
import { run } from '../../lib/api.ts';
import { UserError } from '../../lib/errors.ts';
import { task } from '../../lib/task.ts';
import { compose } from '../../tasks/compose.ts';
import type { Endpoint } from '../../tasks/compose.ts';
import { services } from '../../tasks/demo.ts';
import { checkoutOf } from '../support/checkouts.ts';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import { standIns } from '../support/stand-ins.ts';

// What runs already is left alone, what was started is ended. Docker is a stand-in with containers in a file.
const DOCKER = `
state="\${BASH_SOURCE[0]%/*}/containers"
words="$*"
touch "$state"
case "$program $*" in
'docker ps'*Ports*) for port in 7687 7474 7444 5672 15672 6379; do echo "0.0.0.0:$port->$port/tcp"; done ;;
*'ps --all --format json'*) cat "$state" ;;
*'config --services'*) printf 'db\\ncache\\n' ;;
*' up -d --no-recreate '*)
  for service in \${words#* --no-recreate }; do
    grep -v "\\"$service\\"" "$state" >"$state.new"
    case $service in database | db) port=7687 ;; cache) port=6379 ;; *) port=5672 ;; esac
    echo "{\\"ID\\":\\"new-$service\\",\\"Service\\":\\"$service\\",\\"State\\":\\"running\\",\\"Health\\":\\"healthy\\",\\"Publishers\\":[{\\"PublishedPort\\":1$port,\\"TargetPort\\":$port}]}" >>"$state.new"
    mv "$state.new" "$state"
  done ;;
*' rm --stop '*) for service in "$@"; do grep -v "\\"$service\\"" "$state" >"$state.new"; mv "$state.new" "$state"; done ;;
esac
`;
const container = (service: string, port: number, state = 'running') =>
  `${JSON.stringify({ ID: `old-${service}`, Service: service, State: state, Health: 'healthy', Publishers: [{ PublishedPort: port, TargetPort: port }] })}\n`;

function placed(project: TestProject, containers = '') {
  const programs = standIns(project, DOCKER);
  project.write('stand-ins/containers', containers);
  const verbs = () => programs.calls().map((call) => call.line.replace(/^.*? -p \S+ /, ''));
  return { programs, verbs, options: { root: project.root, env: programs.env, signals: false } };
}

const user = (infrahub: string) =>
  task({
    summary: 'Use the services.',
    needs: { services: services({ infrahub }) },
    run: ({ needs }) => {
      expectTypeOf(needs.services.database).toEqualTypeOf<{ host: string; port: number; type: 'neo4j' | 'memgraph' }>();
      return needs.services;
    },
  });

test('what does not run is started and removed, with its network; what it gives is typed', async () => {
  const checkout = checkoutOf('January 2024');
  const { verbs, options } = placed(checkout);

  const given = await run(user(checkout.root), {}, options);

  expect(given).toEqual({
    database: { host: '127.0.0.1', port: 17687, type: 'neo4j' },
    cache: { host: '127.0.0.1', port: 16379 },
    messageQueue: { host: '127.0.0.1', port: 15672 },
  });
  expect(verbs()).toEqual([
    'up -d --no-recreate database message-queue cache',
    'rm --stop --force --volumes cache database message-queue',
    'down',
  ]);
});

test('what runs already is used as it is, and stays', async () => {
  const checkout = checkoutOf('January 2024');
  const { verbs, options } = placed(checkout, container('database', 7687) + container('cache', 6379) + container('message-queue', 5672));

  const given = await run(user(checkout.root), {}, options);

  expect(given.database.port).toBe(7687);
  expect(verbs()).toEqual([]);
});

test('of a project half of which runs, only the other half is ended', async () => {
  const checkout = checkoutOf('January 2024');
  const { verbs, options } = placed(checkout, container('database', 7687) + container('cache', 6379, 'exited'));

  await run(user(checkout.root), {}, options);

  expect(verbs()).toEqual(['up -d --no-recreate message-queue cache', 'rm --stop --force --volumes cache message-queue']);
});

test('a user that fails does not keep the services', async () => {
  const checkout = checkoutOf('January 2024');
  const { verbs, options } = placed(checkout);
  const failing = task({
    summary: 'Fail.',
    needs: { services: services({ infrahub: checkout.root }) },
    run: () => {
      throw new Error('no');
    },
  });

  await expect(run(failing, {}, options)).rejects.toThrow();

  expect(verbs().at(-1)).toBe('down');
});

test('a port that is not published is told, with what to do', async () => {
  const checkout = checkoutOf('January 2024');
  const unpublished = ['database', 'message-queue', 'cache'].map((name) => container(name, 1)).join('');
  const { options } = placed(checkout, unpublished);

  const error: unknown = await run(user(checkout.root), {}, options).catch((caught: unknown) => caught);

  expect(String(error)).toContain('port 7687 of service `database` is not published on this machine');
});

test('an engine elsewhere: its services are where it is', async () => {
  const checkout = checkoutOf('January 2024');
  const { options } = placed(checkout);
  const env = { ...options.env, DOCKER_HOST: 'ssh://me@build.example:22' };
  expect((await run(user(checkout.root), {}, { ...options, env })).cache).toEqual({ host: 'build.example', port: 16379 });
});

test("compose() is the same for anybody's compose files, typed by the services it is asked for", async () => {
  const project = projectWith({ 'compose.yml': 'services: {}\n' });
  const { programs, verbs, options } = placed(project);
  const backing = compose({ files: ['compose.yml'], project: 'mine', profile: 'tests', services: { db: 7687 } });
  const user = task({
    summary: 'Use it.',
    needs: { backing },
    run: ({ needs }) => {
      expectTypeOf(needs.backing).toEqualTypeOf<{ readonly db: Endpoint }>();
      // @ts-expect-error it was not asked for
      void needs.backing.cache;
      return needs.backing.db;
    },
  });

  expect(await run(user, {}, options)).toEqual({ host: '127.0.0.1', port: 17687 });
  expect(programs.calls()[0]?.line).toBe('docker compose --profile tests -f compose.yml -p mine up -d --no-recreate db');
  expect(verbs()).toEqual(['up -d --no-recreate db', 'rm --stop --force --volumes db', 'down']);
});

test('compose() without services is all of them, and a file that is not there is refused', async () => {
  const project = projectWith({ 'compose.yml': 'services: {}\n' });
  const { verbs, options } = placed(project);
  const using = (files: readonly [string]) => {
    const all = compose({ files, project: 'mine' });
    return task({ summary: 'Use all.', needs: { all }, run: ({ needs }) => needs.all });
  };
  expect(await run(using(['compose.yml']), {}, options)).toEqual({});
  expect(verbs()[0]).toBe('up -d --no-recreate db cache');

  const error: unknown = await run(using(['other.yml']), {}, options).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).facts.join('\n')).toContain('other.yml` does not exist');
});
