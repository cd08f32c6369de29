import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { expand } from '../lib/dotenv-file.ts';
import { childEnvironment, createEnvironments, loadEnvironment, parseTaskEnv, secretValuesOf } from '../lib/environment.ts';
import { renderUserError, UserError } from '../lib/errors.ts';
import type { CommandResult } from '../lib/runners/runner.ts';
import type { RequirementScope } from '../lib/task.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

type Base = Readonly<Record<string, string | undefined>>;

/** Runs programs for real, with `env`. */
const looking =
  (env: Base): RequirementScope['look'] =>
  (argv, options) => {
    const [program = '', ...args] = argv;
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: options?.cwd, env, encoding: 'utf8' });
    // Only what is looked at.
    return Promise.resolve({ ok: status === 0, exitCode: status ?? 127, stdout, stderr } as CommandResult);
  };

const load = (project: TestProject, files: readonly string[], base: Base = {}) =>
  loadEnvironment({ base, files: files.map((file) => ({ path: project.path(file), required: false })), look: looking(base) });

async function variablesOf(text: string, base: Base = {}): Promise<Readonly<Record<string, string>>> {
  return (await load(projectWith({ '.env': text }), ['.env'], base)).variables;
}

async function errorOf(project: TestProject, attempt: Promise<unknown>): Promise<{ readonly text: string; readonly exitCode: number }> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof UserError) return { text: renderUserError(error).replaceAll(project.root, '<root>'), exitCode: error.exitCode };
    throw error;
  }
  return { text: 'no error', exitCode: 0 };
}

// ── .env ─────────────────────────────────────────────────────────────────────────────────────────

test('later files go over earlier ones, and none over the real environment (R30)', async () => {
  const project = projectWith({ '.env': 'A=env\nB=env\nC=env', '.env.local': 'B=local\nC=local\nD=local' });
  const environment = await load(project, ['.env', '.env.local', '.env.missing'], { C: 'real', E: '' });
  expect(environment.variables).toEqual({ A: 'env', B: 'local', C: 'real', D: 'local', E: '' });
  expect(['A', 'B', 'C', 'D', 'X'].map((name) => environment.originOf(name))).toEqual([
    project.path('.env'),
    project.path('.env.local'),
    'environment',
    project.path('.env.local'),
    undefined,
  ]);
  expect(environment.files).toEqual([project.path('.env'), project.path('.env.local')]);
});

test('steps see what earlier ones wrote into a file, and share what was read of one that stayed as it was (R30)', async () => {
  const project = projectWith({ '.env': 'A=1' });
  const environments = createEnvironments({});
  const read = () => environments.read([project.path('.env'), project.path('.env.local')], looking({}));

  const first = await read();
  expect(environments.known([project.path('.env'), project.path('.env.local')])).toBe(first);
  environments.touch(1);
  expect(await read()).toBe(first);
  // Of the same size, and within the same tick of the clock of the file system.
  project.write('.env', 'A=2');
  expect(environments.known([project.path('.env'), project.path('.env.local')])).toBeUndefined();
  expect((await read()).variables).toEqual({ A: '2' });
  project.write('.env.local', 'B=$A');
  environments.touch(-1);
  const last = await read();
  expect(last.variables).toEqual({ A: '2', B: '2' });
  expect(await read()).toBe(last);
});

test('what direnv says is asked again for each step (R30)', async () => {
  const project = projectWith({ '.envrc': 'export A=$(date)' });
  const answers = ['{"A":"1"}', '{"A":"2"}'];
  project.write('bin/direnv', '');
  chmodSync(project.path('bin/direnv'), 0o755);
  const look = () => Promise.resolve({ ok: true, stdout: answers.shift() } as CommandResult);
  const withDirenv = createEnvironments({ PATH: project.path('bin') });
  expect((await withDirenv.read([project.path('.envrc')], look)).variables['A']).toBe('1');
  expect((await withDirenv.read([project.path('.envrc')], look)).variables['A']).toBe('2');
});

test('single-quoted values are literal, double-quoted and bare ones expanded (R30)', async () => {
  const text = [
    "SINGLE='$NAME ${NAME} \\n'",
    'DOUBLE="$NAME ${NAME}"',
    'BARE=$NAME-${NAME}/x # a comment',
    'BACK=`$NAME`',
    'DEFAULT=${MISSING:-fallback}',
    'EMPTY_DEFAULT=${EMPTY:-fallback}',
    'NESTED=${MISSING:-${OTHER:-deep}}',
    'SET=${NAME:-fallback}',
    'NONE=[$MISSING]',
    'ESCAPED="\\$NAME"',
    'BARE_ESCAPED=\\$NAME',
    'LITERAL=$5 $ ${ ${unclosed $$',
  ].join('\n');
  const { NAME, EMPTY, ...variables } = await variablesOf(text, { NAME: 'n', EMPTY: '' });
  expect([NAME, EMPTY]).toEqual(['n', '']);
  expect(variables).toEqual({
    SINGLE: '$NAME ${NAME} \\n',
    DOUBLE: 'n n',
    BARE: 'n-n/x',
    BACK: '$NAME',
    DEFAULT: 'fallback',
    EMPTY_DEFAULT: 'fallback',
    NESTED: 'deep',
    SET: 'n',
    NONE: '[]',
    ESCAPED: '$NAME',
    BARE_ESCAPED: '$NAME',
    LITERAL: '$5 $ ${ ${unclosed $$',
  });
});

