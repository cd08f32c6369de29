import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Event } from '../../lib/event.ts';
import { github } from '../../lib/reporters/github.ts';
import { grouped } from '../../lib/reporters/grouped.ts';
import { lines } from '../../lib/reporters/lines.ts';
import { begun, done, ended, failed, finished, says, shownBy, started, step } from '../support/events.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taskwright-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Two steps side by side, one that needs the failed one, one that is allowed to fail. */
const RECORDED: readonly Event[] = [
  started(['build', 'test', 'deploy', 'audit'].map((id) => step(id))),
  begun('build'),
  begun('test'),
  says('build', 'compiling\n10%\r'),
  says('test', 'first te', { stream: 'stderr' }),
  says('build', '100%\n'),
  says('test', 'st\n', { stream: 'stderr' }),
  { type: 'log', time: 0, step: 'build', level: 'info', text: 'a word of its body' },
  ended('test', {
    ...failed,
    failure: { ...failed.failure, place: { file: '/checkout/tasks/ci.ts', line: 12 } },
    tail: 'first test\n1 of 2: 50% broke',
  }),
  { type: 'notice', time: 0, step: 'build', text: 'by the way' },
  says('build', 'no line break at the end'),
  ended('build', done),
  ended('deploy', { status: 'skipped', because: 'need', reason: 'needs `test`, which failed' }),
  begun('audit'),
  ended('audit', { ...failed, mayFail: true, tail: '' }),
  finished({ total: 4, done: 1, failed: 2, skipped: 1 }, 2),
];

test('grouped: the output of each step is one piece, whatever ran beside it (R38)', () => {
  const { play, said } = shownBy(grouped);

  play(...RECORDED);

  expect(said.out).toBe('');
  expect(said.err).toMatchInlineSnapshot(`
    "▶ build
    compiling
    100%
    a word of its body
    note: by the way
    no line break at the end
    ✔ build 5ms
    ▶ test
    first test
    ✖ test \`make\` exited with code 2
    ↓ deploy skipped: needs \`test\`, which failed
    ✖ audit \`make\` exited with code 2 (may fail)

    ✖ test \`make\` exited with code 2
      again: tasks test

    ✖ audit \`make\` exited with code 2
      again: tasks audit

    1 done, 2 failed, 1 skipped in 1.2s
    "
  `);
});

test('github: groups, annotations at the line that failed, failures told in the open (R38)', () => {
  const { play, said } = shownBy(github, { GITHUB_WORKSPACE: '/checkout' });

  play(...RECORDED);

  expect(said.out).toBe('');
  expect(said.err).toMatchInlineSnapshot(`
    "::group::build
    compiling
    100%
    a word of its body
    note: by the way
    no line break at the end
    ::endgroup::
    ✔ build 5ms
    ::group::test
    first test
    ::endgroup::
    ✖ test \`make\` exited with code 2
    ::error file=tasks/ci.ts,line=12,title=test::\`make\` exited with code 2%0A%0Afirst test%0A1 of 2: 50%25 broke
    ↓ deploy skipped: needs \`test\`, which failed
    ✖ audit \`make\` exited with code 2 (may fail)
    ::warning title=audit::\`make\` exited with code 2

    ✖ test \`make\` exited with code 2
      │ first test
      │ 1 of 2: 50% broke
      again: tasks test

    ✖ audit \`make\` exited with code 2
      again: tasks audit

    1 done, 2 failed, 1 skipped in 1.2s
    "
  `);
});

test('github: the job summary has a row for each step and the last lines of each failure (R38)', () => {
  const file = join(folder, 'summary.md');
  const { play } = shownBy(github, { GITHUB_STEP_SUMMARY: file });

  play(...RECORDED);

  expect(readFileSync(file, 'utf8')).toMatchInlineSnapshot(`
    "### ✖ 1 done, 2 failed, 1 skipped in 1.2s

    | | step | |
    | --- | --- | --- |
    | ✔ | build | 5ms |
    | ✖ | test | \`make\` exited with code 2 |
    | ↓ | deploy | skipped: needs \`test\`, which failed |
    | ✖ | audit | \`make\` exited with code 2 (may fail) |

    <details><summary>test</summary>

    \`\`\`text
    \`make\` exited with code 2

    first test
    1 of 2: 50% broke
    \`\`\`

    Again: \`tasks test\`

    </details>

    <details><summary>audit</summary>

    \`\`\`text
    \`make\` exited with code 2
    \`\`\`

    Again: \`tasks audit\`

    </details>

    "
  `);
});

