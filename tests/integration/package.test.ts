import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { januaryFiles } from '../support/checkouts.ts';
import type { TestProject } from '../support/project.ts';
import { projectAt } from '../support/project.ts';
import { ENV, PROJECT, REPOSITORY, leftOf, testWith } from '../support/real-tools.ts';
import type { StandIns } from '../support/stand-ins.ts';
import { standIns } from '../support/stand-ins.ts';

// The packed tarball, as strangers have it: in empty projects, with their own zod, and a checkout of Infrahub
// elsewhere. Its programs are stand-ins that write down how they were called, but in the last test.
interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const CONFIG = `
import { defineConfig, task } from 'taskwright';
import * as infrahub from 'taskwright/tasks';
import { devStart } from 'taskwright/tasks/demo';

const report = task({
  summary: 'Say what was started.',
  needs: { started: devStart({ infrahub: '../infrahub' }) },
  run({ needs, print }) {
    const project: string = needs.started.project;
    const ports: number[] = needs.started.services.flatMap((one) => one.ports.map((port) => port.published));
    print(\`\${project} \${ports.join(',')}\\n\`);
  },
});

export default defineConfig({ tasks: { infrahub, report }, defaults: { 'infrahub.demo.dev-start': { database: 'memgraph' } } });
`;

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

const WRONG = `
import { run } from 'taskwright';
import { devStart } from 'taskwright/tasks/demo';
await run(devStart, { database: 'mysql' });
`;

const REQUIRING = `
const { z } = require('zod');
const { run, task } = require('taskwright');
const { devStart } = require('taskwright/tasks/demo');
const double = task({ summary: 'Double.', input: { number: z.number() }, run: ({ input }) => ({ doubled: input.number * 2 }) });
(async () => {
  const { doubled } = await run(double, { number: 21 });
  const { project } = await run(devStart, { infrahub: '../infrahub' });
  const same = (await import('taskwright')).run === run;
  console.log(doubled, project, same);
})();
`;

/** Services that run, as docker tells of them. */
const ANSWERS = `
case "$program $*" in
*'ps --all --format json'*) echo '{"ID":"1","Service":"cache","State":"running","Health":"healthy","Publishers":[{"PublishedPort":6379,"TargetPort":6379}]}' ;;
'docker ps'*Ports*) for port in 7687 7474 7444 5672 15672 6379; do echo "0.0.0.0:$port->$port/tcp"; done ;;
'yamllint '*) [[ -e broken.yml ]] && echo 'wrong indentation' >&2 && exit 4 ;;
esac
`;

let folder: string;
let packed: Packed;
let infrahub: TestProject;
let programs: StandIns;
const projects = new Map<string, TestProject>();

interface Compiled {
  readonly resolution: string;
  readonly module: string;
  readonly files: readonly string[];
}

/** Under `node16` a CommonJS package cannot import ESM in TypeScript; its own `.mts` files can. */
const FILES = ['tasks.config.ts', 'script.mts', 'wrong.mts'];
const COMPILED: Readonly<Record<'esm' | 'commonjs', readonly Compiled[]>> = {
  esm: [
    { resolution: 'node16', module: 'node16', files: FILES },
    { resolution: 'bundler', module: 'esnext', files: FILES },
  ],
  commonjs: [
    { resolution: 'node16', module: 'node16', files: ['script.mts', 'wrong.mts'] },
    { resolution: 'nodenext', module: 'nodenext', files: FILES },
  ],
};
/** The rest of what a TypeScript project has. */
const compilerOptions = { target: 'es2023', strict: true, noEmit: true, skipLibCheck: false, types: ['node'] };

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-package-')));
  const told = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  [packed] = JSON.parse(told) as [Packed];
  for (const [name, more] of [
    ['esm', { type: 'module' }],
    ['commonjs', {}],
  ] as const) {
    const project = projectAt(join(folder, name), {
      'package.json': JSON.stringify({ name, version: '1.0.0', private: true, ...more }),
      'tasks.config.ts': CONFIG,
      'script.mts': SCRIPT,
      'wrong.mts': WRONG,
      'script.mjs': SCRIPT.replaceAll(/: \{ project.*?\}|: string\[\]/g, ''),
      'require.cjs': REQUIRING,
    });
    const options = { ...compilerOptions, typeRoots: [join(REPOSITORY, 'node_modules/@types')] };
    for (const { resolution, module, files } of COMPILED[name]) {
      const compiled = { ...options, module, moduleResolution: resolution };
      project.write(`tsconfig.${resolution}.json`, JSON.stringify({ compilerOptions: compiled, files }));
    }
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', `../${packed.filename}`, 'zod@4'], {
      cwd: project.root,
      stdio: 'ignore',
    });
    projects.set(name, project);
  }
  infrahub = projectAt(join(folder, 'infrahub'), januaryFiles);
  programs = standIns(infrahub, ANSWERS);
});
beforeEach(() => programs.forget());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const projectNamed = (name: string): TestProject => {
  const project = projects.get(name);
  if (!project) throw new Error(`no project ${name}`);
  return project;
};

