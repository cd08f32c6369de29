import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Event } from '../../lib/event.ts';
import { run } from '../../lib/api.ts';
import { task } from '../../lib/task.ts';
import { carry } from '../support/carry.ts';
import { tasks } from '../support/command-line.ts';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';

// How a run ends that does not come to its own end: in silence, by a stray error, before it began.

const configWith = (body: string): TestProject =>
  projectWith({
    'tasks.config.ts': `import { Exit, defineConfig, requirement, task } from 'taskwright';\nimport { z } from 'zod';\n${body}\n`,
  });

test('a body that waits for what never comes fails, where Node would end without a word', async () => {
  const project = configWith(`
const never = task({ summary: 'Never.', run: () => new Promise<void>(() => {}) });
const other = task({ summary: 'Other.', run() {} });
export default defineConfig({ tasks: { never, other } });`);
  const process = new EventEmitter();

  const said = await tasks(['never', 'other'], {
    cwd: project.root,
    process,
    onStderr: (text) => void (text.includes('▶ never') && setImmediate(() => process.emit('idle'))),
  });

  expect(said.code).toBe(1);
  expect(said.stderr).toContain('✖ never it waits for something that nothing is left to give\n');
  expect(said.stderr).not.toContain('grace time');
});

test('a config, or a check, that waits for what never comes is told (R17)', async () => {
  const process = new EventEmitter();
  const idle = { process };
  const waiting = configWith(
    'await new Promise((_, reject) => { globalThis.letGoOfConfig = reject; });\nexport default defineConfig({ tasks: {} });',
  );
  const checking = configWith(`
const check = requirement('own', 'own', () => { setImmediate(() => globalThis.idle()); return new Promise(() => {}); });
const never = task({ summary: 'Never.', requires: [check], run() {} });
export default defineConfig({ tasks: { never } });`);
  Object.assign(globalThis, { idle: () => process.emit('idle') });

  const config = tasks(['x'], { ...idle, cwd: waiting.root });
  while (!('letGoOfConfig' in globalThis)) await new Promise((done) => setImmediate(done));
  process.emit('idle');
  const check = await tasks(['never'], { ...idle, cwd: checking.root });

  expect(await config).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: the config was not loaded: it awaits something that nothing is left to give\n/),
  });
  expect(check).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^error: a check before the run waits for something that nothing is left to give\n/),
  });
});

test('an error that nobody catches fails the run, told without its secrets, also where only failures are (R21, R29)', async () => {
  const project = configWith(`
const leak = task({ summary: 'Leak.', env: { TOKEN: z.string().meta({ secret: true }) }, run: ({ env }) => globalThis.stray(env.TOKEN) });
export default defineConfig({ tasks: { leak } });`);
  const process = new EventEmitter();
  Object.assign(globalThis, { stray: (token: string) => void process.emit('stray', new Error(`stray ${token}`)) });

  for (const words of [['leak'], ['-q', 'leak']]) {
    const said = await tasks(words, { cwd: project.root, process, env: { TOKEN: 'hidden-away' } });

    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/^error: thrown where nobody waits for it: stray \*\*\*\n/);
    expect(said.stderr).not.toContain('hidden-away');
  }
});

test('the message of an Exit is told once, and without its secrets (R21, R29)', async () => {
  const project = configWith(`
const env = { TOKEN: z.string().meta({ secret: true }) };
const fail = task({ summary: 'Fail.', env, run({ env }) { throw new Exit(7, 'it was ' + env.TOKEN); } });
const fine = task({ summary: 'Fine.', env, run({ env }) { throw new Exit(0, 'it was ' + env.TOKEN); } });
export default defineConfig({ tasks: { fail, fine } });`);
  const place = { cwd: project.root, env: { TOKEN: 'hidden-away' } };

  expect(await tasks(['fail'], place)).toEqual({ code: 7, stdout: '', stderr: '\n✖ fail it was ***\n  again: tasks fail\n' });
  expect(await tasks(['fine'], place)).toEqual({ code: 0, stdout: '', stderr: 'it was ***\n' });
});

