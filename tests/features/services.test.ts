import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as tick } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../lib/free-port.ts';
import { localRunner } from '../../lib/runners/local.ts';
import type { AnyTask, Ready, ServiceSpec } from '../../lib/task.ts';
import { task } from '../../lib/task.ts';
import type { CarryOptions } from '../support/carry.ts';
import { carry } from '../support/carry.ts';
import { projectWith } from '../support/project.ts';

// Real processes (R37): a server is a line of Node, so that each misbehaves as its name says.

const serves = (body: string): string[] => [process.execPath, '-e', body];
const LISTENS = "require('net').createServer((s) => s.on('error', () => {}).end('hello')).listen(+process.env.PORT, '127.0.0.1')";

interface Spec {
  readonly ready?: (port: number) => Ready;
  readonly more?: Partial<ServiceSpec<unknown, unknown>>;
  readonly extra?: object;
}

/** A service on a port of its own, and a task that needs it and says what it got. */
function served(body: string, { ready = (port) => ({ port, within: '20s' }), more = {}, extra = {} }: Spec = {}) {
  const server = task({
    summary: 'server',
    grace: '500ms',
    ...extra,
    output: z.object({ port: z.int() }),
    service: { ready: ({ output }) => ready(output.port), ...(more as object) },
    async run({ exec }) {
      const port = await freePort();
      void exec(serves(body), { env: { PORT: String(port) } });
      return { port };
    },
  });
  const user = task({ summary: 'user', needs: { server }, run: ({ needs }) => needs.server.port });
  return { server, user };
}

const real = (options: CarryOptions = {}): CarryOptions => ({
  runner: localRunner(),
  root: projectWith().root,
  env: { PATH: process.env['PATH'] },
  ...options,
});

const kinds = (run: { readonly events: readonly { readonly type: string }[] }): string[] =>
  run.events.flatMap(({ type }) => (type.startsWith('service-') ? [type] : []));

test.each<[string, string, (port: number) => Ready]>([
  ['a port, of a slow start', `setTimeout(() => { ${LISTENS} }, 300)`, (port) => ({ port })],
  [
    'an HTTP status, of one that flaps first',
    "let n = 0; require('http').createServer((q, r) => { r.statusCode = ++n < 3 ? 503 : 200; r.end(); }).listen(+process.env.PORT, '127.0.0.1')",
    (port) => ({ http: { url: `http://127.0.0.1:${port}/`, status: 200 } }),
  ],
  [
    'a line of its log that has no end',
    "process.stdout.write('up and run'); setTimeout(() => process.stdout.write('ning on 1'), 50); setInterval(() => {}, 1e6)",
    () => ({ log: /running on \d/ }),
  ],
  [
    'a command',
    LISTENS,
    (port) => ({ command: [process.execPath, '-e', `require('net').connect(${port}, '127.0.0.1').on('connect', () => process.exit(0))`] }),
  ],
  [
    'a look of its own that throws until then',
    LISTENS,
    (port) => ({
      check: async () => (
        await fetch(`http://127.0.0.1:${port}/`).catch((e: Error) =>
          (e.cause as Error).message.includes('REFUSED') ? Promise.reject(e) : e,
        ),
        true
      ),
    }),
  ],
])('ready by %s (R37)', async (_, body, ready) => {
  const { server, user } = served(body, { ready: (port) => ({ within: '20s', ...ready(port) }) });

  const run = await carry([user], real({ names: { server, user } }));

  expect(run.ended).toEqual({ server: 'done', user: 'done' });
  expect(run.result.outputs[0]).toBeGreaterThan(1024);
  expect(kinds(run)).toEqual(['service-ready', 'service-stopping']);
  // Looking shows in no log.
  expect(run.events.filter((event) => event.type === 'command-started')).toHaveLength(1);
});

test('one that is never ready fails, with the last answer and its last lines (R37)', async () => {
  const { server, user } = served("console.log('thinking'); setInterval(() => {}, 1e6)", { ready: (port) => ({ port, within: '500ms' }) });

  const run = await carry([user], real({ names: { server, user } }));

  expect(run.outcome('server')).toMatchObject({
    failure: {
      kind: 'service',
      message: 'the service was not ready within 500ms',
      facts: [expect.stringMatching(/^nothing accepts connections on 127\.0\.0\.1:\d+$/)],
      exitCode: 124,
    },
    tail: expect.stringContaining('thinking'),
  });
  expect(run.ended['user']).toBe('skipped');
});

test('one whose `$` ends at once is told with its command line (R37)', async () => {
  const server = task({ summary: 'server', service: { ready: { log: 'ready' } }, run: ({ $ }) => void $`exit 4` });

  const run = await carry([server], real({ names: { server } }));

  expect(run.outcome('server')).toMatchObject({
    failure: { message: 'the service `exit 4` exited with code 4 before it was ready', command: 'exit 4' },
  });
});

test('one that dies before it is ready fails with its last lines (R37)', async () => {
  const { server, user } = served("console.error('no such file'); process.exit(7)");

  const run = await carry([user], real({ names: { server, user } }));

  expect(run.outcome('server')).toMatchObject({
    failure: { message: expect.stringMatching(/exited with code 7 before it was ready$/), exitCode: 7 },
    tail: expect.stringContaining('no such file'),
  });
});

