import { fstatSync, statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Config } from '../config.ts';
import type { AnyFlags } from '../task.ts';
import type { Sink } from '../reporters/reporter.ts';

/** A binary of one's own: another name, and tasks that it brings along. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly config: Config;
  /** Its global flags. */
  readonly flags: AnyFlags | undefined;
  /** Where commands run and paths begin. Default: the folder the user stands in. */
  readonly root: string | undefined;
}

/** The process as `main` sees it: handed in, so that a test of the command line is a function call. */
export interface Host {
  /** Undefined for `tasks` itself, which looks for a config. */
  readonly program?: Program;
  /** The words after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly stdin: { readonly isTTY: boolean; readonly stream: NodeJS.ReadStream };
  /** Calls back for each signal that asks to stop; returns how to let go. */
  readonly onSignal: (stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void) => () => void;
  /** Calls back for what is thrown where nobody can catch it; returns how to let go. */
  readonly onStray: (tell: (error: unknown) => void) => () => void;
  /** Calls back when the process has nothing left to do; returns how to let go. */
  readonly onIdle: (tell: () => void) => () => void;
  /** Asks before `process.exit` ends the process: what is given is thrown instead; returns how to let go. */
  readonly onExit: (instead: (code: number) => Error | undefined) => () => void;
}

/** This process, as it really is. */
export function processHost(): Host {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    cwd: workingFolder(),
    stdout: sinkOf(() => process.stdout, 1, process.env),
    stderr: sinkOf(() => process.stderr, 2, process.env),
    stdin: {
      isTTY: isTerminal(0),
      get stream() {
        return process.stdin;
      },
    },
    onSignal: (stop) => {
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      const listeners = signals.map((signal) => [signal, () => stop(signal)] as const);
      for (const [signal, listener] of listeners) process.on(signal, listener);
      return () => {
        for (const [signal, listener] of listeners) process.off(signal, listener);
      };
    },
    onStray: (tell) => {
      process.on('unhandledRejection', tell);
      process.on('uncaughtException', tell);
      return () => {
        process.off('unhandledRejection', tell);
        process.off('uncaughtException', tell);
      };
    },
    onIdle: (tell) => {
      process.on('beforeExit', tell);
      return () => process.off('beforeExit', tell);
    },
    onExit: (instead) => {
      const { exit } = process;
      process.exit = (code) => {
        const error = instead(Number(code ?? process.exitCode ?? 0));
        if (error) throw error;
        return exit(code);
      };
      return () => {
        process.exit = exit;
      };
    },
  };
}

/** Asked of the file first: the module that knows terminals brings half of Node's network with it. */
function isTerminal(descriptor: number): boolean {
  try {
    const info = fstatSync(descriptor);
    return (
      info.isCharacterDevice() &&
      info.rdev !== statSync(process.platform === 'win32' ? String.raw`\\.\nul` : '/dev/null').rdev &&
      isatty(descriptor)
    );
  } catch {
    return false;
  }
}

/** A folder that was removed under our feet has no name. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

/**
 * Written synchronously: what was said is out before the process can end, and in order with what children
 * write themselves. A closed stream swallows the rest: a run goes on without it (R21).
 */
function sinkOf(stream: () => NodeJS.WriteStream, descriptor: number, env: Host['env']): Sink {
  const isTTY = isTerminal(descriptor);
  let isClosed = false;
  return {
    write(text) {
      let rest = Buffer.from(text);
      while (rest.length > 0 && !isClosed) {
        try {
          rest = rest.subarray(writeSync(descriptor, rest));
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException;
          // A pipe set to non-blocking is full: its reader is slow, not gone.
          if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
          else isClosed = true;
        }
      }
    },
    isTTY,
    get columns() {
      return (isTTY && stream().columns) || 80;
    },
    get rows() {
      return (isTTY && stream().rows) || 24;
    },
    get colour() {
      return wantsColour(isTTY, env);
    },
  };
}

/** `NO_COLOR` and `FORCE_COLOR` as no-color.org and force-color.org have them; `NO_COLOR` wins. */
export function wantsColour(isTTY: boolean, env: Host['env']): boolean {
  if (env['NO_COLOR']) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return isTTY && env['TERM'] !== 'dumb';
}
