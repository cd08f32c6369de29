import { execFileSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect } from 'vitest';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import type { RealTerminal } from '../support/real-terminal.ts';
import { openTerminal } from '../support/real-terminal.ts';
import { BIN, PROJECT, leftOf, testWith } from '../support/real-tools.ts';

/** Programs that need the person, at a real terminal: they get it whole, and the run goes on behind them (R22, R24). */
const CONFIG = `
import { defineConfig, task } from 'taskwright';

const before = task({ summary: 'Come before.', run: ({ log }) => log('this came before') });
const behind = task({ summary: 'Come behind.', run: ({ log }) => log('this came behind') });
const chatter = task({
  summary: 'Talk all the time.',
  service: { ready: { logLine: 'tick' } },
  run({ $ }) { void $\`while :; do echo tick; sleep 0.02; done\`; },
});
const edit = task({ summary: 'Edit.', needs: [chatter], interactive: true, run: ({ exec }) => exec(['vi', '-u', 'NONE', '-N', 'notes.txt']) });
const shell = task({ summary: 'Shell.', interactive: true, run: ({ exec }) => exec(['bash', '--norc', '--noprofile', '-i']) });
const login = task({ summary: 'Log in.', interactive: true, run: ({ $ }) => $\`./ask.sh </dev/null\` });
const plainLogin = task({ summary: 'Log in, and say nothing of a terminal.', run: ({ $ }) => $\`./ask.sh\` });
const container = task({ summary: 'Container.', interactive: true, run: ({ exec }) => exec(['docker', 'compose', '-p', '${PROJECT}-interactive', 'run', '--rm', 'store', 'sh']) });
export default defineConfig({ tasks: { before, behind, edit, shell, login, plainLogin, container } });
`;

/** As ssh asks for a password: at the terminal itself, wherever stdin comes from, and without echo. */
const ASK = `#!/bin/sh
exec 3<>/dev/tty || exit 9
stty -echo <&3
printf 'Password: ' >&3
read -r answer <&3
stty echo <&3
printf '\\n' >&3
printf '%s' "$answer" >answer.txt
`;

const project = (): TestProject => {
  const made = projectWith({
    'tasks.config.ts': CONFIG,
    'notes.txt': 'first line\n',
    'compose.yml': 'services: { store: { image: "redis:7.2" } }\n',
  });
  made.write('ask.sh', ASK, { mode: 0o755 });
  return made;
};

const at = (made: TestProject, ...words: string[]): RealTerminal =>
  openTerminal(process.execPath, [BIN, ...words], {
    cwd: made.root,
    env: { PATH: process.env['PATH'] ?? '', HOME: made.root, PS1: 'ready> ' },
  });

describe('an interactive task has the real terminal', () => {
  testWith(['vim'])('vim edits a file; services keep still as long as it is there, and the run goes on after it', async () => {
    const here = project();
    const terminal = at(here, 'before', 'edit', 'behind');

    await terminal.until('first line');
    terminal.type('osecond line\u001b');
    await terminal.until('second line');
    terminal.type(':wq\r');

    expect(await terminal.ended).toBe(0);
    expect(here.read('notes.txt')).toBe('first line\nsecond line\n');
    // From the other screen to the first one again, as vim writes it.
    const [within = '', after = ''] = terminal.raw().split('\u001b[?1049h')[1]?.split('\u001b[?1049l') ?? [];
    expect(stripVTControlCharacters(within)).toContain('second line');
    expect(stripVTControlCharacters(within)).not.toMatch(/tick|before|edit\b/);
    expect(stripVTControlCharacters(after)).toMatch(/✔ behind/);
  });

  testWith(['bash'])('a shell: Ctrl-C is for what runs in it, and its end is no end of the run', async () => {
    const terminal = at(project(), 'before', 'shell', 'behind');

    await terminal.until('ready> ');
    terminal.type("echo wait'ing'; read -r never\r");
    await terminal.until('\nwaiting');
    terminal.forget();
    terminal.type('\u0003');
    await terminal.until('ready> ');
    terminal.type('tty; exit\r');
    await terminal.until('/dev/pts/');

    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).toMatch(/✔ behind/);
  });

  testWith(['bash'])('a program that asks at /dev/tty, as ssh does, gets the answer, which is not shown', async () => {
    const here = project();
    const terminal = at(here, 'before', 'login', 'behind');

    await terminal.until('Password: ');
    terminal.type('open sesame\r');

    expect(await terminal.ended).toBe(0);
    expect(here.read('answer.txt')).toBe('open sesame');
    expect(terminal.raw()).not.toContain('sesame');
    expect(stripVTControlCharacters(terminal.raw())).toMatch(/✔ behind/);
  });

  testWith(['bash'])('a run of one task is at the terminal anyway; beside others a task has to ask for it', async () => {
    const here = project();
    const alone = at(here, 'plain-login');
    await alone.until('Password: ');
    alone.type('alone\r');
    expect(await alone.ended).toBe(0);
    expect(here.read('answer.txt')).toBe('alone');

    const beside = at(here, 'before', 'plain-login');
    expect(await beside.ended).not.toBe(0);
    expect(stripVTControlCharacters(beside.raw())).toContain('`interactive: true` gives it the real one');
  });
});

testWith(['docker'])('docker compose run opens a shell in a container', async () => {
  const here = project();
  try {
    const terminal = at(here, 'before', 'container', 'behind');
    await terminal.until('# ');
    terminal.type('echo in-$((40+2)); tty; exit\r');
    await terminal.until('in-42');
    await terminal.until('/dev/pts/');
    expect(await terminal.ended).toBe(0);
    expect(stripVTControlCharacters(terminal.raw())).toMatch(/✔ behind/);
  } finally {
    execFileSync('docker', ['compose', '-p', `${PROJECT}-interactive`, 'down', '--volumes'], { cwd: here.root, stdio: 'ignore' });
  }
  expect(leftOf(`${PROJECT}-interactive`)).toEqual([]);
});
