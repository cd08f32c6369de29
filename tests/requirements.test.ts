import { chmodSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { spawnSync } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { dotenv, file, port, portFree, provisionKey, requirement, tool, writable } from '../lib/requirements.ts';
import type { CommandResult } from '../lib/runners/runner.ts';
import type { Requirement, RequirementScope } from '../lib/task.ts';
import { projectWith } from './support/project.ts';

function scopeIn(
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): RequirementScope & { readonly looked: string[] } {
  const looked: string[] = [];
  return {
    root: cwd,
    invocationDir: cwd,
    cwd,
    env,
    signal: new AbortController().signal,
    looked,
    look: (argv, options) => {
      looked.push(argv.join(' '));
      const [program = '', ...args] = argv;
      const { status, stdout, stderr } = spawnSync(program, args, { cwd: options?.cwd ?? cwd, env, encoding: 'utf8' });
      const exitCode = status ?? 127;
      const result = { command: argv.join(' '), exitCode, signal: undefined, stdout, stderr, ms: 0, ok: exitCode === 0 };
      return Promise.resolve({ ...result, text: () => stdout.trimEnd() } as unknown as CommandResult);
    },
  };
}

const look = (wanted: Requirement, cwd: string, env?: Readonly<Record<string, string | undefined>>) => wanted.check(scopeIn(cwd, env));

async function listening(host = '127.0.0.1'): Promise<{ readonly server: Server; readonly number: number }> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, host, ready));
  onTestFinished(() => void server.close());
  return { server, number: (server.address() as AddressInfo).port };
}