test('github: titles and texts cannot end a command or begin one, nor leave their cell of the summary (R38)', () => {
  const file = join(folder, 'summary.md');
  const { play, said } = shownBy(github, { GITHUB_STEP_SUMMARY: file });
  const odd = 'a,b:c|<i>%0A\n::error::no';

  play(started([step('x', { title: odd }), step('y')]), begun('x'), says('x', 'text\n'));
  play(ended('x', { ...failed, tail: '```\n::set-env::' }), finished({ failed: 1 }, 2));

  expect(said.err.split('\n').slice(0, 4)).toEqual([
    '::group::a,b:c|<i>%250A ::error::no',
    'text',
    '::endgroup::',
    '✖ a,b:c|<i>%0A ::error::no `make` exited with code 2',
  ]);
  expect(said.err).toContain('::error title=a%2Cb%3Ac|<i>%250A%0A%3A%3Aerror%3A%3Ano::`make` exited with code 2%0A%0A```%0A::set-env::\n');
  expect(readFileSync(file, 'utf8')).toContain('| ✖ | a,b:c\\|&lt;i&gt;%0A ::error::no |');
  expect(readFileSync(file, 'utf8')).toContain('````text\n`make` exited with code 2\n\n```\n::set-env::\n````');
});

test('github: a plan of one step behaves like the command itself, and is annotated (R38, R40)', () => {
  const { play, said } = shownBy(github);

  play(started([step('build')], { solo: true }), begun('build'), says('build', 'out\n'), says('build', 'err\n', { stream: 'stderr' }));
  play(ended('build', failed), finished({ total: 1, failed: 1 }, 2));

  expect(said.out).toBe('out\n');
  expect(said.err).toMatch(/^err\n::error title=build::`make` exited with code 2%0A%0Alast line\n\n✖ build `make` exited with code 2\n/);
});

test('github: a secret is made known to what masks the log, and a refusal is annotated (R29, R38)', () => {
  const file = join(folder, 'summary.md');
  const { reporter, said } = shownBy(github, { GITHUB_STEP_SUMMARY: file });

  reporter.hide?.('two\nlines 100%');
  reporter.refused?.({ message: '`docker` was not found on PATH', facts: ['needed by `build`'], hint: 'Install it.' });

  expect(said.err).toBe(
    '::add-mask::two%0Alines 100%25\n::error title=nothing has run::`docker` was not found on PATH%0A  needed by `build`%0Ahint: Install it.\n',
  );
  expect(readFileSync(file, 'utf8')).toContain('needed by `build`');
});

test('github: a summary that cannot be written costs a warning, and no more (R38)', () => {
  const { play, said } = shownBy(github, { GITHUB_STEP_SUMMARY: join(folder, 'no', 'such', 'folder') });

  play(started([step('a'), step('b')]), finished({}));

  expect(said.err).toMatch(/::warning::the job summary could not be written: ENOENT/);
});

test('grouped: a service leaves the stage to any step, and is shown in one piece where it can be (R37, R38)', () => {
  const { play, said } = shownBy(grouped);

  play(started([step('db', { service: true }), step('one'), step('two')]), begun('db'), says('db', 'listening\n'), begun('one'));
  play(says('one', 'a\n'), says('db', 'connection\n'), begun('two'), says('two', 'b\n'), says('one', 'c\n'), ended('one', done));
  play(ended('two', done), says('db', 'bye\n'), ended('db', done), finished({ done: 3 }));

  expect(said.err).toMatchInlineSnapshot(`
    "▶ db
    listening
    ▶ one
    a
    c
    ✔ one 5ms
    ▶ two
    b
    ✔ two 5ms
    ▶ db
    connection
    bye
    ✔ db 5ms
    3 done in 1.2s
    "
  `);
});

test('grouped: what a waiting step says is kept up to a limit, and what is let go is counted (R38)', () => {
  const { play, said } = shownBy(grouped);
  const line = 'x'.repeat(1024 * 1024);

  play(started([step('one'), step('two')]), begun('one'), begun('two'), says('one', 'on the stage\n'));
  for (let count = 0; count < 20; count++) play(says('two', `${count} ${line}\n`));
  play(ended('one', done), ended('two', done), finished({ done: 2 }));

  expect(said.err).toMatch(/… \d+ earlier lines are in the log only\n/);
  expect(said.err).toContain('\n19 xxx');
  expect(said.err).not.toContain('\n0 xxx');
  expect(said.err.length).toBeLessThan(10 * line.length);
});

test('grouped: a dry run is a script under the names of its steps (R16, R38)', () => {
  const { play, said } = shownBy(grouped);

  play(started([step('one'), step('two')], { dryRun: true }), begun('one'));
  play(
    { type: 'command-started', time: 0, step: 'one', command: 1, line: 'make all', cwd: '/', quiet: false, dry: true },
    ended('one', done),
  );
  play(ended('two', { status: 'skipped', because: 'dry-run', reason: 'not foreseen from here: x' }), finished({ done: 1, skipped: 1 }));

  expect(said.err).toBe('# one\nmake all\n↓ two skipped: not foreseen from here: x\n');
});

test('while a step has the terminal, others are told of when it gives it back (R22)', () => {
  const { play, said } = shownBy(lines);

  play(started([step('db', { service: true }), step('shell')]), begun('db'), begun('shell'));
  play({ type: 'interactive-started', time: 0, step: 'shell' }, says('db', 'connection\n'), says('shell', 'prompt\n'));
  expect(said.out).toBe('shell | prompt\n');
  play({ type: 'interactive-ended', time: 0, step: 'shell' });

  expect(said.out).toBe('shell | prompt\ndb | connection\n');
});
