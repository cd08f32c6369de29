import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { expect, test as plain } from 'vitest';
import { projectWith } from '../support/project.ts';
import { REPOSITORY, tasks, testWith } from '../support/real-tools.ts';

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
const show = task({ summary: 'Show.', env: { GREETING: z.string() }, dotenv: ['.envrc'], run: ({ env, print }) => print(env.GREETING + '\\n') });
export default defineConfig({ tasks: { show } });
`;

testWith(['direnv'])('an .envrc with bash code is read through direnv, once it is allowed (R30)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, '.envrc': 'export GREETING="hello from $(echo bash)"\n' });
  const env = { XDG_DATA_HOME: project.path('data'), XDG_CONFIG_HOME: project.path('config') };

  const refused = await tasks(['show'], { cwd: project.root, env });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('direnv allow');
  execFileSync('direnv', ['allow', project.root], { env: { ...process.env, ...env } });
  expect(await tasks(['show'], { cwd: project.root, env })).toMatchObject({ code: 0, stdout: 'hello from bash\n' });
});

plain('a plain .envrc needs no direnv (R30)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG, '.envrc': '# settings\nexport GREETING=hello\n' });
  expect(await tasks(['show'], { cwd: project.root })).toMatchObject({ code: 0, stdout: 'hello\n' });
});

plain('doctor: without docker and poetry it names each, with its remedy, and ends with 3', async () => {
  const project = projectWith({
    'tasks.config.ts':
      "import { defineConfig } from 'taskwright';\nimport * as infrahub from 'taskwright/tasks';\nexport default defineConfig({ tasks: { ...infrahub } });\n",
    'bin/x': '',
  });
  for (const program of ['node', 'git', 'bash'])
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), project.path('bin', program));

  const ran = await tasks(['doctor'], { cwd: project.root, env: { PATH: project.path('bin') } });

  expect(ran.code).toBe(3);
  expect(ran.stdout).toMatch(/✔ +git/);
  expect(ran.stdout).toMatch(/✖ +poetry +not found.*\n.*pipx install poetry/);
  expect(ran.stdout).toMatch(/✖ +docker compose +not found.*\n.*`docker` was not found on PATH/);
});

plain("the guide's sandbox on a bare machine: what cannot run is skipped with its remedy, exit 0 (R18)", async () => {
  const project = projectWith({
    'tasks.config.ts':
      "import { defineConfig } from 'taskwright';\nimport * as infrahub from 'taskwright/tasks';\nexport default defineConfig({ tasks: { ...infrahub } });\n",
    'bin/x': '',
  });
  for (const program of ['node', 'git', 'bash'])
    symlinkSync(execFileSync('which', [program], { encoding: 'utf8' }).trim(), project.path('bin', program));

  const ran = await tasks(['guide', '--sandbox', '--skip-unmet', '--yes'], {
    cwd: project.root,
    env: { PATH: project.path('bin'), HOME: project.root },
  });

  expect(ran.code).toBe(0);
  expect(ran.stderr).toMatch(/✔ clone/);
  expect(ran.stderr).toMatch(/✔ env\.check/);
  expect(ran.stderr).toMatch(/↓ install +skipped: `poetry` was not found on PATH/);
  expect(ran.stderr).toContain('→ pipx install poetry');
});

plain('what is thrown where nobody waits is told, fails the run, and ends nothing halfway (R25)', async () => {
  const project = projectWith({
    'tasks.config.ts': `
import { defineConfig, task } from 'taskwright';
const stray = task({ summary: 'Stray.', async run({ $ }) { void Promise.reject(new Error('lost')); await $\`echo still here\`; } });
const next = task({ summary: 'Next.', run: ({ print }) => print('next\\n') });
export default defineConfig({ tasks: { stray, next } });
`,
  });

  const ran = await tasks(['-r', 'lines', 'stray', 'next'], { cwd: project.root });

  expect([ran.code, ran.stdout]).toEqual([1, 'stray | still here\nnext\n']);
  expect(ran.stderr).toContain('error: thrown where nobody waits for it: lost');
});

plain('a closed pipe ends what only looks, quietly (R21)', async () => {
  const project = projectWith({ 'tasks.config.ts': CONFIG });
  const piped = spawnSync('bash', ['-c', `"${process.execPath}" "${REPOSITORY}/dist/lib/bin.cjs" --list | head -0`], {
    cwd: project.root,
    encoding: 'utf8',
  });
  expect([piped.status, piped.stderr]).toEqual([0, '']);
});
