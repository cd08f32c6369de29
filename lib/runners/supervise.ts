import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/**
 * A process with all that it starts, and how it is ended (R24).
 *
 * It leads a group of its own, so that one signal reaches what it started. In the foreground it stays in
 * our session with the terminal; then its tree is walked, and signalled one by one.
 *
 *   running ──end(signal)──► asked ──leader gone, others remain──► SIGTERM to them
 *                              │                                        │
 *                              └──────────── grace time over ───────────┴──► SIGKILL to all
 *
 * A second `end` kills at once.
 */
export interface Supervised {
  readonly child: ChildProcess;
  readonly pid: number;
  end(signal: NodeJS.Signals): void;
  /** After the leader: end what is left of its group; resolves, when it is gone, to how many there were. */
  sweep(): Promise<number>;
}

export interface SuperviseOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  /** Stays in our group and session. */
  readonly isForeground: boolean;
  readonly graceMs: number;
}

/** @throws nothing: a program that cannot be started shows as `error` on the child, which then has no pid */
export function supervise(
  program: string,
  argv: readonly string[],
  options: SuperviseOptions,
): Supervised | { readonly child: ChildProcess; readonly pid: undefined } {
  const leadsGroup = !options.isForeground && process.platform !== 'win32';
  const child = spawn(program, [...argv], {
    cwd: options.cwd,
    env: options.env,
    stdio: options.stdio,
    detached: leadsGroup,
    windowsHide: true,
  });
  const { pid } = child;
  if (pid === undefined) return { child, pid };
  const family = process.platform === 'win32' ? windowsFamily(pid) : leadsGroup ? groupFamily(pid) : treeFamily(pid);

  let isAsked = false;
  let killTimer: NodeJS.Timeout | undefined;
  let isLeaderGone = false;

  const kill = (): void => {
    clearTimeout(killTimer);
    family.signal('SIGKILL');
  };

  function end(signal: NodeJS.Signals): void {
    if (isAsked || signal === 'SIGKILL') return kill();
    isAsked = true;
    killTimer = setTimeout(kill, options.graceMs);
    family.signal(signal);
    // One that was stopped hears nothing until it goes on.
    family.signal('SIGCONT');
    if (isLeaderGone) family.signal('SIGTERM');
  }

  child.once('exit', () => {
    isLeaderGone = true;
    if (isAsked) family.signal('SIGTERM');
  });

  async function sweep(): Promise<number> {
    const left = family.members();
    if (left.length > 0) {
      if (!isAsked) end('SIGTERM');
      while (family.members().length > 0) await pause(LOOK_AGAIN_MS);
    }
    clearTimeout(killTimer);
    return left.length;
  }

  return { child, pid, end, sweep };
}

const LOOK_AGAIN_MS = 20;
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

// ── Who belongs to it: the platform seam ─────────────────────────────────────────────────────────

interface Family {
  signal(signal: NodeJS.Signals): void;
  /** Ids of those that live; a zombie does not. */
  members(): readonly number[];
}

function groupFamily(leader: number): Family {
  const members = (): readonly number[] => {
    if (!isThere(-leader)) return [];
    return processes().flatMap((one) => (one.group === leader && !one.isZombie ? [one.pid] : []));
  };
  return { members, signal: (signal) => send(-leader, signal) };
}

/**
 * Whoever descends from the leader. Once it is gone its children are another's: they are remembered from
 * the last look, by pid and start, since a pid is given again.
 */
function treeFamily(leader: number): Family {
  const seen = new Map<number, string>();
  const look = (): readonly Listed[] => {
    const all = processes();
    const byParent = new Map<number, Listed[]>();
    for (const one of all) byParent.set(one.parent, [...(byParent.get(one.parent) ?? []), one]);
    const alive = all.filter((one) => one.pid === leader || seen.get(one.pid) === one.start);
    for (const one of alive) {
      seen.set(one.pid, one.start);
      for (const child of byParent.get(one.pid) ?? []) if (!alive.includes(child)) alive.push(child);
    }
    return alive.filter((one) => !one.isZombie);
  };
  return {
    members: () => look().map((one) => one.pid),
    signal: (signal) => {
      for (const { pid } of look()) send(pid, signal);
    },
  };
}

/** Not tried on Windows: written from the documentation of `taskkill`. */
function windowsFamily(leader: number): Family {
  return {
    members: () => (isThere(leader) ? [leader] : []),
    signal: (signal) => {
      if (signal !== 'SIGCONT') spawnSync('taskkill', ['/PID', String(leader), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    },
  };
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It is gone already, or another's.
  }
}

function isThere(target: number): boolean {
  try {
    process.kill(target, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface Listed {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Tells apart two that had the same pid. */
  readonly start: string;
  readonly isZombie: boolean;
}

function processes(): readonly Listed[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

function fromProc(): readonly Listed[] {
  const listed: Listed[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // `pid (name) state parent group …`: the name may hold anything, so read from its last bracket.
      const text = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      listed.push({
        pid: Number(name),
        parent: Number(fields[1]),
        group: Number(fields[2]),
        start: fields[19] ?? '',
        isZombie: fields[0] === 'Z' || fields[0] === 'X',
      });
    } catch {
      // It ended while we read.
    }
  }
  return listed;
}

function fromPs(): readonly Listed[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,lstart='], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => {
    const [pid, parent, group, state, ...start] = line.trim().split(/\s+/);
    if (!pid || !state) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), start: start.join(' '), isZombie: state.startsWith('Z') }];
  });
}
