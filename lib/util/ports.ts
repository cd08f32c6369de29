import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { programOf } from './processes.ts';

/** Whether somebody accepts connections there. */
export function accepts(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/** Whether a program could listen on it, on every address of this machine. */
export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Only "in use" says that it is taken: without the right to listen below 1024 nothing is known.
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ports of this machine that somebody listens on, with the sockets that do. Only Linux tells; empty elsewhere. */
export function listenersNow(): ReadonlyMap<number, readonly string[]> {
  const listeners = new Map<number, string[]>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readTable(`/proc/net/${table}`)) {
      // `slot: local remote state … inode`: addresses as hexadecimal `address:port`, state 0A listens.
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state !== '0A') continue;
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      listeners.set(port, [...(listeners.get(port) ?? []), inode]);
    }
  }
  return listeners;
}

function readTable(file: string): readonly string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** `` `node` (process 12) ``; undefined where it is not ours to see. */
export function describeOwner(sockets: readonly string[]): string | undefined {
  for (const pid of readdirSync('/proc')) {
    if (/^\d+$/.test(pid) && socketsOf(pid).some((socket) => sockets.includes(socket))) {
      return `\`${programOf(Number(pid)) ?? 'a program'}\` (process ${pid})`;
    }
  }
  return undefined;
}

function socketsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
      const target = linkOf(`/proc/${pid}/fd/${descriptor}`);
      return target?.startsWith('socket:[') ? [target.slice('socket:['.length, -1)] : [];
    });
  } catch {
    return [];
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
