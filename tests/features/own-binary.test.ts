import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createCli } from '../../lib/cli/create-cli.ts';
import { defineConfig } from '../../lib/config.ts';
import { task, withFlags } from '../../lib/task.ts';
import { run } from '../../lib/api.ts';
import { testTask } from '../../lib/testing.ts';
import { hostAt, tasks } from '../support/command-line.ts';
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

describe('global flags', () => {
  const flags = withFlags({
    region: z.enum(['eu', 'us']).default('eu').describe('where it goes').meta({ short: 'R', env: 'ACME_REGION' }),
    token: z.string().optional().meta({ secret: true }),
    dryness: z.int().optional(),
  });
  const image = flags.task({ summary: 'Build.', run: ({ flags: { region } }) => `image-${region}` });
  const deploy = flags.task({
    summary: 'Deploy.',
    input: { name: z.string().default('web') },
    needs: ({ flags: { region } }) => ({ image: region === 'us' ? image() : undefined }),
    run: ({ input, flags: { region, token }, needs, print }) => print(`${input.name} ${region} ${needs.image ?? 'no image'} ${token}\n`),
  });
  const plain = task({ summary: 'Knows none.', run: ({ flags: none, print }) => print(`${JSON.stringify(none)}\n`) });
  const fails = flags.task({ summary: 'Fail.', input: { how: z.string() }, run: () => Promise.reject(new Error('no')) });
  async function acmeWith(argv: readonly string[], env: Record<string, string> = {}) {
    const { host, said } = hostAt({ cwd: projectWith({ 'tasks.config.ts': '' }).root, env });
    const cli = createCli({ name: 'acme', version: '1.0.0', flags, config: defineConfig({ tasks: { deploy, plain, fails } }) });
    return { code: await cli.main(argv, host), ...said };
  }

  test('are given once for all that runs, before or after the tasks, or by their variable, and arrive typed', async () => {
    expect((await acmeWith(['deploy'])).stdout).toBe('web eu no image undefined\n');
    expect((await acmeWith(['deploy', '--region', 'us', '--name', 'api', '-q'])).stdout).toBe('api us image-us undefined\n');
    expect((await acmeWith(['-Rus', 'deploy', 'plain', '-q'])).stdout).toBe('web us image-us undefined\n{}\n');
    expect((await acmeWith(['deploy', '-q'], { ACME_REGION: 'us' })).stdout).toBe('web us image-us undefined\n');
    expect((await acmeWith(['--region=eu', 'deploy'], { ACME_REGION: 'us' })).stdout).toBe('web eu no image undefined\n');
  });

  test('what is wrong with them is told before anything runs, and unknown ones are refused', async () => {
    expect(await acmeWith(['deploy', '--region', 'uk'])).toMatchObject({
      code: 2,
      stderr: 'error: `--region`: expected "eu" or "us", got "uk"; did you mean "us"?\n',
    });
    expect(await acmeWith(['deploy', '--regoin', 'us'])).toMatchObject({
      code: 2,
      stderr: 'error: `deploy` has no flag `--regoin`\nhint: Did you mean `--region`?\n',
    });
    expect(await acmeWith(['deploy'], { ACME_REGION: 'uk' })).toMatchObject({
      code: 2,
      stderr:
        'error: the global flags were given values they do not accept\n  ACME_REGION (for --region): expected "eu" or "us", got "uk"; did you mean "us"?\nhint: Run `acme --help`.\n',
    });
    expect((await acmeWith(['fails', '--depth', '0'], { ACME_REGION: 'uk' })).stderr).toMatchInlineSnapshot(`
      "error: 3 things are wrong with this command line
        \`--depth\`: expected a whole number from 1, got 0
        global flags: ACME_REGION (for --region): expected "eu" or "us", got "uk"; did you mean "us"?
        \`fails\`: --how is required
      "
    `);
  });

  test('a missing one is told with all else, and only where a task looks at it', async () => {
    const strict = withFlags({ account: z.string() });
    const pay = strict.task({ summary: 'Pay.', input: { sum: z.int() }, run() {} });
    const cli = createCli({ name: 'bank', version: '1', flags: strict, config: { tasks: { pay, plain } } });
    const { host, said } = hostAt({ cwd: '/' });

    expect(await cli.main(['plain'], host)).toBe(0);
    expect(await cli.main(['pay'], host)).toBe(2);
    expect(said.stderr).toMatchInlineSnapshot(`
      "error: a task and the global flags were given input they do not accept
        global flags
          --account is required
        \`pay\`
          --sum is required: a whole number
      hint: Run \`bank <task> --help\`.
      "
    `);
  });

  test('a missing one is asked for at a terminal, and the line that says it is shown (R11)', async () => {
    const strict = withFlags({ account: z.string() });
    const pay = strict.task({ summary: 'Pay.', run: ({ flags: { account }, print }) => print(`from ${account}\n`) });
    const cli = createCli({ name: 'bank', version: '1', flags: strict, config: { tasks: { pay } } });
    const { host, said } = hostAt({
      cwd: projectWith().root,
      terminal: { columns: 80, rows: 24 },
      keys: [{ at: 'account', press: 'mine\r' }],
    });

    expect(await cli.main(['pay'], host)).toBe(0);
    expect(said.stderr).toContain('$ bank --account mine pay\n');
    expect(said.stdout).toBe('from mine\n');
  });

  test('help shows them, of the program and of the tasks that look at them', async () => {
    const row = /^Global flags\n +-R, --region eu\|us +where it goes/m;
    expect((await acmeWith(['--help'])).stdout).toMatch(row);
    expect((await acmeWith(['--help'])).stdout).toMatch(/^acme \[own options\] \[global flags\] /);
    expect((await acmeWith(['deploy', '--help'])).stdout).toMatch(row);
    expect((await acmeWith(['plain', '--help'])).stdout).not.toContain('Global flags');
    expect(JSON.parse((await acmeWith(['--schema'])).stdout)).toMatchObject({ flags: { properties: { region: { enum: ['eu', 'us'] } } } });
    expect((await acmeWith(['--show-config', '--token', 'x'], { ACME_REGION: 'us' })).stdout).toMatch(
      /--region +us {2}from ACME_REGION\n--token +\*\*\* {2}from command line\n--dryness +not set\n/,
    );
  });

  test('the line that runs a step again has them, secrets are hidden, and the plan shows them (R20, R29)', async () => {
    const failed = await acmeWith(['fails', 'badly', '--region', 'us', '--token', 'abcdefgh1234']);
    expect(failed.stderr).toContain("again: acme --region us --token '***' fails --how badly\n");
    expect((await acmeWith(['deploy', '--token', 'abcdefgh1234'])).stdout).toBe('web eu no image ***\n');
    const plan = JSON.parse((await acmeWith(['deploy', '--plan', '--json', '--token', 'abcdefgh1234'])).stdout);
    expect(plan.steps[0].flags).toEqual({ region: 'eu', token: '***' });
  });

  test('a step that looks at them runs again when one changes, and says which (R32, R34)', async () => {
    const project = projectWith({
      'tasks.config.ts': `
        import { defineConfig, withFlags } from 'taskwright';
        import { z } from 'zod';
        const flags = withFlags({
          region: z.enum(['eu', 'us']).default('eu').meta({ env: 'ACME_REGION' }),
          token: z.string().optional().meta({ secret: true, env: 'ACME_TOKEN' }),
        });
        const stamp = flags.task({ summary: 'Stamp.', output: z.string(), sources: ['*.ts'], generates: [], run: ({ flags }) => flags.region });
        export default defineConfig({ tasks: { stamp } });
      `,
    });
    const stamp = (options: readonly string[], env: Record<string, string> = {}) =>
      tasks([...options, 'stamp', '--json'], { cwd: project.root, env });
    await stamp([]);
    const same = await stamp([], { ACME_TOKEN: 'another' });
    const other = await stamp(['--why'], { ACME_REGION: 'us' });

    expect(JSON.parse(same.stdout)).toMatchObject({ targets: [{ status: 'up-to-date', output: 'eu' }] });
    expect(JSON.parse(other.stdout)).toMatchObject({ targets: [{ status: 'done', output: 'us' }] });
    expect(other.stderr).toContain('flag region: "eu" → "us"');
  });

  test('programs and tests of tasks give them as values', async () => {
    expect((await testTask(image, { flags: { region: 'us' } })).output).toBe('image-us');
    expect(await run(image, {}, { flags: { region: 'us' } })).toBe('image-us');
    expect(await run(image)).toBe('image-eu');
    await expect(run(image, {}, { flags: { region: 'uk' } })).rejects.toThrow('the global flags were given values they do not accept');
  });

  test('a flag that is an option of every command line, and a task made with other flags, are told at the start', async () => {
    const other = withFlags({ jobs: z.int().optional(), keep: z.boolean().default(false) });
    const cli = createCli({ name: 'acme', version: '1', flags: other, config: { tasks: { deploy } } });
    const { host, said } = hostAt({ cwd: '/' });

    expect(await cli.main(['deploy'], host)).toBe(2);
    expect(said.stderr).toMatchInlineSnapshot(`
      "error: the global flags of \`acme\` are not right
        \`jobs\` comes to \`--jobs\`, which is an option of every command line
        \`deploy\` was made with other flags: give those to \`createCli\` as \`flags\`
      "
    `);
  });
});
