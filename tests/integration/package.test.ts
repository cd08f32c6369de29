import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENV, PROJECT, REPOSITORY, leftOf, tasks, testWith } from '../support/real-tools.ts';

// The packed tarball in another project: as strangers have it.
let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-package-')));
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: REPOSITORY, stdio: 'ignore' });
  const [tarball = ''] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', version: '1.0.0', private: true, type: 'module' }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `./${tarball}`, 'zod@4', 'typescript@7', '@types/node@20'], {
    cwd: folder,
    stdio: 'ignore',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SCRIPT = `
import { run } from 'taskwright';
import { devStart, destroy } from 'taskwright/tasks/demo';
const [infrahub = ''] = process.argv.slice(2);
const { services } = await run(devStart, { infrahub, database: 'memgraph', wait: true });
const healthy: string[] = services.filter((service) => service.health === 'healthy').map((service) => service.service);
console.log(healthy.join(' '));
const gone: { project: string; volumes: string[] } = await run(destroy, { infrahub, database: 'memgraph' }, { confirm: true });
console.log(gone.project);
`;

test('declarations of shipped tasks are readable, and a wrong use does not compile', () => {
  writeFileSync(join(folder, 'script.ts'), SCRIPT);
  writeFileSync(
    join(folder, 'wrong.ts'),
    "import { run } from 'taskwright';\nimport { devStart } from 'taskwright/tasks/demo';\nawait run(devStart, { database: 'mysql' });\n",
  );
  const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--noEmit', '--types', 'node', '--skipLibCheck', 'false'];
  const tsc = (file: string) => spawnSync('npx', ['tsc', ...options, file], { cwd: folder, encoding: 'utf8' });

  expect(tsc('script.ts')).toMatchObject({ status: 0, stdout: '' });
  expect(tsc('wrong.ts').stdout).toContain('"mysql"');
  const declared = readFileSync(join(folder, 'node_modules/taskwright/dist/tasks/demo.d.ts'), 'utf8');
  expect(declared).toMatch(/export declare const build: import\("[^"]+"\)\.Task<\{\n {4}infrahub\?: string/);
});

test('the installed bin runs a config of the project', async () => {
  writeFileSync(
    join(folder, 'tasks.config.ts'),
    "import { defineConfig, task } from 'taskwright';\nexport default defineConfig({ tasks: { hello: task({ summary: 'Hello.', run: ({ print }) => print('hello\\n') }) } });\n",
  );
  expect(spawnSync('npx', ['tasks', 'hello'], { cwd: folder, encoding: 'utf8' }).stdout).toBe('hello\n');
});

testWith(['docker'])('a script in another project runs a shipped task and gets its typed value', async () => {
  writeFileSync(
    join(folder, 'tasks.config.ts'),
    "import { defineConfig } from 'taskwright';\nimport * as infrahub from 'taskwright/tasks';\nexport default defineConfig({ tasks: { ...infrahub } });\n",
  );
  const made = await tasks(
    [
      'clone',
      join(folder, '.sandbox/infrahub-sandbox'),
      '--url',
      join(folder, '.sandbox/origin.git'),
      '--sandbox',
      'override',
      '--infrahub',
      join(folder, '.sandbox/infrahub-sandbox'),
    ],
    { cwd: folder },
  );
  expect(made.code).toBe(0);
  writeFileSync(join(folder, 'script.mjs'), SCRIPT.replaceAll(/: \{ project.*?\}|: string\[\]/g, ''));

  const ran = spawnSync(process.execPath, ['script.mjs', join(folder, '.sandbox/infrahub-sandbox')], {
    cwd: folder,
    env: ENV,
    encoding: 'utf8',
  });

  expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, `cache database message-queue\n${PROJECT}\n`, '']);
  expect(leftOf(PROJECT)).toEqual([]);
});
