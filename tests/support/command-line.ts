import { main } from '../../lib/cli/main.ts';
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
  /** Called with each text as it goes to stdout. */
  readonly onStdout?: (text: string, signal: (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void) => void;
}

/** The whole command line as a function call: no process is started for it. */
export async function tasks(argv: readonly string[], place: Place): Promise<Said> {
  const said = { stdout: '', stderr: '' };
  const stops = new Set<(name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void>();
  const signal = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
    for (const stop of stops) stop(name);
  };
  const sink = (name: 'stdout' | 'stderr'): Sink => ({
    write: (text) => {
      said[name] += text;
      if (name === 'stdout') place.onStdout?.(text, signal);
    },
    isTTY: place.terminal !== undefined,
    columns: place.terminal?.columns ?? 80,
    rows: place.terminal?.rows ?? 24,
    colour: false,
  });
  const host: Host = {
    argv,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nowhere', ...place.env },
    cwd: place.cwd,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdin: { isTTY: false, stream: process.stdin },
    onSignal: (stop) => {
      stops.add(stop);
      return () => stops.delete(stop);
    },
    onStray: () => () => {},
  };
  const code = await main(host);
  return { code, ...said };
}