/** In a project, with stand-ins for all programs but Node. */
function node(project: TestProject, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const ran = spawnSync(process.execPath, argv, { cwd: project.root, env: { ...programs.env, ...env }, encoding: 'utf8' });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}
const tasks = (project: TestProject, argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  node(project, [project.path('node_modules/.bin/tasks'), ...argv], env);
const called = (): string[] => programs.calls().map(({ line }) => line);

const AT = ['--infrahub', '../infrahub'];
const up = (database: string): string =>
  `docker compose -f development/docker-compose-deps.yml -f development/docker-compose-database-${database}.yml -p infrahub up -d`;

test('the tarball is small, has nothing but what is used, and installs without running anything', () => {
  expect(packed.unpackedSize).toBeLessThan(500_000);
  const top = new Set(packed.files.map(({ path }) => path.replace(/\/.*/, '')));
  expect(top).toEqual(new Set(['LICENSE', 'README.md', 'dist', 'package.json']));
  expect(packed.files.filter(({ path }) => /\.map$|\.test\.|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  const { scripts } = JSON.parse(readFileSync(projectNamed('esm').path('node_modules/taskwright/package.json'), 'utf8')) as {
    readonly scripts?: object;
  };
  expect(Object.keys(scripts ?? {}).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
});

describe.each(['esm', 'commonjs'] as const)('in a project of %s', (name) => {
  let project: TestProject;
  beforeAll(() => (project = projectNamed(name)));

  test('there is one zod, that of the project', () => {
    const found = execFileSync('npm', ['ls', 'zod', '--all', '--json'], { cwd: project.root, encoding: 'utf8' });
    const { dependencies } = JSON.parse(found) as { readonly dependencies: { readonly taskwright: { readonly overridden?: boolean } } };
    expect(new Set(Object.keys(dependencies))).toEqual(new Set(['taskwright', 'zod']));
    expect(existsSync(project.path('node_modules/taskwright/node_modules/zod'))).toBe(false);
  });

  test('the exports are there, and what is inside stays inside', () => {
    const inside = ['taskwright/lib/plan', 'taskwright/dist/lib/plan.js', 'taskwright/tasks/support/layout'];
    const outside = ['taskwright', 'taskwright/testing', 'taskwright/tasks', 'taskwright/tasks/demo', 'taskwright/tasks/compose'];
    const asking = `for (const name of ${JSON.stringify([...outside, ...inside])})
      console.log(name, await import(name).then((found) => Object.keys(found).length > 0, (error) => error.code));`;
    expect(node(project, ['--input-type=module', '-e', asking]).stdout.trim().split('\n')).toEqual([
      ...outside.map((name) => `${name} true`),
      ...inside.map((name) => `${name} ERR_PACKAGE_PATH_NOT_EXPORTED`),
    ]);
  });

  test.each(COMPILED[name])(
    'types are read under the resolution of $resolution, and only a wrong use does not compile',
    ({ resolution }) => {
      const { stdout } = node(project, [join(REPOSITORY, 'node_modules/typescript/lib/tsc.js'), '-p', `tsconfig.${resolution}.json`]);
      const errors = stdout.split('\n').filter((line) => /^\S/.test(line));
      expect(errors).toEqual([expect.stringMatching(/^wrong\.mts\(4,.*"mysql"/)]);
    },
  );

  test('under another namespace they work on a checkout elsewhere', () => {
    const ran = tasks(project, [...AT, 'infrahub.demo.stop', 'infrahub.yamllint']);
    expect([ran.code, ran.stderr.match(/^error.*/m)]).toEqual([0, null]);
    expect(programs.calls().map(({ program, cwd }) => [program, cwd])).toEqual([
      ['docker', infrahub.root],
      ['yamllint', infrahub.root],
    ]);
    const list = tasks(project, ['--list', '--flat']);
    expect(list.stdout).toMatch(/^infrahub\.demo\.dev-start .*\n(.*\n)*report /m);
    expect(tasks(project, ['demo.stop']).stderr).toContain('`infrahub.demo.stop`');
  });

  test('a default of the config goes over the task, and a flag over both', () => {
    expect(tasks(project, [...AT, 'infrahub.demo.dev-start']).code).toBe(0);
    expect(tasks(project, ['infrahub.demo.dev-start', '--database', 'neo4j'], { INFRAHUB_DIR: '../infrahub' }).code).toBe(0);
    expect(called()).toEqual([up('memgraph'), up('neo4j')]);
  });

  test('a task of the project needs one of them, and has its value, typed', () => {
    const ran = tasks(project, ['report']);
    expect([ran.code, ran.stdout]).toEqual([0, 'infrahub 6379\n']);
    expect(called()).toEqual([up('memgraph')]);
  });

  test('a chain of CI: what is missing or wrong is told first, what fails is the exit code, and the rest is left', () => {
    const chain = [...AT, 'infrahub.yamllint', 'infrahub.main.format', '--check'];
    // Something new to look at: what has not changed is left alone.
    infrahub.write('new.yml', `# ${project.root}\n`);
    const fine = tasks(project, chain, { CI: 'true' });
    expect([fine.code, programs.calls().map(({ program }) => program)]).toEqual([0, ['yamllint', 'autoflake', 'ruff', 'ruff']]);
    programs.forget();
    infrahub.write('broken.yml', ' a:\n');
    const failing = tasks(project, chain, { CI: 'true' });
    rmSync(join(infrahub.root, 'broken.yml'));
    expect([failing.code, called()]).toEqual([4, ['yamllint .']]);
    expect(failing.stdout + failing.stderr).toContain('wrong indentation');
    programs.forget();
    expect(tasks(project, [...chain, '--chek']).code).toBe(2);
    expect(called()).toEqual([]);
  });

  test('a plain script runs one of them, by import and by require', () => {
    const script = node(project, ['script.mjs', '../infrahub']);
    expect([script.code, script.stdout, script.stderr]).toEqual([0, 'cache\ninfrahub\n', '']);
    expect(called()).toEqual([up('memgraph'), expect.stringMatching(/ down --remove-orphans --volumes --timeout 1$/)]);

    const required = node(project, ['require.cjs']);
    expect([required.code, required.stdout, required.stderr]).toEqual([0, '42 infrahub true\n', '']);
  });
});

test('npx finds the bin, from a folder of the project', () => {
  const project = projectNamed('esm');
  project.write('below/here.txt', '');
  const ran = spawnSync('npx', ['tasks', '--version'], { cwd: project.path('below'), encoding: 'utf8' });
  expect([ran.status, ran.stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});

testWith(['docker'])('the same script with the real docker', () => {
  const project = projectNamed('esm');
  const bin = project.path('node_modules/.bin/tasks');
  const checkout = join(folder, 'clone');
  const made = spawnSync(
    process.execPath,
    [
      bin,
      'infrahub.clone',
      checkout,
      '--url',
      project.path('.sandbox/origin.git'),
      '--sandbox',
      'infrahub.override',
      '--infrahub',
      checkout,
    ],
    { cwd: project.root, env: ENV, encoding: 'utf8' },
  );
  expect([made.status, made.stderr.match(/^error.*/m)]).toEqual([0, null]);

  const ran = spawnSync(process.execPath, ['script.mjs', checkout], { cwd: project.root, env: ENV, encoding: 'utf8' });

  expect([ran.status, ran.stdout, ran.stderr]).toEqual([0, `cache database message-queue\n${PROJECT}\n`, '']);
  expect(leftOf(PROJECT)).toEqual([]);
});