test('secrets are *** in what --json and a program get told of a run; its own values it gets as they are (R29, R42)', async () => {
  const project = configWith(`
const token = task({ summary: 'Give it.', env: { TOKEN: z.string().meta({ secret: true }) }, run: ({ env }) => ({ token: env.TOKEN }) });
export default defineConfig({ tasks: { token } });`);
  const env = { TOKEN: z.string().meta({ secret: true }) };
  const give = task({ summary: 'Give it.', env, run: (context) => ({ token: context.env.TOKEN }) });
  const fail = task({
    summary: 'Fail.',
    env,
    run(context) {
      throw new Error(`it was ${context.env.TOKEN}`);
    },
  });

  const said = await tasks(['token', '--json'], { cwd: project.root, env: { TOKEN: 'hidden-away' } });

  expect(JSON.parse(said.stdout)).toMatchObject({ targets: [{ name: 'token', output: { token: '***' } }] });
  expect(await run(give, {}, { env: { TOKEN: 'hidden-away' } })).toEqual({ token: 'hidden-away' });
  await expect(run(fail, {}, { env: { TOKEN: 'hidden-away' } })).rejects.toThrow(/failed: it was \*\*\*$/);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s before the first step ends what the checks started, and the exit code says so (R21, R24)', async (signal, code) => {
  const project = configWith(`
import { existsSync } from 'node:fs';
const check = requirement('own', 'own', async ({ look, root }) => {
  const looking = look(['bash', '-c', 'echo $$ > pid.new; mv pid.new pid; sleep 1000']);
  while (!existsSync(root + '/pid')) await new Promise((done) => setImmediate(done));
  globalThis.isLooking();
  await looking;
});
const slow = task({ summary: 'Slow.', requires: [check], run() {} });
export default defineConfig({ tasks: { slow } });`);
  const process = new EventEmitter();
  Object.assign(globalThis, { isLooking: () => process.emit('signal', signal) });

  const said = await tasks(['slow'], { cwd: project.root, process });

  expect(said).toEqual({ code, stdout: '', stderr: 'stopped before anything ran\n' });
  expect(isAlive(Number(readFileSync(project.path('pid'), 'utf8')))).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

test('what is wrong with a file of variables stands in the one report, and can be left out (R17, R18)', async () => {
  const project = configWith(`
const wrong = task({ summary: 'Wrong.', dotenv: ['own.env'], requires: [requirement('other', 'other', () => ({ problem: 'another thing' }))], run() {} });
const fine = task({ summary: 'Fine.', run: ({ print }) => print('ran\\n') });
export default defineConfig({ tasks: { wrong, fine } });`);
  project.write('own.env', 'FINE=1\nno assignment\n');

  expect((await tasks(['wrong'], { cwd: project.root })).stderr).toBe(
    `error: \`wrong\` cannot run here\n  \`${project.path('own.env')}:2\`: expected \`NAME=value\`\n  another thing\nhint: Nothing has run.\n`,
  );
  expect(await tasks(['wrong', 'fine', '--skip-unmet', '-q'], { cwd: project.root })).toEqual({ code: 0, stdout: 'ran\n', stderr: '' });
});

test('commands of a service and of its stop have numbers of their own (R38)', async () => {
  const events: Event[] = [];
  const site = task({
    summary: 'Serve.',
    service: { ready: { check: () => true }, stop: ({ exec }) => exec(['stop']) },
    run({ exec }) {
      void exec(['serve']);
    },
  });
  const user = task({ summary: 'Use.', needs: { site }, run() {} });
  const ending: (() => void)[] = [];

  await carry([user], {
    names: { site, user },
    onEvent: (event) => events.push(event),
    runner: {
      start: ({ what }) => {
        const isStop = 'argv' in what && what.argv[0] === 'stop';
        const end = { code: 0, signal: undefined, trouble: undefined, stdout: '', stderr: '', tail: '', ms: 0 };
        const ended = isStop ? Promise.resolve(end) : new Promise<typeof end>((done) => ending.push(() => done(end)));
        return { pid: undefined, ended, end: () => ending.forEach((one) => one()), sweep: async () => 0 };
      },
    },
  });

  expect(events.flatMap((event) => (event.type === 'command-ended' ? [event.command] : []))).toEqual([2, 1]);
});

test('on a terminal the closing line of a single step stands on a line of its own; in a pipe there is none (R40)', async () => {
  const project = configWith(`
const say = task({ summary: 'Say.', run: ({ print }) => print('no line break') });
export default defineConfig({ tasks: { say } });`);

  const seen = await tasks(['say'], { cwd: project.root, terminal: { columns: 80, rows: 24 } });

  expect([seen.stdout, seen.stderr.replace(/\d+ms/, '<time>')]).toEqual(['no line break', '\n✔ say <time>\n']);
  expect(await tasks(['say'], { cwd: project.root })).toEqual({ code: 0, stdout: 'no line break', stderr: '' });
});