test('a file of variables never runs a command (R30)', async () => {
  const project = projectWith({ '.env': 'A=$(touch made)\nB="`touch made`"\nC="$(touch made)"' });
  const { variables } = await load(project, ['.env'], { PATH: process.env['PATH'] });
  expect(variables).toMatchObject({ A: '$(touch made)', B: '`touch made`', C: '$(touch made)' });
});

test('what a variable holds is not expanded again (R30)', async () => {
  expect(await variablesOf("A='$B'\nB=secret\nC=$A")).toEqual({ A: '$B', B: 'secret', C: '$B' });
});

test('values see the real environment first, then earlier files, then earlier lines (R30)', async () => {
  const project = projectWith({ a: 'HOST=one\nURL=http://$HOST', b: 'HOST=two\nNEXT=$HOST $URL' });
  expect((await load(project, ['a', 'b'])).variables).toMatchObject({ URL: 'http://one', NEXT: 'one http://one' });
  expect((await load(project, ['a', 'b'], { HOST: 'real' })).variables).toMatchObject({ URL: 'http://real', NEXT: 'real http://real' });
});

test('comments, blanks, `export`, values of several lines, a byte order mark and Windows line ends are understood (R30)', async () => {
  const text =
    '\uFEFF# head\r\n\r\nexport A = one \r\nB="first\r\nsecond # no comment\r\n" # comment\r\nC=\r\nD=\'x\'\r\nJSON={"a":"b"}\r\nE: yaml\r\n';
  expect(await variablesOf(text)).toEqual({ A: 'one', B: 'first\nsecond # no comment\n', C: '', D: 'x', JSON: '{"a":"b"}', E: 'yaml' });
});

test('an assignment within a quoted value is none (R30)', async () => {
  expect(await variablesOf('A="one\nB=\'two\'\nC=three"\nD=$B')).toEqual({ A: "one\nB='two'\nC=three", D: '' });
});

test('bad lines are told all at once, with file and line, and without their values (R30)', async () => {
  const project = projectWith({ '.env': 'A=1\nhello world\n\n# fine\nTOKEN="s3cret-begin\n=x\nB=ok\n', '.env.local': 'set -e\n' });
  expect(await errorOf(project, load(project, ['.env', '.env.local']))).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "text": "error: files of variables could not be read
      \`<root>/.env:2\`: expected \`NAME=value\`
      \`<root>/.env:5\`: the quote of \`TOKEN\` is not closed
      \`<root>/.env:6\`: expected \`NAME=value\`
      \`<root>/.env.local:1\`: expected \`NAME=value\`
    ",
    }
  `);
});

