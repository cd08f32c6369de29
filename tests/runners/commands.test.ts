import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failure, shellIn, until } from '../support/shell.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A zombie that nobody has fetched yet is not alive. */
const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
};

test('$ gives text, lines and JSON, and shows what is said as it comes (R27, R28)', async () => {
  const { shell, output, lines } = shellIn(folder);
  const { $ } = shell;

  expect(await $`printf 'a\nb\n'`.lines()).toEqual(['a', 'b']);
  expect(await $`echo ${'{"a": [1]}'}`.json()).toEqual({ a: [1] });
  const result = await $`echo out; echo err >&2`;
  expect([result.text(), result.stdout, result.stderr, result.exitCode, result.ok]).toEqual(['out', 'out\n', 'err\n', 0, true]);
  expect(output).toContain('stderr: err\n');
  expect(lines[0]).toBe("printf 'a\nb\n'");
});

test('bash runs with -euo pipefail, without rc files, with stdin closed (R27)', async () => {
  writeFileSync(join(folder, '.bashrc'), 'echo rc file');
  writeFileSync(join(folder, 'bash-env'), 'echo bash env');
  const env = { PATH: process.env['PATH'], HOME: folder, BASH_ENV: join(folder, 'bash-env'), SHELLOPTS: 'noexec', CDPATH: '/' };
  const { $ } = shellIn(folder, { env }).shell;

  expect(await $`cat; echo end`.text()).toBe('end');
  expect((await failure($`false | true`)).exitCode).toBe(1);
  expect((await failure($`echo $nowhere`)).exitCode).toBeGreaterThan(0);
  expect((await failure($`false; echo never`)).result.stdout).toBe('');
  // What is not read is still handed on.
  expect(await $`printenv BASH_ENV`.text()).toBe(join(folder, 'bash-env'));
});

test('ZX_ variables are not honoured (R27)', async () => {
  const { $ } = shellIn(folder, { env: { PATH: process.env['PATH'], ZX_PREFIX: 'echo prefix;', ZX_SHELL: '/bin/false' } }).shell;

  expect(await $`echo plain`.text()).toBe('plain');
});

test('10,000 generated values arrive unchanged, through $ and through exec (R27)', async () => {
  const { $, exec } = shellIn(folder, { colour: false }).shell;
  const word = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\0', '')),
    fc.string({
      unit: fc.constantFrom(
        '"',
        "'",
        '`',
        '$',
        '(',
        ')',
        '\\',
        '\n',
        '\r',
        '\t',
        ' ',
        '*',
        '!',
        '#',
        '~',
        '-',
        '{',
        '}',
        ';',
        '&',
        '|',
        '<',
        '>',
        'é',
        '雪',
        '\u0007',
      ),
      maxLength: 20,
    }),
    fc.constantFrom('', '-n', '--', '$(touch injected)', '`touch injected`', "it's", '"', '\\', '~', '*', '!!', '{a,b}', '$HOME'),
  );
  const values = fc.sample(word, { numRuns: 10_000, seed: 20261124 });
  for (let from = 0; from < values.length; from += 500) {
    const some = values.slice(from, from + 500);
    const [byShell, byExec] = await Promise.all([
      $({ quiet: true })`printf '%s\\0' ${some}`,
      exec([process.execPath, '-e', 'process.stdout.write(process.argv.slice(1).map((word) => word + "\\0").join(""))', '--', ...some], {
        quiet: true,
      }),
    ]);
    // Escape codes are taken out of what is captured; the values have some.
    expect(byShell.stdout).toBe(byExec.stdout);
  }
  for (const value of fc.sample(word, { numRuns: 50, seed: 7 })) {
    expect(await $({ quiet: true })`printf %s ${value} | od -An -tx1 | tr -d ' \n'`.text()).toBe(Buffer.from(value).toString('hex'));
  }
});

