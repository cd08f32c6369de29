import { EventEmitter } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Said } from '../support/command-line.ts';
import { freePort } from '../../lib/free-port.ts';
import { tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

/** A watched line: it is told what to do by what it says, never by time. */
function watching(cwd: string, ...argv: readonly string[]) {
  let text = '';
  const process = new EventEmitter();
  const waiting: { readonly has: string; readonly tell: () => void }[] = [];
  const check = (): void => {
    for (const one of waiting) {
      if (!text.includes(one.has)) continue;
      text = text.slice(text.indexOf(one.has) + one.has.length);
      waiting.shift();
      one.tell();
      break;
    }
  };
  const hear = (said: string): void => {
    text += said;
    check();
  };
  const over = tasks(['-w', ...argv], { cwd, process, onStdout: hear, onStderr: hear });
  return {
    /** Resolves when it has said this since the last call. */
    says: (has: string): Promise<void> =>
      new Promise<void>((tell) => {
        waiting.push({ has, tell });
        check();
      }),
    /** Ctrl-C. */
    stop: (): void => void process.emit('signal', 'SIGINT'),
    /** Something is thrown where nobody waits for it. */
    stray: (error: Error): void => void process.emit('stray', error),
    end: (): Promise<Said> => {
      process.emit('signal', 'SIGINT');
      return over;
    },
    over,
  };
}

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { readFileSync, writeFileSync } from 'node:fs';
const build = task({
  summary: 'Build.',
  sources: ['src/**'],
  generates: ['out.txt'],
  run({ root, print }) {
    const text = readFileSync(root + '/src/a.txt', 'utf8');
    print('built ' + text + '\\n');
    if (text === 'bad') throw new Error('it is bad');
    writeFileSync(root + '/out.txt', text);
    return text;
  },
});
const plain = task({ summary: 'Plain.', run: ({ print }) => print('plain\\n') });
const user = task({ summary: 'User.', needs: { build, plain }, run: ({ needs, print }) => print('used ' + needs.build + '\\n') });
const all = task({ summary: 'All.', needs: [user, plain] });
const selfish = task({ summary: 'Writes its own sources.', sources: ['src/**'], run({ root, print }) {
  const text = readFileSync(root + '/src/a.txt', 'utf8');
  print('wrote ' + text + '\\n');
  writeFileSync(root + '/src/a.txt', text + '!');
} });
const formats = task({ summary: 'Writes its sources once.', sources: ['src/**'], run({ root, print }) {
  const text = readFileSync(root + '/src/a.txt', 'utf8');
  print('formatted ' + text + '\\n');
  if (text !== text.trim()) writeFileSync(root + '/src/a.txt', text.trim());
} });
export default defineConfig({ tasks: { build, plain, user, all, selfish, formats } });
`;

test('a change of a source runs what is affected, and nothing else (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'src/a.txt': 'one' });
  const watch = watching(project.root, 'all');
  await watch.says('used one');
  await watch.says('watching ');

  project.write('src/a.txt', 'two');
  await watch.says('changed: src/a.txt');
  await watch.says('used two');
  await watch.says('watching ');

  project.write('src/deep/b.txt', 'new');
  await watch.says('changed: src/deep/b.txt');
  await watch.says('built two');
  await watch.says('watching ');
  project.write('src/deep/b.txt', 'newer');
  await watch.says('changed: src/deep/b.txt');
  await watch.says('watching ');
  const { code, stdout } = await watch.end();

  expect(code).toBe(130);
  expect(stdout.match(/plain/g)).toHaveLength(1);
  // It gave the same, so its user was left alone.
  expect(stdout.match(/used/g)).toHaveLength(2);
});

test('a failing run waits for the next change (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'src/a.txt': 'bad' });
  const watch = watching(project.root, 'user');
  await watch.says('it is bad');
  await watch.says('watching ');
  project.write('src/a.txt', 'good');
  await watch.says('used good');
  await watch.says('watching ');

  expect((await watch.end()).code).toBe(130);
});

test('the config is read again; one that is broken is waited for (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'src/a.txt': 'one' });
  const watch = watching(project.root, 'build');
  await watch.says('watching ');
  project.write('tasks.config.ts', 'export default {{{');
  await watch.says('is not valid');
  project.write('tasks.config.ts', CONFIG.replace("'built '", "'made '"));
  await watch.says('made one');
  await watch.says('watching ');

  expect((await watch.end()).code).toBe(130);
});

test('what a broken config imports is watched too, there or not (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'src/a.txt': 'one' });
  const watch = watching(project.root, 'build');
  await watch.says('watching ');
  project.write('tasks.config.ts', `import './new/folder/part.ts';\n${CONFIG}`);
  await watch.says('watching for the next change');
  project.write('new/folder/part.ts', 'export const {{{');
  await watch.says('is not valid');
  await watch.says('watching for the next change');
  project.write('new/folder/part.ts', 'export {}');
  await watch.says('built one');
  await watch.says('watching ');

  expect((await watch.end()).code).toBe(130);
});

test('a file that goes, and a folder that comes, are changes (R36)', async () => {
  const project = projectWith({
    'tasks.config.ts': CONFIG.replace("sources: ['src/**'],\n  generates", "sources: ['src/**', 'later/deep/*.txt'],\n  generates"),
    'src/a.txt': 'one',
    'src/b.txt': '',
  });
  const watch = watching(project.root, 'build');
  await watch.says('watching ');
  rmSync(project.path('src/b.txt'));
  await watch.says('changed: src/b.txt');
  await watch.says('watching ');
  project.write('later/deep/c.txt', '');
  await watch.says('changed: later/deep/c.txt');
  await watch.says('watching ');

  expect((await watch.end()).code).toBe(130);
});

test('a step that writes its own sources settles, or is run again at most twice in a row (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, 'src/a.txt': 'x ' });
  const formats = watching(project.root, 'formats');
  await formats.says('formatted x ');
  await formats.says('watching ');
  const settled = await formats.end();
  expect(settled.stdout.match(/formatted/g)?.length).toBeLessThanOrEqual(2);

  writeFileSync(project.path('src/a.txt'), 'x');
  const selfish = watching(project.root, 'selfish');
  await selfish.says('waiting for the next change');
  await selfish.says('watching ');
  expect((await selfish.end()).stdout.match(/wrote/g)).toHaveLength(3);
  expect(readFileSync(project.path('src/a.txt'), 'utf8')).toBe('x!!!');
});

const SERVED = `
import { createServer } from 'node:net';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { defineConfig, portFree, task } from 'taskwright';
import { z } from 'zod';
const note = (text: string) => appendFileSync(import.meta.dirname + '/notes', text + ' ');
let server: ReturnType<typeof createServer> | undefined;
const db = task({
  summary: 'Database.',
  input: { port: z.number() },
  requires: ({ input }) => [portFree(input.port)],
  service: { ready: {}, stop: async () => { note('down'); await new Promise((done) => server?.close(done)); } },
  run: async ({ input }) => {
    note('up');
    server = createServer();
    await new Promise<void>((done) => server?.listen(input.port, '127.0.0.1', done));
    return 'db';
  },
});
const web = task({ summary: 'Web.', sources: ['web/**'], needs: { db: db({ port: PORT }) }, service: { ready: {}, stop: () => note('web-down') }, run: ({ print }) => { note('web-up'); print('serving\\n'); } });
const check = task({ summary: 'Check.', sources: ['src/**'], generates: [], needs: { db: db({ port: PORT }) }, run: ({ root, print }) => {
  print('checked ' + readFileSync(root + '/src/a.txt', 'utf8') + '\\n');
} });
const selfish = task({ summary: 'x', sources: ['src/**'], run({ root, print }) {
  print('wrote\\n');
  writeFileSync(root + '/src/a.txt', readFileSync(root + '/src/a.txt', 'utf8') + '!');
} });
export default defineConfig({ tasks: { db, web, check, selfish } });
`;

/** A port of its own, that nobody has. */
async function servedProject() {
  const port = await freePort();
  return projectWith({ 'tasks.config.ts': SERVED.replaceAll('PORT', String(port)), 'src/a.txt': 'one', 'web/a': '1', notes: '' });
}

test('a service stays up from round to round, and goes when watching ends (R36)', async () => {
  const project = await servedProject();
  const watch = watching(project.root, 'check');
  for (const text of ['one', 'two', 'three']) {
    project.write('src/a.txt', text);
    await watch.says(`checked ${text}`);
    await watch.says('watching ');
  }
  expect(project.read('notes')).toBe('up ');

  project.write('tasks.config.ts', project.read('tasks.config.ts').replace("'checked '", "'seen '"));
  await watch.says('seen three');
  await watch.says('watching ');
  // Its code is another now.
  expect(project.read('notes')).toBe('up down up ');

  const { code, stderr } = await watch.end();
  expect([code, project.read('notes')]).toEqual([130, 'up down up down ']);
  expect(stderr).toContain('stopping db\n');
});

test('what stays in the foreground is started anew only for what it is made of (R36)', async () => {
  const project = await servedProject();
  const watch = watching(project.root, 'check', 'web');
  await watch.says('note: watching ');
  for (const text of ['two', 'three', 'four', 'five']) {
    project.write('src/a.txt', text);
    await watch.says('changed: src/a.txt');
    await watch.says(`checked ${text}`);
    await watch.says('note: watching ');
  }
  expect(project.read('notes')).toBe('up web-up ');

  project.write('web/a', '2');
  await watch.says('changed: web/a');
  await watch.says('note: watching ');
  expect(project.read('notes')).toBe('up web-up web-down web-up ');

  expect((await watch.end()).code).toBe(130);
  expect(project.read('notes')).toMatch(/^up web-up web-down web-up (?:web-down down|down web-down) $/);
});

test('a step that writes its own sources beside a service in the foreground settles too, and the service stays (R36)', async () => {
  const project = await servedProject();
  const watch = watching(project.root, 'selfish', 'web');
  await watch.says('waiting for the next change');
  await watch.says('note: watching ');
  expect(project.read('notes')).toBe('up web-up ');

  expect((await watch.end()).stdout.match(/wrote/g)).toHaveLength(3);
  expect(project.read('notes')).toContain('down');
});

const GOING = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { defineConfig, task } from 'taskwright';
const note = (text: string) => appendFileSync(import.meta.dirname + '/notes', text + ' ');
const build = task({ summary: 'x', sources: ['src/**'], generates: [], run: () => 1 });
const server = task({ summary: 'x', needs: { build }, service: { ready: {}, stop: async () => {
  note('stopping');
  while (!existsSync(import.meta.dirname + '/go')) await new Promise((done) => setImmediate(done));
  note('gone');
} }, run: () => note('up') });
const test = task({ summary: 'x', needs: { server }, sources: ['tests/**'], generates: [], run: async ({ signal, print }) => {
  note('test');
  print('testing\\n');
  if (readFileSync(import.meta.dirname + '/tests/a', 'utf8') === 'wait') await new Promise((done) => signal.addEventListener('abort', done));
} });
export default defineConfig({ tasks: { build, server, test } });
`;

test('a round is over when the services are gone that were told to stop, and the next one finds none of them (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': GOING, 'src/a': '1', 'tests/a': 'wait', notes: '' });
  const watch = watching(project.root, 'test');
  await watch.says('testing');
  // The server stands on it: it is told to stop, and so is the test.
  project.write('src/a', '2');
  while (!project.read('notes').includes('stopping')) await new Promise((done) => setImmediate(done));
  project.write('tests/a', 'go on');
  // Time enough for a round that would not wait.
  for (let turn = 0; turn < 10_000 && project.read('notes') === 'up test stopping '; turn++)
    await new Promise((done) => setImmediate(done));
  project.write('go', '');
  await watch.says('testing');
  await watch.says('watching ');

  expect(project.read('notes')).toBe('up test stopping gone up test ');
  await watch.end();
});

