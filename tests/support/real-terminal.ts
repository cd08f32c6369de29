import { stripVTControlCharacters } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';

/** A program in a terminal of its own: a test presses keys, and sees what a person would. */
export interface RealTerminal {
  /** As keys are pressed: `\r` is Enter. */
  type(keys: string): void;
  /** Waits until the text stands there, escape codes apart; gives all since the last `forget`. Fails when the program ends before. */
  until(text: string): Promise<string>;
  /** Looks only at what comes from now on. */
  forget(): void;
  /** All there ever was, with its escape codes. */
  raw(): string;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number>;
}

export function openTerminal(
  program: string,
  argv: readonly string[],
  place: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): RealTerminal {
  const pty = spawn(program, [...argv], { cwd: place.cwd, cols: 200, rows: 40, env: { TERM: 'xterm', LANG: 'C.UTF-8', ...place.env } });
  let all = '';
  let from = 0;
  let wake = (): void => {};
  let exitCode: number | undefined;
  pty.onData((data) => {
    all += data;
    // A terminal answers when it is asked what it is.
    if (data.includes('\u001b[c') || data.includes('\u001b[0c')) pty.write('\u001b[?62;c');
    wake();
  });
  const ended = new Promise<number>((resolve) => {
    pty.onExit((exit) => {
      exitCode = exit.exitCode;
      resolve(exit.exitCode);
      wake();
    });
  });
  onTestFinished(() => {
    if (exitCode === undefined) pty.kill('SIGKILL');
  });
  return {
    type: (keys) => pty.write(keys),
    async until(text) {
      for (;;) {
        const seen = plain(all.slice(from));
        if (seen.includes(text)) return seen;
        if (exitCode !== undefined) throw new Error(`it ended with ${exitCode}, and never said ${JSON.stringify(text)}:\n${plain(all)}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    forget: () => void (from = all.length),
    raw: () => all,
    ended,
  };
}

const plain = (text: string): string => stripVTControlCharacters(text).replaceAll('\r', '');