/** A project with programs of its own on PATH. */
function withPrograms(programs: Readonly<Record<string, string>>) {
  const project = projectWith();
  for (const [name, text] of Object.entries(programs)) project.write(`bin/${name}`, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return { project, env: { ...process.env, PATH: `${project.path('bin')}:${process.env['PATH']}` } };
}

test('a tool that is not on PATH is unmet, with its remedy (R17)', async () => {
  const { root } = projectWith();
  expect(await look(tool('pooetry', { remedy: 'Install poetry.' }), root)).toEqual({
    problem: '`pooetry` was not found on PATH',
    remedy: 'Install poetry.',
  });
  expect(await look(tool('sh'), root)).toBeUndefined();
});

test('a tool is not started when no version is asked for (R17)', async () => {
  const { project, env } = withPrograms({ slow: 'exit 1' });
  const scope = scopeIn(project.root, env);
  expect(await tool('slow').check(scope)).toBeUndefined();
  expect(scope.looked).toEqual([]);
});

test('a file that cannot be executed is no tool (R17)', async () => {
  const { project, env } = withPrograms({ plain: 'exit 0' });
  chmodSync(project.path('bin/plain'), 0o644);
  mkdirSync(project.path('bin/folder'));
  expect(await look(tool('plain'), project.root, env)).toMatchObject({ problem: '`plain` was not found on PATH' });
  expect(await look(tool('folder'), project.root, env)).toMatchObject({ problem: '`folder` was not found on PATH' });
});

test.each([
  ['Poetry (version 1.8.3)', '>=1.5', undefined],
  ['git version 2.39.5 (Apple Git-154)', '>=2.40', '`probe`: found 2.39.5, wanted >=2.40'],
  ['v20.19.0', '>=20', undefined],
  ['Docker version 27.0.1-rc.1, build x', '>=27', undefined],
  ['Ubuntu 24.04', '>=24.04', undefined],
  ['tool 1.2', '>=1.2.0', undefined],
  ['Ubuntu 23.10', '>=24.04', '`probe`: found 23.10, wanted >=24.04'],
  ['Python 3.12.1', '>=3.8 <3.12', '`probe`: found 3.12.1, wanted >=3.8 <3.12'],
  ['no number', '>=1', '`probe --version` does not say its version; wanted >=1'],
])('of a tool that says %j, %j is checked (R17)', async (said, version, problem) => {
  const { project, env } = withPrograms({ probe: `echo '${said}'` });
  expect((await look(tool('probe', { version }), project.root, env))?.problem).toBe(problem);
});

test('a version on stderr counts, and a step folder that is not there yet does not matter (R17)', async () => {
  const { project, env } = withPrograms({ probe: 'echo 3.1.4 >&2' });
  expect(await look(tool('probe', { version: '^3' }), project.path('not/yet'), env)).toBeUndefined();
});

test('a tool that cannot say its version says why (R17)', async () => {
  const { project, env } = withPrograms({ probe: 'echo "probe: \'compose\' is not a command" >&2; exit 7' });
  const compose = tool('probe', { args: ['compose', 'version'], remedy: 'Install the plugin.' });
  expect(await look(compose, project.root, env)).toEqual({
    problem: "`probe compose version` failed with code 7: probe: 'compose' is not a command",
    remedy: 'Install the plugin.',
  });
});

test('a range that is none is the mistake of the author (R17)', async () => {
  const { project, env } = withPrograms({ probe: 'echo 1.2.3' });
  await expect(look(tool('probe', { version: 'newest please' }), project.root, env)).rejects.toThrow(
    '`newest please` is no range of versions',
  );
});

test('requirements that ask for different things have different ids (R17)', () => {
  const ids = [
    tool('docker'),
    tool('docker', { version: '>=20' }),
    tool('docker', { args: ['compose', 'version'] }),
    port(1),
    port(1, { host: 'db' }),
    portFree(1),
  ];
  expect(ids.map((wanted) => wanted.id)).toEqual([
    'tool:docker',
    'tool:docker@>=20',
    'tool:docker compose version',
    'port:1',
    'port:db:1',
    'port-free:1',
  ]);
});

test('a file is looked for from the folder of the step (R17)', async () => {
  const project = projectWith({ 'sub folder/it.toml': '' });
  expect(await look(file('it.toml'), project.path('sub folder'))).toBeUndefined();
  expect(await look(file(project.path('sub folder/it.toml')), project.root)).toBeUndefined();
  expect(await look(file('it.toml', { remedy: 'Run `tasks clone`.' }), project.root)).toEqual({
    problem: `\`${project.path('it.toml')}\` does not exist`,
    remedy: 'Run `tasks clone`.',
  });
});

test('what is provided in one folder is what is required from another (R17)', () => {
  expect(provisionKey(file('a/../b').id, '/x')).toBe(provisionKey(file('/x/b').id, '/y'));
  expect(provisionKey(dotenv('.envrc').id, '/x')).toBe('dotenv:/x/.envrc');
  expect(provisionKey(writable('./out/').id, '/x')).toBe('writable:/x/out');
  expect(provisionKey('port:6379', '/x')).toBe('port:6379');
  expect(provisionKey('file:C', '/x')).toBe('file:/x/C');
});

test('a port is met when something accepts connections, on either family (R17)', async () => {
  const { root } = projectWith();
  const { number } = await listening();
  expect(await look(port(number), root)).toBeUndefined();
  expect(await look(port(number, { host: '127.0.0.1' }), root)).toBeUndefined();
  const { server, number: gone } = await listening();
  await new Promise((closed) => server.close(closed));
  expect(await look(port(gone, { remedy: 'Run `tasks demo.start`.' }), root)).toEqual({
    problem: `nothing answers on port ${gone}`,
    remedy: 'Run `tasks demo.start`.',
  });
});

test('a port is free when nothing listens on it (R17)', async () => {
  const { root } = projectWith();
  const { server, number } = await listening();
  expect(await look(portFree(number, { what: 'the server' }), root)).toMatchObject({
    problem: `port ${number} is taken (wanted for the server)`,
  });
  await new Promise((closed) => server.close(closed));
  expect(await look(portFree(number), root)).toBeUndefined();
});

test('a folder that can be made is writable; below a file it cannot (R17)', async () => {
  const project = projectWith({ 'a file': '' });
  expect(await look(writable('new/deep/er'), project.root)).toBeUndefined();
  expect(await look(writable('a file/x'), project.root)).toMatchObject({ problem: `\`${project.path('a file')}\` is not a folder` });
});

test.skipIf(process.getuid?.() === 0)('a folder without the right to write is not writable (R17)', async () => {
  const project = projectWith({ 'locked/x': '' });
  chmodSync(project.path('locked'), 0o555);
  onTestFinished(() => chmodSync(project.path('locked'), 0o755));
  expect(await look(writable('locked/new'), project.root)).toMatchObject({
    problem: `\`${project.path('locked')}\` may not be written to, so \`${project.path('locked/new')}\` cannot be made`,
  });
});

test('a requirement of your own is what its check says (R17)', async () => {
  const { root } = projectWith();
  const own = requirement('own:x', 'x holds', ({ cwd }) => ({ problem: `not in ${cwd}` }));
  expect(await look(own, root)).toEqual({ problem: `not in ${root}` });
});