test('a second Ctrl-C does not wait for services either (R21, R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': GOING, 'src/a': '1', 'tests/a': '', notes: '' });
  const watch = watching(project.root, 'test');
  await watch.says('watching ');
  watch.stop();
  await watch.says('stopping server');
  watch.stop();

  expect((await watch.over).code).toBe(130);
  expect(project.read('notes')).toBe('up test stopping ');
});

test('a second Ctrl-C during a round does not wait either (R21, R36)', async () => {
  const project = projectWith({
    'tasks.config.ts': `
import { defineConfig, task } from 'taskwright';
const server = task({ summary: 'x', service: { ready: {}, stop: ({ log }) => { log('slow'); return new Promise(() => {}); } }, run: () => {} });
const use = task({ summary: 'x', needs: { server }, sources: ['src/**'], run: ({ log }) => { log('going'); return new Promise(() => {}); }, grace: '50ms' });
export default defineConfig({ tasks: { server, use } });
`,
    'src/a': '1',
  });
  const watch = watching(project.root, 'use');
  await watch.says('going');
  watch.stop();
  watch.stop();
  expect((await watch.over).code).toBe(130);
});

const TALKING = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const secret = z.string().meta({ secret: true });
const server = task({ summary: 'x', service: { ready: {}, stop: () => {} }, output: z.object({ token: secret }), run: () => ({ token: 'token-of-the-server' }) });
const key = task({ summary: 'x', output: z.object({ key: secret }), run: () => ({ key: 'key-of-the-first-round' }) });
const use = task({ summary: 'x', needs: { server, key }, sources: ['src/**'], generates: [], run: ({ needs, log }) => log('has ' + needs.key.key + ' ' + needs.server.token) });
export default defineConfig({ tasks: { server, key, use } });
`;

test('a secret is hidden while its service is up, and in every later round (R29, R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': TALKING, 'src/a': '1' });
  const watch = watching(project.root, 'use');
  await watch.says('has *** ***');
  await watch.says('watching ');
  project.write('src/a', '2');
  await watch.says('has *** ***');
  await watch.says('watching ');

  const { stdout, stderr } = await watch.end();
  expect(`${stdout}${stderr}`).not.toMatch(/token-of|key-of/);
});

test('what a service throws between two rounds is told, without secrets, and ends nothing (R25, R29, R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': TALKING, 'src/a': '1' });
  const watch = watching(project.root, 'use');
  await watch.says('watching ');
  watch.stray(new Error('broke with token-of-the-server'));
  await watch.says('error: thrown where nobody waits for it: broke with ***');
  project.write('src/a', '2');
  await watch.says('has *** ***');
  await watch.says('watching ');

  expect((await watch.end()).code).toBe(130);
});

test('a plan without sources is a usage error (R36)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });
  const { code, stderr } = await watching(project.root, 'plain').over;

  expect([code, stderr]).toEqual([
    2,
    'error: nothing in this plan declares `sources`: there is nothing to watch\nhint: Say in `sources` what a task reads.\n',
  ]);
});
