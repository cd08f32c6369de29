import { expect, test } from 'vitest';
import { z } from 'zod';
import { createCli } from '../../lib/cli/create-cli.ts';
import { defineConfig } from '../../lib/config.ts';
import { task } from '../../lib/task.ts';
import { hostAt } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

const where = task({
  summary: 'Where it runs.',
  input: { deep: z.boolean().default(false) },
  run: ({ root, print }) => print(`${root}\n`),
});
const broken = task({ summary: 'Break.', input: { how: z.enum(['loudly', 'softly']) }, run: () => Promise.reject(new Error('broken')) });
const config = defineConfig({ tasks: { where, broken } });

async function acme(argv: readonly string[], root?: string) {
  const project = projectWith({ 'tasks.config.ts': 'throw new Error("never loaded")' });
  const { host, said } = hostAt({ cwd: project.root });
  const cli = createCli({ name: 'acme', version: '3.2.1', config, ...(root !== undefined && { root }) });
  const code = await cli.main(argv, host);
  return { code, ...said, root: project.root };
}

test('it has its own name and version, and looks for no config (R41)', async () => {
  expect(await acme(['--version'])).toMatchObject({ code: 0, stdout: '3.2.1\n' });
  expect((await acme(['--help'])).stdout).toMatch(/^acme \[own options\]/);
  expect((await acme(['where', '--help'])).stdout).toMatch(/^acme where /);
  expect((await acme(['--list'])).stdout).toContain('Where it runs.');
  expect(await acme(['--file', 'x', 'where'])).toMatchObject({
    code: 2,
    stderr: 'error: `acme` has its own tasks, and takes no `--file`\n',
  });
});

test('hints and lines that run a step again name it (R20, R41)', async () => {
  expect((await acme(['nothing-like-it'])).stderr).toContain('hint: Run `acme --list` to see them all.');
  expect((await acme(['broken'])).stderr).toContain('hint: Run `acme broken --help`.');
  const failed = await acme(['broken', 'softly']);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain('again: acme broken --how softly\n');
});

test('it runs where the user stands, or where its maker says (R41)', async () => {
  const here = await acme(['where']);
  const there = await acme(['where'], '/');

  expect([here.stdout, there.stdout]).toEqual([`${here.root}\n`, '/\n']);
});

test('a config that is wrong is told as one, and nothing of the process is touched (R41)', async () => {
  const { host, said } = hostAt({ cwd: '/' });
  const before = [process.exitCode, process.cwd()];

  const code = await createCli({ name: 'acme', version: '1', config: { tasks: { where }, jobs: 0 } }).main(['where'], host);

  expect([code, said.stderr]).toEqual([2, 'error: `the config of acme` is not right\n  `jobs`: expected a whole number from 1, got 0\n']);
  expect([process.exitCode, process.cwd()]).toEqual(before);
});