test.each([
  ['inside double quotes', ['echo "', '"'], 'value 1 of `$`, after `echo "`, stands inside double quotes'],
  ['inside single quotes', ["echo '", "'"], "value 1 of `$`, after `echo '`, stands inside single quotes"],
  ['inside a here-document', ['cat <<EOF\nhello ', '\nEOF'], 'value 1 of `$`, after `hello `, stands inside a here-document'],
  ['inside a comment', ['echo a # ', ''], 'value 1 of `$`, after `echo a # `, stands inside a comment'],
  ['inside quotes within a substitution', ['echo $(echo "', '")'], 'value 1 of `$`, after `echo $(echo "`, stands inside double quotes'],
])('a value %s is refused before anything starts (R27)', async (_, pieces, message) => {
  const { shell, lines } = shellIn(folder);

  const error = await failure(shell.$(Object.assign([...pieces], { raw: pieces }) as unknown as TemplateStringsArray, 'x'));

  expect([error.message, lines]).toEqual([message, []]);
});

test.each([
  ['echo $(echo ', ')', 'x'],
  ['cat <<< ', '', 'x'],
  ['echo a#', '', 'a#x'],
  ['echo "a" ', ' "b"', 'a x b'],
  ['cat <<EOF\nhello\nEOF\necho ', '', 'hello\nx'],
  ["echo $'it\\'s' ", '', "it's x"],
  ['echo ${HOME:+', '}', 'x'],
])('a value that stands free is put in: %s…%s (R27)', async (before, after, expected) => {
  const { $ } = shellIn(folder).shell;

  expect(await $(Object.assign([before, after], { raw: [before, after] }) as unknown as TemplateStringsArray, 'x').text()).toBe(expected);
});

test.each([
  [undefined, 'undefined'],
  [null, 'null'],
  [{ a: 1 }, 'an object'],
  [[['a']], 'a list in a list'],
  ['a\0b', 'contains a null character'],
])('%s is no value for $ (R27)', async (value, what) => {
  const { $ } = shellIn(folder).shell;

  expect((await failure($`echo ${value as never}`)).message).toContain(what);
});

test('failures tell what happened, with the code of R21 (R27)', async () => {
  const { $, exec } = shellIn(folder).shell;

  const failures = {
    code: await failure($`echo said; exit 3`),
    signal: await failure($`kill -KILL $$`),
    missing: await failure(exec(['no-such-program-anywhere', 'x'])),
    folder: await failure(exec(['pwd'], { cwd: 'nowhere' })),
    time: await failure($({ timeout: '50ms' })`sleep 60`),
    size: await failure($({ maxOutput: 1000 })`yes`),
    terminal: await failure($`echo the input device is not a TTY >&2; exit 1`),
  };

  expect(
    Object.fromEntries(
      Object.entries(failures).map(([name, error]) => [name, [error.exitCode, error.message.replace(folder, '<folder>')]]),
    ),
  ).toMatchInlineSnapshot(`
    {
      "code": [
        3,
        "\`echo said; exit 3\` exited with code 3",
      ],
      "folder": [
        126,
        "\`pwd\` could not be started: there is no folder <folder>/nowhere",
      ],
      "missing": [
        127,
        "\`no-such-program-anywhere\` was not found on PATH",
      ],
      "signal": [
        137,
        "\`kill -KILL $$\` was ended by SIGKILL",
      ],
      "size": [
        1,
        "\`yes\` wrote more than 1000 bytes",
      ],
      "terminal": [
        1,
        "\`echo the input device is not a TTY >&2; exit 1\` exited with code 1",
      ],
      "time": [
        124,
        "\`sleep 60\` ran longer than 50ms",
      ],
    }
  `);
  expect(failures.code.tail).toBe('said');
  expect(failures.terminal.hint).toContain('interactive: true');
});

test.each([
  'the input device is not a TTY',
  'sudo: a terminal is required to read the password',
  './ask.sh: 2: cannot create /dev/tty: No such device or address',
  "fatal: could not read Username for 'https://example.org': No such device or address",
])('a command that fails for want of a terminal is told of `interactive` (R27): %s', async (said) => {
  const { $ } = shellIn(folder).shell;

  expect((await failure($`echo ${said} >&2; exit 1`)).hint).toBe('It asks for a terminal: `interactive: true` gives it the real one.');
});

test('no bash is one clear error that names exec (R27)', async () => {
  const { $ } = shellIn(folder, { env: { PATH: folder } }).shell;

  const error = await failure($`echo`);

  expect([error.exitCode, error.message, error.hint]).toEqual([
    127,
    '`echo` needs bash, which was not found on PATH',
    'Install bash, or use `exec([…])`, which needs no shell.',
  ]);
});

