import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Shape } from './shapes.ts';
import { configFor, shapeNames } from './shapes.ts';
import { MARK, survivorsOf, untilNone, watchersOf } from './survivors.ts';

// R24: whatever ends a run, and whatever its processes do, none of them is there after it.

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND_LINE = join(REPOSITORY, 'dist/lib/bin.cjs');

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'taskwright-matrix-')));
  writeFileSync(join(folder, 'tasks.config.ts'), configFor('taskwright'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ending {
  readonly code: number;
  /** Words after the task and its shape. */
  readonly words?: readonly string[];
  readonly own?: readonly string[];
  readonly task?: string;
  /** What is done once the processes are up. */
  readonly act?: (run: Run) => void;
  readonly terminal?: true;
}

const signalled =
  (...signals: readonly NodeJS.Signals[]) =>
  ({ child }: Run): void => {
    for (const signal of signals) child.kill(signal);
  };

const ENDINGS: Readonly<Record<string, Ending>> = {
  'Ctrl-C': { code: 130, act: signalled('SIGINT') },
  'Ctrl-C twice': { code: 130, act: signalled('SIGINT', 'SIGINT') },
  SIGTERM: { code: 143, act: signalled('SIGTERM') },
  SIGHUP: { code: 129, act: signalled('SIGHUP') },
  'kill -9': { code: 137, act: signalled('SIGKILL') },
  'Ctrl-C at the terminal': { code: 130, terminal: true, act: ({ child }) => void child.stdin?.write('\u0003') },
  'the terminal is closed': { code: 137, terminal: true, act: signalled('SIGKILL') },
  'the time of the task is up': { code: 124, words: ['--how', 'timeout'] },
  'the time of the command is up': { code: 124, words: ['--how', 'command-timeout'] },
  'the time of the run is up': { code: 124, own: ['--timeout', '2s'] },
  'another step fails under --fail-fast': { code: 1, own: ['--fail-fast'], task: 'both' },
  'the body throws': { code: 1, words: ['--how', 'throw'] },
  'process.exit in the body': { code: 7, words: ['--how', 'exit'] },
};

describe.each(Object.entries(ENDINGS))('%s', (_, ending) => {
  test.concurrent.each(shapeNames)('%s', async (shape) => {
    const run = startRun(shape, ending);
    if (ending.act) {
      while (!existsSync(run.up) && run.code() === undefined) await pause(10);
      ending.act(run);
    }
    const code = await run.ended;

    // Only who is killed leaves the work to its watcher, and then at most for two seconds.
    const isKilled = ending.code === 137;
    if (isKilled) await untilNone(() => survivorsOf(run.mark, run.folder));
    expect(survivorsOf(run.mark, run.folder)).toEqual([]);
    expect({ code, said: code === ending.code ? '' : run.said() }).toEqual({ code: ending.code, said: '' });
    await untilNone(() => watchersOf(run.child.pid ?? 0));
  });
});

interface Run {
  readonly child: ChildProcess;
  readonly mark: string;
  readonly folder: string;
  readonly up: string;
  readonly ended: Promise<number>;
  code(): number | undefined;
  said(): string;
}

function startRun(shape: Shape, ending: Ending): Run {
  const mark = randomUUID();
  const own = mkdtempSync(join(folder, 'run-'));
  const up = join(own, 'up');
  const words = [...(ending.own ?? []), '-C', folder, '-r', 'lines', ending.task ?? 'end', '--shape', shape, ...(ending.words ?? [])];
  const command = [process.execPath, COMMAND_LINE, ...words];
  const [program = '', ...argv] = ending.terminal ? inTerminal(command) : command;
  const child = spawn(program, argv, {
    cwd: own,
    env: { PATH: process.env['PATH'], HOME: own, [MARK]: mark, UP: up, XDG_RUNTIME_DIR: own },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  let code: number | undefined;
  child.stdout?.on('data', (text: Buffer) => (said += text.toString()));
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (given, signal) => {
      code = given ?? 128 + (signal === 'SIGKILL' ? 9 : 15);
      resolve(code);
    });
  });
  return { child, mark, folder: own, up, ended, code: () => code, said: () => said };
}

/** On a terminal of its own, which is closed when `script` ends. */
function inTerminal(command: readonly string[]): string[] {
  const line = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  return ['script', '--quiet', '--return', '--flush', '--command', `exec ${line}`, '/dev/null'];
}
