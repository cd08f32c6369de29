import type { CommandFailedError } from '../../lib/errors.ts';
import { localRunner } from '../../lib/runners/local.ts';
import { createMasker } from '../../lib/secrets.ts';
import type { BoundShell, ShellBinding } from '../../lib/shell.ts';
import { bindShell } from '../../lib/shell.ts';

/** A shell on real processes, with what it shows. */
export interface ShellSeen {
  readonly shell: BoundShell;
  readonly output: string[];
  readonly lines: string[];
}

export function shellIn(cwd: string, options: Partial<ShellBinding> = {}): ShellSeen {
  const output: string[] = [];
  const lines: string[] = [];
  const shell = bindShell({
    run: {},
    runner: localRunner(),
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd },
    graceMs: 5000,
    timeoutMs: undefined,
    warnOnly: false,
    foreground: false,
    interactive: false,
    hasTerminal: false,
    pty: undefined,
    onNotice: () => {},
    onTerminal: () => {},
    colour: false,
    columns: undefined,
    dryRun: false,
    masking: createMasker(),
    onStart: (_, line) => lines.push(line),
    onOutput: (_, stream, text) => output.push(`${stream}: ${text}`),
    onEnd: () => {},
    ...options,
  });
  return { shell, output, lines };
}

export const failure = (promise: PromiseLike<unknown>): Promise<CommandFailedError> =>
  Promise.resolve(promise).then(
    () => {
      throw new Error('it succeeded');
    },
    (error: CommandFailedError) => error,
  );
/** Resolves when `said` has come out. */
export const until = (output: readonly string[], said: string): Promise<void> =>
  new Promise((resolve) => {
    const look = setInterval(() => {
      if (!output.join('').includes(said)) return;
      clearInterval(look);
      resolve();
    }, 5);
  });