test('one that dies under load fails its users with its last lines (R37)', async () => {
  const { server } = served(
    "require('net').createServer((s) => s.on('data', () => { console.error('out of memory'); process.exit(9); })).listen(+process.env.PORT, '127.0.0.1')",
  );
  const user = task({
    summary: 'user',
    needs: { server },
    run: ({ needs, signal }) =>
      new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        void fetch(`http://127.0.0.1:${needs.server.port}/`).catch(() => {});
      }),
  });

  const run = await carry([user], real({ names: { server, user } }));

  expect(run.outcome('user')).toMatchObject({
    failure: {
      kind: 'service',
      message: expect.stringMatching(/^`server`, which it needs, ended: the service .* exited with code 9$/),
      facts: ['its last lines:', '  out of memory'],
    },
  });
});

test('a failure while it stops is told (R37)', async () => {
  const { server, user } = served(LISTENS, {
    more: {
      stop: () => {
        throw new Error('the volume is busy');
      },
    },
  });

  const run = await carry([user], real({ names: { server, user } }));

  expect(run.ended).toEqual({ server: 'failed', user: 'done' });
  expect(run.outcome('server')).toMatchObject({ failure: { message: 'it did not stop well: the volume is busy' } });
});

test('somebody else’s server on its port is not taken for it (R37)', async () => {
  const stranger = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => stranger.once('listening', resolve));
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const server = task({
    summary: 'server',
    service: { ready: { port } },
    run: ({ exec }) => void exec(['sleep', '1000']),
  });

  const run = await carry([server], real({ names: { server } }));

  expect(run.outcome('server')).toMatchObject({
    failure: {
      message: expect.stringMatching(
        new RegExp(`^port ${port} was taken before the service started, by \`.*\` \\(process ${process.pid}\\): what answers`),
      ),
      hint: expect.stringContaining('freePort()'),
    },
  });
});

test('what runs already is used and left alone where the task allows it (R37)', async () => {
  let started = 0;
  let stopped = 0;
  const server = task({
    summary: 'server',
    output: z.object({ port: z.int() }),
    service: { adopt: () => ({ port: 4711 }), ready: { check: () => true }, stop: () => void stopped++ },
    run: () => ({ port: ++started }),
  });
  const user = task({ summary: 'user', needs: { server }, run: ({ needs }) => needs.server.port });

  const run = await carry([user], { names: { server, user } });

  expect([run.result.outputs, started, stopped]).toEqual([[4711], 0, 0]);
  expect(run.ended).toEqual({ server: 'done', user: 'done' });
  expect(run.events).toContainEqual(expect.objectContaining({ type: 'notice', text: 'uses what runs already, and leaves it alone' }));
});

test('one that falls is started again, and its users keep what they got (R37)', async () => {
  const project = projectWith();
  const server = task({
    summary: 'server',
    grace: '500ms',
    service: { ready: { log: 'up' }, restart: { times: 2, delay: '1ms' } },
    run({ exec }) {
      // The first one falls as soon as it is told to.
      void exec([
        'bash',
        '-c',
        'echo up; if [ ! -e second ]; then until [ -e fall ]; do sleep 0.01; done; touch second; exit 3; fi; exec sleep 1000',
      ]);
      return 'the same';
    },
  });
  const user = task({
    summary: 'user',
    needs: { server },
    async run({ $, needs }) {
      await $`touch fall; until [ -e done ]; do sleep 0.01; done`;
      return needs.server;
    },
  });

  const run = await carry(
    [user],
    real({
      names: { server, user },
      root: project.root,
      onEvent: (event) => {
        if (event.type === 'service-restarting') project.write('done', '');
      },
    }),
  );

  expect(run.ended).toEqual({ server: expect.stringMatching(/done/) as string, user: 'done' });
  expect(run.events).toContainEqual(
    expect.objectContaining({ type: 'service-restarting', restart: 1, restarts: 2, failure: expect.objectContaining({ exitCode: 3 }) }),
  );
  expect(run.result.outputs).toEqual(['the same']);
});

test('`on-failure` does not bring back one that ended well; when no restart is left its users fail (R37)', async () => {
  let lives = 0;
  const server = (restart: ServiceSpec<unknown, unknown>['restart'], code: number): AnyTask =>
    task({
      summary: 'server',
      service: { ready: { log: 'up' }, restart },
      run({ exec }) {
        lives++;
        void exec(['bash', '-c', `echo up; until [ -e fall ]; do sleep 0.01; done; exit ${code}`]);
      },
    });
  const carried = async (one: AnyTask) => {
    const project = projectWith();
    lives = 0;
    const user = task({
      summary: 'user',
      needs: { one: one as never },
      run: ({ signal }) =>
        new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
          project.write('fall', '');
        }),
    });
    const run = await carry([user], real({ names: { one, user }, root: project.root }));
    return [run.ended, lives];
  };

  expect(await carried(server('on-failure', 0))).toEqual([{ one: 'failed', user: 'failed' }, 1]);
  expect(await carried(server({ times: 2, delay: '1ms' }, 0))).toEqual([{ one: 'failed', user: 'failed' }, 3]);
});

test('ports are held until their step is over: steps side by side get different ones (R37)', async () => {
  const ports: number[] = [];
  const one = task({
    summary: 'one',
    input: { n: z.int() },
    async run() {
      ports.push(await freePort());
      while (ports.length < 20) await tick();
    },
  });
  const all = task({ summary: 'all', needs: Array.from({ length: 20 }, (_, n) => one({ n })) });

  await carry([all], { jobs: 20 });

  expect(new Set(ports).size).toBe(20);
});
