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

  expect([code, stderr]).toEqual([3, '']);
  expect(stdout.split('\n').filter((line) => line.startsWith('::') || /token/.test(line))).toEqual([
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

  const { code, stdout } = await tasks(['login'], { cwd, env: { ...env, TOKEN: '' } });

  expect(code).toBe(3);
  expect(stdout).toContain('::error title=nothing has run::');
  expect(stdout).toContain('TOKEN');
});

test('in other CI each step is one piece (R38)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });

  const { code, stdout } = await tasks(['login', 'test'], { cwd: project.root, env: { CI: '1', TOKEN: 'very-secret-token' } });

  expect(code).toBe(3);
  expect(stdout.replaceAll(/\d+ms/g, '<time>')).toMatch(/^▶ login\ntoken \*\*\*\n✔ login <time>\n▶ test\nfine\nbroken\n✖ test `echo/);
});
