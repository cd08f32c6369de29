import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { TestProject } from '../support/project.ts';
import { projectWith } from '../support/project.ts';
import { openTerminal } from '../support/real-terminal.ts';
import { BIN, testWith } from '../support/real-tools.ts';

/** The shells as people have them: in a terminal, with keys pressed, and what stands on the line read again. */
const CONFIG = `
import { writeFileSync } from 'node:fs';
import { defineConfig, path, task } from 'taskwright';
import { z } from 'zod';

const start = task({
  summary: 'Start it.',
  input: { database: z.enum(['neo4j', 'memgraph']).default('neo4j').describe('which one'), file: path().optional() },
  run: () => {},
});
const odd = task({ summary: 'Odd words.', input: { word: z.enum(['two words', '$(touch made)', 'it\\'s', 'a:b']) }, run: () => {} });
const branch = task({
  summary: 'A branch.',
  input: { name: z.string().meta({ complete: (typed) => { console.log('noise'); return [typed + 'nightly']; } }) },
  run: () => {},
});
export default defineConfig({ tasks: { demo: { start, stop: task({ summary: 'Stop it.', run: () => {} }) }, odd, branch } });
`;

let project: TestProject;
function open(): void {
  project = projectWith({ 'tasks.config.ts': CONFIG, 'below/a file.txt': '', 'bin/x': '', 'home/x': '' });
  for (const name of ['tasks', 'taskwright']) symlinkSync(BIN, project.path(`bin/${name}`));
  // A config that was never run is not run by the Tab key.
  execFileSync(BIN, ['--list'], { cwd: project.root });
}

interface Shell {
  readonly name: string;
  readonly argv: readonly string[];
  /** Lines of its start file, and where that lies. */
  readonly setup: (folder: string) => void;
}

const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    argv: ['--noprofile', '--rcfile', 'home/rc', '-i'],
    setup: (folder) =>
      writeFileSync(join(folder, 'rc'), `PS1='ready> '; bind 'set enable-bracketed-paste off'; eval "$(tasks --completion bash)"\n`),
  },
  {
    name: 'zsh',
    argv: ['-i'],
    setup: (folder) =>
      writeFileSync(
        join(folder, '.zshrc'),
        `PS1='ready> '; unsetopt prompt_sp; unset zle_bracketed_paste; autoload -Uz compinit && compinit -u -D; eval "$(tasks --completion zsh)"\n`,
      ),
  },
  {
    name: 'fish',
    argv: ['--private', '-i'],
    setup: (folder) => {
      execFileSync('mkdir', ['-p', join(folder, '.config/fish')]);
      writeFileSync(
        join(folder, '.config/fish/config.fish'),
        `function fish_prompt; printf 'ready> '; end; set -g fish_greeting; set -g fish_autosuggestion_enabled 0; tasks --completion fish | source\n`,
      );
    },
  },
];

/** A shell in a terminal, in a folder. */
async function shellIn(folder: string, { name, argv, setup }: Shell) {
  const home = project.path('home');
  setup(home);
  const terminal = openTerminal(
    name,
    argv.map((word) => (word.startsWith('home/') ? project.path(word) : word)),
    { cwd: folder, env: { PATH: `${project.path('bin')}:${process.env['PATH'] ?? ''}`, HOME: home, ZDOTDIR: home, SHELL: name } },
  );
  let count = 0;
  await terminal.until('ready> ');
  return {
    /** Type, press Tab until the text stands there, and take the line back. */
    async complete(typed: string, expected: string): Promise<string> {
      terminal.forget();
      terminal.type(typed);
      await terminal.until(typed.slice(-3));
      terminal.forget();
      terminal.type('\t');
      const said = await terminal.until(expected);
      // The line is taken back; what the shell says to the next one tells that it is there for more.
      terminal.type(`\u0015echo over'-'${++count}\r`);
      await terminal.until(`over-${count}`);
      return said;
    },
  };
}

describe.each(SHELLS)('$name', (shell) => {
  const test = testWith([shell.name]);

  test('completes what is typed, in both programs and from a folder below (R8, R9)', async () => {
    open();
    const at = await shellIn(project.path('below'), shell);
    await at.complete('tasks demo.sta', 'rt');
    await at.complete('taskwright bran', 'ch');
    await at.complete('tasks demo.start --data', 'base');
    await at.complete('tasks demo.start --database mem', 'graph');
    await at.complete('tasks demo.start --database=mem', 'graph');
    await at.complete('tasks demo.stop demo.star', 't');
    await at.complete('tasks demo.start --file a', 'file.txt');
    await at.complete('tasks branch x', 'nightly');
    await at.complete('tasks --show-', 'config');
  });

  test('takes words as they are, and evaluates none', async () => {
    open();
    const at = await shellIn(project.path('below'), shell);
    await at.complete('tasks odd two', 'words');
    await at.complete("tasks odd '$(to", 'uch made)');
    await at.complete('tasks odd a:', 'b');
    await at.complete('tasks "$(touch made)" demo.sta', 'rt');
    expect(existsSync(project.path('below/made'))).toBe(false);
  });

  test('is right after a change of a task file', async () => {
    open();
    const at = await shellIn(project.root, shell);
    project.write('tasks.config.ts', CONFIG.replace('demo: { start,', 'demo: { restarted: start,'));
    try {
      await at.complete('tasks demo.rest', 'arted');
    } finally {
      project.write('tasks.config.ts', CONFIG);
      chmodSync(project.path('tasks.config.ts'), 0o644);
    }
  });
});

const all = testWith(['bash', 'zsh', 'fish']);
all('the scripts are read by their shells, and leave their options alone', () => {
  open();
  for (const { name } of SHELLS) {
    const script = execFileSync(BIN, ['--completion', name], { encoding: 'utf8' });
    writeFileSync(project.path(`script.${name}`), script);
    execFileSync(name, ['-n', project.path(`script.${name}`)]);
  }
  const strict = 'set -eu; before=$(set -o); . ./script.bash; [ "$before" = "$(set -o)" ] && complete -p tasks';
  expect(execFileSync('bash', ['-c', strict], { cwd: project.root, encoding: 'utf8' })).toContain('__taskwright_bash');
});
