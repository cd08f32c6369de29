import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Transform, Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';

/**
 * A pseudo-terminal for one command (R28): it sees a terminal, and we see what it writes there.
 *
 * Terminals are made by a native library, which is taken where the project has it. Its own way to start a
 * program is not used: it takes the end of the program for the end of the output, and so loses what the
 * terminal still holds. Here the program is started as any other, and takes the terminal as its own; once
 * it is over, the terminal is read to its end.
 */
export interface Pty {
  /** Starts `program` in this terminal; it has to lead a session. */
  readonly program: (program: string, argv: readonly string[]) => readonly [program: string, argv: readonly string[]];
  /** The process of that program, with all that the terminal shows as its stdout, and what is typed as its stdin. */
  readonly attach: (child: ChildProcess) => ChildProcess;
}

export interface PtySize {
  readonly columns: number;
  readonly rows: number;
}

export type OpenPty = (size: PtySize) => Pty;

export const PTY_PACKAGE = '@lydell/node-pty';
/** Ctrl-D on a line of its own: the end of the input. */
const END_OF_INPUT = '\u0004';
/** A session without a terminal takes the first that it opens. */
const IN_TERMINAL = ['-c', 'exec "$@" 0<>"$0" 1>&0 2>&0'];

/** What the library has, of which its types tell only a part. */
interface OpenTerminal {
  readonly master: ReadStream;
  readonly slave: ReadStream;
  readonly ptsName: string;
  readonly fd: number;
}

/** @returns why there is none, where there is none */
export async function loadPty(): Promise<{ readonly open: OpenPty } | { readonly problem: string }> {
  if (process.platform === 'win32') return { problem: 'there is none for Windows yet' };
  try {
    const library: unknown = await import('@lydell/node-pty');
    const { open } = library as { open: (options: { cols: number; rows: number; encoding: null }) => OpenTerminal };
    return { open: ({ columns, rows }) => ptyOn(open({ cols: columns, rows, encoding: null })) };
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (isMissing) return { problem: `\`${PTY_PACKAGE}\` is not installed` };
    return {
      problem: `\`${PTY_PACKAGE}\` cannot be used: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    };
  }
}

function ptyOn({ master, slave, ptsName, fd }: OpenTerminal): Pty {
  // As long as somebody has the other side open, the terminal does not hang up. It must not be read there.
  const otherSide = openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  slave.destroy();
  return {
    program: (program, argv) => ['/bin/sh', [...IN_TERMINAL, ptsName, program, ...argv]],
    attach(child) {
      const facade = new EventEmitter();
      const stdout = plainLineBreaks();
      master.on('data', (chunk: Buffer) => void stdout.write(chunk));
      // That it hung up is told as an error.
      master.on('error', () => {});
      stdout.once('close', () => {
        master.destroy();
        facade.emit('close');
      });
      child.once('error', (error) => {
        closeSync(otherSide);
        stdout.destroy();
        facade.emit('error', error);
      });
      child.once('exit', (code, signal) => {
        closeSync(otherSide);
        // Those that it left behind may have the terminal as well, and go on writing.
        if (readRest(fd, stdout) === 'hung-up') stdout.end();
        facade.emit('exit', code, signal);
      });
      const stdin = new Writable({
        decodeStrings: false,
        write: (text: string | Buffer, _encoding, done) => void master.write(text, () => done()),
        final: (done) => void master.write(END_OF_INPUT, () => done()),
      });
      stdin.on('error', () => {});
      const { pid, spawnfile } = child;
      // The rest of a child process, its channel and the like, nobody here asks for.
      return Object.assign(facade, { pid, spawnfile, stdin, stdout, stderr: null }) as unknown as ChildProcess;
    },
  };
}

/** All that the terminal holds by now. */
function readRest(fd: number, into: Writable): 'hung-up' | 'still-open' {
  const buffer = Buffer.alloc(64 * 1024);
  for (;;) {
    try {
      const size = readSync(fd, buffer);
      if (size === 0) return 'hung-up';
      into.write(Buffer.from(buffer.subarray(0, size)));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'still-open' : 'hung-up';
    }
  }
}

/** A terminal ends lines with `\r\n`. */
function plainLineBreaks(): Transform {
  let isHeld = false;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = `${isHeld ? '\r' : ''}${chunk.toString('latin1')}`;
      isHeld = text.endsWith('\r');
      done(null, Buffer.from((isHeld ? text.slice(0, -1) : text).replaceAll('\r\n', '\n'), 'latin1'));
    },
    flush(done) {
      done(null, isHeld ? Buffer.from('\r') : undefined);
    },
  });
}