test('a file that must be there, a folder, and a null character are told (R30)', async () => {
  const project = projectWith({ 'folder/x': '', nul: 'A=a\0b' });
  const files = ['missing', 'folder'].map((file) => ({ path: project.path(file), required: true }));
  expect(await errorOf(project, loadEnvironment({ base: {}, files, look: looking({}) }))).toMatchInlineSnapshot(`
    {
      "exitCode": 3,
      "text": "error: files of variables could not be read
      \`<root>/missing\` does not exist
      \`<root>/folder\` is a folder; expected a file of variables
    ",
    }
  `);
  expect(await errorOf(project, load(project, ['nul']))).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "text": "error: \`<root>/nul:1\`: \`A\` holds a null character
    ",
    }
  `);
});

test('any text without quotes, dollars and line breaks arrives as it is, bare or quoted (R30)', async () => {
  const word = fc.stringMatching(/^[\w./:@%+,=&|;<>()[\]{}!?*~^ äöü-]*$/).map((text) => text.trim());
  await fc.assert(
    fc.asyncProperty(word, async (value) => {
      const read = await variablesOf(`BARE=${value}\nSINGLE='${value}'\nDOUBLE="${value}"\nLAST=1`);
      expect(read).toEqual({ BARE: value, SINGLE: value, DOUBLE: value, LAST: '1' });
    }),
    { numRuns: 100 },
  );
});

test('expanding never throws, whatever the text (R30)', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '\\', '"') }), (text) => void expand(text, () => 'value')),
  );
});

// ── .envrc ───────────────────────────────────────────────────────────────────────────────────────

const PLAIN = [
  '# settings',
  '',
  'export BARE=http://localhost:8000/path?no',
  'export NUMBER=42 # a comment',
  "export SINGLE='two words $HOME'",
  'export DOUBLE="two words"',
  'export STORAGE="${HOME}/Development/storage"',
  'export SHORT=$HOME/x',
  'export AGAIN="$NUMBER-${MISSING:-none}"',
  'export EMPTY=',
  'export EMPTY_QUOTED=""',
  '  export INDENTED=1  ',
  'export ÜMLAUT=no',
];

test('a plain `.envrc` is read as bash would, without running it (R30)', async () => {
  const text = PLAIN.filter((line) => !/Ü|\?/.test(line)).join('\n');
  const project = projectWith({ '.envrc': text });
  const { HOME, ...variables } = (await load(project, ['.envrc'], { HOME: '/home/me' })).variables;
  expect(HOME).toBe('/home/me');
  expect(variables).toEqual({
    NUMBER: '42',
    SINGLE: 'two words $HOME',
    DOUBLE: 'two words',
    STORAGE: '/home/me/Development/storage',
    SHORT: '/home/me/x',
    AGAIN: '42-none',
    EMPTY: '',
    EMPTY_QUOTED: '',
    INDENTED: '1',
  });
});

test('whatever counts as plain, bash reads it alike (R30)', async () => {
  const project = projectWith();
  const piece = fc.constantFrom(
    'a',
    'Z9',
    '/',
    ':',
    '.',
    '~',
    ' ',
    '#',
    "'",
    '"',
    '\\',
    '$HOME',
    '${HOME}',
    '${NONE:-x}',
    '$',
    '`',
    '(',
    ')',
    '{',
    '}',
    '*',
    '?',
    '!',
    ';',
    '&',
    'ä',
    '=',
    '\t',
    'n',
  );
  const word = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  const lines = fc.array(
    fc
      .oneof(
        word,
        word.map((text) => `'${text}'`),
        word.map((text) => `"${text}"`),
      )
      .map((text) => `export VALUE=${text}`),
    { minLength: 1, maxLength: 2 },
  );
  const base = { PATH: process.env['PATH'], HOME: '/home/some one' };
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(lines, async (text) => {
      project.write('.envrc', text.join('\n'));
      const outcome = await load(project, ['.envrc'], { ...base, PATH: '/nowhere' }).catch(() => undefined);
      if (!outcome) return;
      plain += 1;
      const bash = spawnSync('bash', ['-c', '. ./.envrc; printf %s "$VALUE"'], { cwd: project.root, env: base, encoding: 'utf8' });
      expect({ text, value: outcome.variables['VALUE'] }).toEqual({ text, value: bash.stdout });
      expect(bash.stderr).toBe('');
    }),
    { numRuns: 300 },
  );
  expect(plain).toBeGreaterThan(20);
});

test.each([
  'A=1',
  'export A=1 B=2',
  'export A=$(date)',
  'export A=a b',
  'export A=~/x',
  'export A="a\\nb"',
  'export A={a,b}',
  'export A=1;',
  'use flake',
  'export A="a',
  'export A=a\r',
])('an `.envrc` with %j is shell code, and left to direnv (R30)', async (line) => {
  const project = projectWith({ '.envrc': `export OK=1\n${line}\n` });
  const { text, exitCode } = await errorOf(project, load(project, ['.envrc'], { PATH: '/nowhere' }));
  expect(text).toBe(
    'error: `<root>/.envrc` holds shell code, and direnv, which could load it, was not found on PATH\n' +
      'hint: Install direnv and run `direnv allow`, or keep it to lines of `export NAME=value`.\n',
  );
  expect(exitCode).toBe(3);
});