test('options: nothrow, quiet, input, env, cwd, capture (R27)', async () => {
  const { shell, output } = shellIn(folder);
  const { $, exec } = shell;

  expect((await $({ nothrow: true })`exit 4`).exitCode).toBe(4);
  await $({ quiet: true })`echo silent`;
  expect(output).toEqual([]);
  expect(await exec(['cat'], { input: 'given' }).text()).toBe('given');
  expect(await $({ input: 'given' })`cat`.text()).toBe('given');
  expect(await $({ env: { A: '1', HOME: undefined } })`echo $A ${'${HOME-none}'}`.text()).toContain('1');
  expect(await exec(['pwd'], { cwd: '/' }).text()).toBe('/');
  expect((await $({ maxOutput: 100, capture: 'tail', quiet: true })`seq 100000`).text().split('\n').at(-1)).toBe('100000');
});

test('output is decoded as a stream and captured without escape codes (R28)', async () => {
  const { shell, output } = shellIn(folder);

  const result = await shell.$`printf '\\xe2\\x82'; printf '\\xac'; printf '\\033[31mred\\033[0m'`;

  expect(result.stdout).toBe('€red');
  expect(output.join('')).toContain('\u001B[31mred');
});

test('children are told of colours only where ours end on a terminal, and are shown (R28)', async () => {
  const { $ } = shellIn(folder, { colour: true, columns: 77 }).shell;
  const plain = shellIn(folder, { colour: true, env: { PATH: process.env['PATH'], NO_COLOR: '1' } }).shell;

  expect(await $`echo ${'$'}{FORCE_COLOR-none} $COLUMNS`.catch(() => '')).toBeDefined();
  expect(await $`env | grep -c FORCE_COLOR=1`.text()).toBe('1');
  expect((await $({ quiet: true, nothrow: true })`env | grep FORCE_COLOR`).text()).toBe('');
  expect((await plain.$({ nothrow: true })`env | grep FORCE_COLOR`).text()).toBe('');
});

test('a command is over when its leader is; what it left is ended with the shell (R24)', async () => {
  const { shell } = shellIn(folder);

  const left = Number(await shell.$`sleep 1000 & echo $!`.text());
  expect(isAlive(left)).toBe(true);
  const { swept } = await shell.close();

  expect([swept, isAlive(left)]).toEqual([1, false]);
});

test('the ladder: children that ignore the signal are killed after the grace time (R24)', async () => {
  const { shell, output } = shellIn(folder, { graceMs: 100 });
  const stubborn = shell.$`trap '' INT TERM; (trap '' INT TERM; while :; do sleep 0.1; done) & echo $$ $! ready; while :; do sleep 0.1; done`;
  await until(output, 'ready');

  shell.end('SIGINT');
  const error = await failure(stubborn);
  await shell.close();

  expect(error.signal).toBe('SIGKILL');
  expect(error.result.stdout.split(' ').slice(0, 2).map(Number).map(isAlive)).toEqual([false, false]);
});

test('when the leader is gone and others remain they get SIGTERM at once (R24)', async () => {
  const { shell, output } = shellIn(folder, { graceMs: 60_000 });
  // The leader ends at SIGINT; what it started ignores that and tells of SIGTERM.
  const command = shell.$`(trap '' INT; trap 'echo term; exit' TERM; echo ready; while :; do sleep 0.05; done) & wait`;
  await until(output, 'ready');

  shell.end('SIGINT');
  await failure(command);
  await shell.close();

  expect(output.join('')).toContain('term');
});

test('a command that nobody awaits and that fails is found when the shell closes (R25)', async () => {
  const { shell } = shellIn(folder);

  void shell.$`exit 3`;
  void shell.$({ nothrow: true })`exit 4`;
  await shell.$`exit 5`.catch(() => {});
  const { unawaited } = await shell.close();

  expect(unawaited.map((error) => error.exitCode)).toEqual([3]);
});

test('after the end nothing starts any more', async () => {
  const { shell, lines } = shellIn(folder);

  shell.end('SIGTERM');
  const error = await failure(shell.$`echo late`);

  expect([error.trouble, lines]).toEqual([{ kind: 'stopped' }, []]);
});

test('100,000 lines are shown and kept whole (R28)', async () => {
  const { shell, output } = shellIn(folder);

  const result = await shell.exec(['seq', 100_000]);

  expect(result.lines()).toHaveLength(100_000);
  expect(output.join('').length).toBeGreaterThan(588_000);
});
