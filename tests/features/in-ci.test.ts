import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const SECRET = z.string().meta({ secret: true });
const login = task({ summary: 'Log in.', env: { TOKEN: SECRET }, run: ({ env, $ }) => $\`echo token \${env.TOKEN}\` });
const test = task({
  summary: 'Test.',
  run: async ({ $ }) => {
    await $\`echo fine\`;
    await $\`echo broken >&2; exit 3\`;
  },
});
const thrower = task({ summary: 'Throw.', run() { throw new Error('odd'); } });
const slow = task({ summary: 'Take too long.', timeout: '1ms', run: ({ signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason))) });
export default defineConfig({ tasks: { login, test, thrower, slow } });
`;

const VERSION = `
const tag = task({ summary: 'Look.', run: async ({ $ }) => (await $\`echo 1.2.3\`).text() });
const version = task({ summary: 'Say it.', needs: { tag }, run: ({ needs, print }) => print(needs.tag + '\\n') });
const login`;

const actions = (project: { readonly root: string }) => ({
  cwd: project.root,
  env: {
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: project.root,
    TOKEN: 'very-secret-token',
    GITHUB_STEP_SUMMARY: join(project.root, 'summary.md'),
  },
});

test('in GitHub Actions: groups, annotations at the line of the command, a masked secret, a summary (R29, R38)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });

  const { code, stdout, stderr } = await tasks(['-k', 'login', 'test', 'thrower', 'slow'], actions(project));

  expect([code, stdout]).toEqual([3, '']);
  expect(stderr.split('\n').filter((line) => line.startsWith('::') || /token/.test(line))).toEqual([
    '::add-mask::very-secret-token',
    '::group::login',
    'token ***',
    '::endgroup::',
    '::group::test',
    '::endgroup::',
    '::error file=tasks.config.ts,line=10,title=test::`echo broken >&2; exit 3` exited with code 3%0A%0Afine%0Abroken',
    '::error file=tasks.config.ts,line=13,title=thrower::odd',
    '::error file=tasks.config.ts,line=14,title=slow::it ran longer than 1ms',
  ]);
  expect(readFileSync(project.path('summary.md'), 'utf8')).toMatch(/^### ✖ 1 done, 3 failed/);
});

test('in GitHub Actions a refusal is annotated (R17, R38)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });
  const { env, cwd } = actions(project);

  const { code, stderr } = await tasks(['login'], { cwd, env: { ...env, TOKEN: '' } });

  expect(code).toBe(3);
  expect(stderr).toContain('::error title=nothing has run::');
  expect(stderr).toContain('TOKEN');
});

test('in other CI each step is one piece (R38)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });

  const { code, stderr } = await tasks(['login', 'test'], { cwd: project.root, env: { CI: '1', TOKEN: 'very-secret-token' } });

  expect(code).toBe(3);
  expect(stderr.replaceAll(/\d+ms/g, '<time>')).toMatch(/^▶ login\ntoken \*\*\*\n✔ login <time>\n▶ test\nfine\nbroken\n✖ test `echo/);
});

test.each(['1', 'github'])('what a body prints is all there is on stdout, so that a script can read it (R25): %s', async (place) => {
  const project = projectWith({ 'tasks.config.ts': CONFIG.replace('{ login,', '{ version,').replace('const login', () => VERSION) });
  const env: Record<string, string> = place === 'github' ? { CI: 'true', GITHUB_ACTIONS: 'true' } : { CI: place };

  const { code, stdout } = await tasks(['version'], { cwd: project.root, env });

  expect([code, stdout]).toEqual([0, '1.2.3\n']);
});
