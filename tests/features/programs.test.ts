import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { run, runTargets } from '../../lib/api.ts';
import { defineConfig } from '../../lib/config.ts';
import { CommandFailedError, Exit } from '../../lib/errors.ts';
import type { Event } from '../../lib/event.ts';
import { plan, planTargets } from '../../lib/foresee.ts';
import { start } from '../../lib/start.ts';
import { task } from '../../lib/task.ts';
import { scriptedRunner } from '../../lib/testing.ts';
import { projectWith } from '../support/project.ts';

afterEach(() => vi.restoreAllMocks());

/** A port that nobody has at the moment. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

const site = task({
  summary: 'Serve.',
  input: { port: z.int() },
  output: z.object({ url: z.string().transform((text) => new URL(text)) }),
  service: { ready: ({ input }) => ({ port: input.port }) },
  run({ input, exec }) {
    const code = `require('http').createServer((q, r) => q.url === '/die' ? process.exit(3) : r.end('hello')).listen(${input.port}, '127.0.0.1')`;
    void exec([process.execPath, '-e', code]);
    return { url: `http://127.0.0.1:${input.port}/` };
  },
});
const hello = (url: URL): Promise<string> => fetch(url, { headers: { connection: 'close' } }).then((response) => response.text());

// ── start ────────────────────────────────────────────────────────────────────────────────────────

test('a service is started for as long as it is used, its output typed and parsed (R41)', async () => {
  const port = await unusedPort();
  let url: URL;
  {
    await using service = await start(site, { port });
    url = service.output.url;
    expect(await hello(url)).toBe('hello');
  }
  await expect(hello(url)).rejects.toThrow();
});

test('a service that ends by itself is told by `stop` (R37, R41)', async () => {
  const service = await start(site, { port: await unusedPort() });

  await hello(new URL('/die', service.output.url)).catch(() => {});

  await expect(service.ended).rejects.toThrow(/exited with code 3/);
  await expect(service.stop()).rejects.toThrow(/exited with code 3/);
});

test('a service that cannot start rejects with why, and one that may not with the refusal (R41)', async () => {
  const broken = task({ summary: 'Broken.', service: { ready: { check: () => true } }, run: () => Promise.reject(new Error('no disk')) });
  const asking = task({ summary: 'Asking.', confirm: 'Really?', service: { ready: {} }, run: () => ({}) });

  await expect(start(broken)).rejects.toThrow(/no disk/);
  await expect(start(asking)).rejects.toMatchObject({ exitCode: 3 });
  await expect(start(task({ summary: 'x', run() {} }))).rejects.toThrow('a task that is no service cannot be started');
});

test('aborting ends a started service (R41)', async () => {
  const controller = new AbortController();
  const service = await start(site, { port: await unusedPort() }, { signal: controller.signal });

  controller.abort();

  await expect(service.stop()).rejects.toMatchObject({ exitCode: 130 });
});

// ── plan ─────────────────────────────────────────────────────────────────────────────────────────

const image = task({ summary: 'Image.', input: { tag: z.string().default('local') }, run() {} });
const deploy = task({
  summary: 'Deploy.',
  input: { to: z.enum(['staging', 'production']) },
  needs: ({ input }) => ({ built: image({ tag: input.to }) }),
  run: () => Promise.reject(new Error('never')),
});

test('a plan can be kept as a snapshot, and runs nothing (R13, R41)', async () => {
  const config = defineConfig({ tasks: { image, deploy } });

  expect(await plan(deploy, { to: 'staging' }, { config })).toEqual(await planTargets(config, ['deploy', 'staging']));
  expect(await planTargets(config, ['deploy', 'staging'])).toMatchInlineSnapshot(`
    {
      "steps": [
        {
          "after": [],
          "id": "image",
          "input": {
            "tag": "staging",
          },
          "name": "image",
          "needs": {},
          "rerun": "tasks image --tag staging",
          "title": "image",
        },
        {
          "after": [],
          "id": "deploy",
          "input": {
            "to": "staging",
          },
          "name": "deploy",
          "needs": {
            "built": "image",
          },
          "rerun": "tasks deploy --to staging",
          "target": 0,
          "title": "deploy",
        },
      ],
      "targets": [
        "deploy",
      ],
      "version": 1,
    }
  `);
  await expect(planTargets(config, ['deploy', 'nowhere'])).rejects.toMatchObject({ exitCode: 2 });
});

// ── What a program's process keeps ───────────────────────────────────────────────────────────────

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const listeners = (): number[] =>
  [...SIGNALS, 'exit', 'uncaughtException', 'unhandledRejection'].map((name) => process.listenerCount(name));

test('the process, its variables, its folder and its output are as they were, and signals are given back (R41)', async () => {
  const project = projectWith({ '.env': 'FROM_FILE=1\n' });
  const before = { env: { ...process.env }, cwd: process.cwd(), listeners: listeners(), log: console.log, exitCode: process.exitCode };
  const wrote = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  const exits = vi.spyOn(process, 'exit');
  const during: number[][] = [];
  const look = task({
    summary: 'Look around.',
    async run({ $, log, print, root }) {
      during.push(listeners());
      log('said');
      console.log('said too');
      print('result');
      return [root, await $`pwd; echo $PATH $\{FROM_FILE-unset}; exit 0`.text()] as const;
    },
  });
  const broken = task({ summary: 'Break.', run: ({ $ }) => $`exit 3` });
  const quit = task({ summary: 'Quit.', run: () => Promise.reject(new Exit(4, 'enough')) });

  const [root, text] = await run(look, {}, { root: project.root });
  await run(look, {}, { root: project.root, signals: false });
  await expect(run(broken)).rejects.toMatchObject({ exitCode: 3 });
  await expect(run(quit)).rejects.toMatchObject({ exitCode: 4 });

  expect([root, text]).toEqual([project.root, `${project.root}\n${process.env['PATH'] ?? ''} unset`]);
  const [ours, theirs] = during;
  expect(ours?.slice(0, 3)).toEqual(before.listeners.slice(0, 3).map((count) => count + 1));
  expect(theirs?.slice(0, 3)).toEqual(before.listeners.slice(0, 3));
  expect(wrote.map((spy) => spy.mock.calls)).toEqual([[], []]);
  expect(exits).not.toHaveBeenCalled();
  expect({ env: { ...process.env }, cwd: process.cwd(), log: console.log, exitCode: process.exitCode }).toEqual({
    env: before.env,
    cwd: before.cwd,
    log: before.log,
    exitCode: before.exitCode,
  });
  expect(listeners().slice(0, 3)).toEqual(before.listeners.slice(0, 3));
});

test('two runs at once do not meet, and each hears its own events (R41)', async () => {
  const say = task({
    summary: 'Say.',
    input: { word: z.string() },
    async run({ input, $ }) {
      console.log('log', input.word);
      return $`echo ${input.word}`.text();
    },
  });
  const heard: Record<string, Event[]> = { a: [], b: [] };
  const listen = (name: string) => ({ onEvent: (event: Event) => void heard[name]?.push(event) });

  expect(await Promise.all([run(say, { word: 'a' }, listen('a')), run(say, { word: 'b' }, listen('b'))])).toEqual(['a', 'b']);

  for (const name of ['a', 'b']) {
    expect(heard[name]?.flatMap((event) => (event.type === 'log' || event.type === 'output' ? [event.text.trim()] : []))).toEqual([
      `log ${name}`,
      name,
    ]);
  }
});

test('an error of a command is typed where it is caught: its code, folder, time and last words (R27)', async () => {
  const runner = scriptedRunner({ 'make all': { exitCode: 2, stdout: 'one\n', stderr: 'two\n' } });
  const caught = task({
    summary: 'Catch.',
    cwd: '/',
    run: ({ exec }) => exec(['make', 'all']).catch((error: unknown) => (error instanceof CommandFailedError ? error : undefined)),
  });

  const error = await run(caught, {}, { runner });

  if (!(error instanceof CommandFailedError)) throw new Error('no error');
  const { command, exitCode, signal, cwd, tail, result } = error;
  expect({ command, exitCode, signal, cwd, tail, out: result.stdout, err: result.stderr }).toEqual({
    command: 'make all',
    exitCode: 2,
    signal: undefined,
    cwd: '/',
    tail: 'one\ntwo\n',
    out: 'one\n',
    err: 'two\n',
  });
  expect(error.stack).toMatch(/^CommandFailedError: `make all` exited with code 2\n\s+at .*programs\.test\.ts/);
});

test('runTargets takes words as a command line does, and gives a result that does not throw (R41)', async () => {
  const config = defineConfig({ tasks: { image, deploy } });

  const result = await runTargets(config, ['image', '--tag=x', 'deploy', 'staging']);

  expect([result.exitCode, result.counts.done, result.counts.failed]).toEqual([1, 2, 1]);
  await expect(runTargets(config, ['imag'])).rejects.toMatchObject({ code: 'unknown-task', exitCode: 2 });
});
