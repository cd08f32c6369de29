import type { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { main } from '../../lib/cli/main.ts';
import { start } from '../../lib/cli/start.ts';
import type { Host } from '../../lib/cli/host.ts';
import type { Sink } from '../../lib/reporters/reporter.ts';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A terminal of this size instead of pipes. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** Somebody who presses keys, in this order, each when its question stands on stderr. */
  readonly keys?: readonly { readonly at: string; readonly press: string }[];
  /** Emits `signal`, `stray` (something was thrown where nobody can catch it) and `idle` (nothing is left to do in the process). */
  readonly process?: EventEmitter;
  /** Called with each text as it goes to stdout. */
  readonly onStdout?: (text: string, signal: (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void) => void;
  /** Called with each text as it goes to stderr. */
  readonly onStderr?: (text: string, signal: (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void) => void;
}

/** The whole command line as a function call: no process is started for it. */
export async function tasks(argv: readonly string[], place: Place): Promise<Said> {
  const { host, said } = hostAt(place);
  const code = await main({ ...host, argv });
  return { code, ...said };
}

/** As the binary does it: what can be is answered from what an earlier load kept, without the config. */
export async function tasksFromKept(argv: readonly string[], place: Place): Promise<Said & { readonly isKept: boolean }> {
  const { host, said } = hostAt(place);
  const kept = start({ ...host, argv });
  const code = kept ?? (await main({ ...host, argv }));
  return { code, ...said, isKept: kept !== undefined };
}

/** A process at `place`, and what is written to its streams. */
export function hostAt(place: Place): { readonly host: Omit<Host, 'argv' | 'program'>; readonly said: { stdout: string; stderr: string } } {
  const said = { stdout: '', stderr: '' };
  const stops = new Set<(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void>();
  const signal = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
    for (const stop of stops) stop(name);
  };
  const keys = [...(place.keys ?? [])];
  const keyboard = new PassThrough();
  let seen = 0;
  const pressKeys = (): void => {
    const [next] = keys;
    const at = next ? said.stderr.indexOf(next.at, seen) : -1;
    if (!next || at < 0) return;
    keys.shift();
    seen = said.stderr.length;
    setImmediate(() => keyboard.write(next.press));
  };
  const sink = (name: 'stdout' | 'stderr'): Sink => ({
    write: (text) => {
      said[name] += text;
      if (name === 'stdout') place.onStdout?.(text, signal);
      else {
        place.onStderr?.(text, signal);
        pressKeys();
      }
    },
    isTTY: place.terminal !== undefined,
    columns: place.terminal?.columns ?? 80,
    rows: place.terminal?.rows ?? 24,
    colour: false,
  });
  const host: Omit<Host, 'argv' | 'program'> = {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', ...place.env },
    cwd: place.cwd,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    // A keyboard is all that the questions ask of a terminal's stream.
    stdin: { isTTY: place.keys !== undefined, stream: keyboard as unknown as ReadStream },
    onSignal: (stop) => {
      stops.add(stop);
      const letGo = listenTo(place.process, 'signal')(stop);
      return () => {
        stops.delete(stop);
        letGo();
      };
    },
    onStray: listenTo(place.process, 'stray'),
    onIdle: listenTo(place.process, 'idle'),
    onExit: () => () => {},
  };
  return { host, said };
}

function listenTo(emitter: EventEmitter | undefined, name: string) {
  return (listener: Parameters<EventEmitter['on']>[1]) => {
    emitter?.on(name, listener);
    return () => void emitter?.off(name, listener);
  };
}