/** A project whose `.envrc` is code, and a program named direnv that answers as the real one does. */
function withDirenv(script: string): { readonly project: TestProject; readonly base: Base } {
  const project = projectWith({ 'sub/.envrc': 'export A=$(hostname)\n' });
  project.write('bin/direnv', `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { project, base: { PATH: `${project.path('bin')}:${process.env['PATH']}`, REAL: 'real' } };
}

test('an `.envrc` of shell code is loaded by direnv, in its folder, and never over the real environment (R30)', async () => {
  const { project, base } = withDirenv(
    '[ "$*" = "export json" ] || exit 9\nprintf \'{"A":"$x","REAL":"other","DIRENV_DIFF":"x","GONE":null,"WHERE":"%s"}\' "$(pwd)"',
  );
  const environment = await load(project, ['sub/.envrc'], base);
  expect(environment.variables).toMatchObject({ A: '$x', REAL: 'real', WHERE: project.path('sub') });
  expect(environment.variables).not.toHaveProperty('DIRENV_DIFF');
  expect(environment.originOf('A')).toBe(project.path('sub/.envrc'));
});

test('direnv has nothing to say where the shell has loaded the file already (R30)', async () => {
  const { project, base } = withDirenv('exit 0');
  expect((await load(project, ['sub/.envrc'], base)).variables).toEqual(base);
});

test('an `.envrc` that direnv does not allow, or cannot load, is refused with what to do (R30)', async () => {
  const texts: string[] = [];
  for (const script of [
    'echo "direnv: error $PWD/.envrc is blocked. Run \\`direnv allow\\` to approve its content" >&2; exit 1',
    'echo "direnv: loading" >&2; echo "direnv: error syntax error near x" >&2; exit 1',
    'echo hello',
  ]) {
    const { project, base } = withDirenv(script);
    texts.push((await errorOf(project, load(project, ['sub/.envrc'], base))).text);
  }
  expect(texts.join('\n')).toMatchInlineSnapshot(`
    "error: \`<root>/sub/.envrc\` is not allowed by direnv
    hint: Read it, then run \`direnv allow <root>/sub\`.

    error: direnv could not load \`<root>/sub/.envrc\`: direnv: error syntax error near x
    hint: Run \`direnv export json\` in <root>/sub to see why.

    error: direnv gave no JSON for \`<root>/sub/.envrc\`
    hint: Run \`direnv export json\` in <root>/sub to see why.
    "
  `);
});

// ── What a task declares ─────────────────────────────────────────────────────────────────────────

const fields = {
  PORT: z.number().int().min(1).describe('where to listen'),
  MODE: z.enum(['dev', 'prod']).default('dev'),
  TOKEN: z.string().min(8).meta({ secret: true }),
  NOTE: z.string().optional(),
};

test('variables arrive typed; an empty one counts as absent (R31)', () => {
  expect(parseTaskEnv(fields, { PORT: '8000', MODE: '', TOKEN: 'long enough', OTHER: 'x' })).toEqual({
    ok: true,
    value: { PORT: 8000, MODE: 'dev', TOKEN: 'long enough' },
  });
  expect(parseTaskEnv(undefined, { A: '1' })).toEqual({ ok: true, value: {} });
});

test('everything wrong with the variables is told together, and a secret is never quoted (R29, R31)', () => {
  const parsed = parseTaskEnv(fields, { PORT: 'eight', MODE: 'test', TOKEN: 'abc' });
  const missing = parseTaskEnv(fields, { PORT: '', TOKEN: undefined });
  expect(JSON.stringify(parsed)).not.toContain('abc');
  expect([parsed, missing]).toMatchInlineSnapshot(`
    [
      {
        "ok": false,
        "problems": [
          {
            "name": "PORT",
            "text": "\`PORT\`: expected a number, got "eight"",
          },
          {
            "name": "MODE",
            "text": "\`MODE\`: expected "dev" or "prod", got "test"",
          },
          {
            "name": "TOKEN",
            "text": "\`TOKEN\`: expected at least 8 characters",
          },
        ],
      },
      {
        "ok": false,
        "problems": [
          {
            "name": "PORT",
            "text": "\`PORT\` is empty (where to listen)",
          },
          {
            "name": "TOKEN",
            "text": "\`TOKEN\` is not set",
          },
        ],
      },
    ]
  `);
});

test('rules over several variables are kept, and hide secrets that they quote (R29, R31)', () => {
  const both = z.object({ USER: z.string(), TOKEN: z.string().meta({ secret: true }) }).refine((value) => value.USER !== value.TOKEN, {
    error: (issue) => `user and token are both ${(issue.input as { TOKEN: string }).TOKEN}`,
  });
  expect(parseTaskEnv(both, { USER: 'same-thing', TOKEN: 'same-thing' })).toEqual({
    ok: false,
    problems: [{ name: undefined, text: 'user and token are both ***' }],
  });
});

test('the values of secrets are known, defaults left out (R29)', () => {
  const more = { ...fields, KEY: z.string().default('changeme').meta({ secret: true }) };
  expect(secretValuesOf(more, { TOKEN: 'long enough', KEY: 'changeme', PORT: '1' })).toEqual(['long enough']);
  expect(secretValuesOf(more, {})).toEqual([]);
});

test('a command sees all variables, or the base list and what is named (R31)', () => {
  const variables = { PATH: '/bin', LC_ALL: 'C', http_proxy: 'x', AWS_KEY: 'k', AWSX: 'k', MINE: '1', 'A.B': '2' };
  expect(childEnvironment(variables, undefined)).toEqual({ variables, heldBack: [] });
  expect(childEnvironment(variables, ['MINE', 'AWS_*', 'A.B'])).toEqual({
    variables: { PATH: '/bin', LC_ALL: 'C', http_proxy: 'x', AWS_KEY: 'k', MINE: '1', 'A.B': '2' },
    heldBack: ['AWSX'],
  });
});
