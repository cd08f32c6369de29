import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Event } from '../../lib/event.ts';
import { tell } from '../../lib/reporters/reporter.ts';
import { tree } from '../../lib/reporters/tree.ts';
import { widthOf } from '../../lib/util/display.ts';
import { done, ended, failed, finished, started, step } from '../support/events.ts';
import type { Terminal } from '../support/terminal.ts';
import { terminalOf } from '../support/terminal.ts';

function playing(columns: number, rows: number) {
  const terminal = terminalOf(columns, rows);
  const reporter = tree({ stdout: terminal, stderr: terminal, env: {} }, { echo: false, verbose: false, why: false });
  return {
    terminal,
    play: (...events: readonly Event[]) => events.forEach((event) => tell(reporter, event)),
    close: async () => reporter.close?.(),
  };
}

/** Resolves when the live part has been drawn once more. */
async function drawn(terminal: Terminal): Promise<void> {
  const before = terminal.writes;
  while (terminal.writes < before + 2) await pause(5);
}

test('what is over stays above, a failure is told once at the end with its output and rerun line (R20, R39)', async () => {
  const { terminal, play, close } = playing(80, 24);

  play(started(['a', 'b', 'c'].map((id) => step(id))));
  for (const id of ['a', 'b', 'c']) play({ type: 'step-started', time: Date.now(), step: id });
  play({ type: 'output', time: 0, step: 'b', command: 1, stream: 'stdout', text: 'some output\n' });
  play(
    ended('a', done),
    ended('b', failed),
    ended('c', { status: 'skipped', because: 'run-ended', reason: 'not started' }),
    finished({ total: 3, done: 1, failed: 1, skipped: 1 }, 2),
  );
  await close();

  expect(terminal.lines().join('\n').trimEnd()).toMatchInlineSnapshot(`
    "✔ a 5ms
    ✖ b \`make\` exited with code 2
    ↓ c skipped: not started

    ✖ b \`make\` exited with code 2
      │ last line
      again: tasks b

    1 done, 1 failed, 1 skipped in 1.2s"
  `);
});

test('never more lines live than the screen has, whatever runs (R39)', async () => {
  const steps = Array.from({ length: 40 }, (_, index) => step(`step-${index}`));
  for (const [columns, rows] of [
    [80, 10],
    [20, 5],
  ] as const) {
    const { terminal, play, close } = playing(columns, rows);
    play(started(steps), ...steps.map((one): Event => ({ type: 'step-started', time: Date.now(), step: one.id })));
    // Long enough for some draws; how many does not matter.
    for (let draws = 0; terminal.writes < 6 && draws < 200; draws++) await pause(20);
    const live = terminal.lines();
    expect(live.length).toBeLessThanOrEqual(rows);
    expect(live.some((line) => line.includes('40 running'))).toBe(true);
    expect(Math.max(...live.map((line) => line.length))).toBeLessThan(columns);
    play(...steps.map((one) => ended(one.id, done)), finished({ total: 40, done: 40 }));
    await close();
    expect(terminal.tallest).toBeLessThan(rows);
    expect(terminal.lines().at(-2)).toBe('40 done in 1.2s');
  }
});

test('500 steps and 10,000 lines are drawn at most ten times a second (R39)', async () => {
  const steps = Array.from({ length: 500 }, (_, index) => step(`step-${index}`));
  const { terminal, play, close } = playing(120, 40);

  play(started(steps));
  for (const one of steps) {
    play({ type: 'step-started', time: Date.now(), step: one.id });
    for (let line = 0; line < 20; line++)
      play({ type: 'output', time: 0, step: one.id, command: 1, stream: 'stdout', text: `line ${line}\n` });
    play(ended(one.id, one.id === 'step-250' ? failed : done));
  }
  play(finished({ total: 500, done: 499, failed: 1 }, 2));
  await close();

  // All of it in one go: nothing is drawn for each line or step.
  expect(terminal.writes).toBeLessThan(40);
  expect(terminal.lines().filter((line) => line.startsWith('✔'))).toEqual([]);
  expect(terminal.lines().join('\n')).toContain('499 done, 1 failed in 1.2s');
});

test('a called step stands below its caller, results and notices above what is live (R26)', async () => {
  const { terminal, play, close } = playing(80, 24);

  play(started([step('caller'), step('other')]));
  play(
    { type: 'step-started', time: Date.now(), step: 'caller' },
    { type: 'step-added', time: 0, step: step('callee', { calledBy: 'caller' }) },
  );
  play({ type: 'step-started', time: Date.now(), step: 'callee' });
  for (let draws = 0; !terminal.lines().some((line) => line.includes('callee')) && draws < 200; draws++) await pause(20);
  const live = terminal.lines();
  expect(live[0]).toMatch(/^\S caller/);
  expect(live[1]).toMatch(/^ {2}\S callee/);
  play({ type: 'print', time: 0, step: 'callee', text: 'a result\n' }, { type: 'notice', time: 0, text: 'by the way' });
  play(ended('callee', done), ended('caller', done), ended('other', done), finished({ total: 3, done: 3 }));
  await close();

  expect(terminal.lines().join('\n').trimEnd()).toBe('a result\n! by the way\n  ✔ callee 5ms\n✔ caller 5ms\n✔ other 5ms\n3 done in 1.2s');
});

test('what was left out is a table that fits the screen, each remedy once (R18)', async () => {
  const { terminal, play, close } = playing(60, 24);

  play(started([step('clone'), step('install'), step('lint'), step('test')]));
  play(ended('clone', done));
  for (const id of ['install', 'lint'])
    play(ended(id, { status: 'skipped', because: 'unmet', reason: '`poetry` was not found on PATH', remedy: 'pipx install poetry' }));
  play(
    ended('test', { status: 'skipped', because: 'need', reason: 'needs `install`, which was skipped' }),
    finished({ total: 4, done: 1, skipped: 3 }),
  );
  await close();

  expect(terminal.lines().join('\n').trimEnd()).toMatchInlineSnapshot(`
    "✔ clone 5ms
    ↓ test skipped: needs \`install\`, which was skipped

    ✔ clone    5ms
    ↓ install  skipped: \`poetry\` was not found on PATH
    ↓ lint     skipped: \`poetry\` was not found on PATH
    ↓ test     skipped: needs \`install\`, which was skipped

    \`poetry\` was not found on PATH: for install, lint
      → pipx install poetry

    1 done, 3 skipped in 1.2s"
  `);
});

test('what was never begun is one line at the end, however many there are (R20, R39)', async () => {
  const { terminal, play, close } = playing(80, 24);
  const others = Array.from({ length: 40 }, (_, index) => `s${index}`);

  play(started(['a', ...others].map((id) => step(id))));
  play(ended('a', failed));
  for (const id of others) play(ended(id, { status: 'skipped', because: 'run-ended', reason: 'not started, since `a` failed' }));
  play(finished({ total: 41, failed: 1, skipped: 40 }, 2));
  await close();

  expect(terminal.lines().filter((line) => line.startsWith('↓'))).toEqual([
    '↓ s0, s1, s2 and 37 more skipped: not started, since `a` failed',
  ]);
});

test('a result without a line break at its end is not drawn over (R25)', async () => {
  const { terminal, play, close } = playing(80, 24);

  play(started([step('a'), step('b')]), { type: 'step-started', time: Date.now(), step: 'a' });
  for (const text of ['one, ', 'two', '\nthree']) {
    play({ type: 'print', time: 0, step: 'a', text });
    await drawn(terminal);
  }
  play(ended('a', done), ended('b', done), finished({ total: 2, done: 2 }));
  await close();

  expect(terminal.lines().slice(0, 3)).toEqual(['one, two', 'three', '✔ a 5ms']);
});

test('no line of the live part wraps or moves the cursor, whatever the output holds (R39)', async () => {
  const { terminal, play, close } = playing(30, 10);

  play(started([step('a'), step('b')]), { type: 'step-started', time: Date.now(), step: 'a' });
  play({
    type: 'output',
    time: 0,
    step: 'a',
    command: 1,
    stream: 'stdout',
    text: `1%\r2%\t\u001B[5A\u001B]0;title\u0007${'漢字🚀'.repeat(20)}`,
  });
  await drawn(terminal);
  const live = terminal.lines().filter((line) => line.includes('›'));
  play(ended('a', done), ended('b', done), finished({ total: 2, done: 2 }));
  await close();

  expect(live).toEqual(['  › 2% 漢字🚀漢字🚀漢字🚀漢…']);
  expect(widthOf(live[0] ?? '')).toBeLessThan(30);
});
