import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { pause } from '../util/pause.ts';
import type { Listed, Marked } from '../util/processes.ts';
import { isThere, newestPid, processes, processesWith, programOf, send } from '../util/processes.ts';
import { monotonicMs } from '../util/elapsed.ts';
import type { Watcher } from './watcher.ts';
import { startWatcher } from './watcher.ts';

/**
 * The processes of one run, and how they are ended (R24).
 *
 * Each leads a group of its own, so that one signal reaches what it started. In the foreground it stays in
 * our session with the terminal; then its tree is walked, and signalled one by one. All carry a mark in
 * their variables, by which also those are found that moved away (a double fork, `setsid`).
 *
 *   running ──end(signal)──► asked ──leader gone, others remain──► SIGTERM to them
 *                              │                                        │
 *                              └──────────── grace time over ───────────┴──► SIGKILL to all
 *
 * A second `end` kills at once.
 */
export interface Supervisor {
  /** Never throws: a program that cannot be started shows as `error` on the child, which then has no pid. */
  start(program: string, argv: readonly string[], options: SuperviseOptions): Supervised | Unstarted;
  /** End those that moved away from all that was swept; resolves, when they are gone, to the names of their programs. */
  close(kill?: AbortSignal): Promise<readonly string[]>;
}

export interface Supervised {
  readonly child: ChildProcess;
  readonly pid: number;
  end(signal: NodeJS.Signals): void;
  /** After the leader: end what is left of its group; resolves, when it is gone, to how many there were. */
  sweep(): Promise<number>;
}

interface Unstarted {
  readonly child: ChildProcess;
  readonly pid: undefined;
}

export interface SuperviseOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioOptions;
  /** Stays in our group and session. */
  readonly isForeground: boolean;
  /** Outlives the run: it gets no mark, and nobody ends it. */
  readonly isDetached: boolean;
  readonly graceMs: number;
}

/** The variable that holds the marks: one for each run around a process, the outermost first. */
const MARKS = 'TASKWRIGHT_INSIDE';
const LOOK_AGAIN_MS = 20;
let runs = 0;

export function createSupervisor(): Supervisor {
  const runMark = `;${process.pid}-${Date.now().toString(36)}-${++runs}/`;
  const startedAt = monotonicMs();
  const open = new Set<Family>();
  let watcher: Watcher | undefined;
  let terminal: string | undefined;
  let commands = 0;
  let graceMs = 0;

  function begin(): Watcher {
    onExit(endAllNow);
    return startWatcher(runMark, process.stdin.isTTY === true);
  }

  function start(program: string, argv: readonly string[], options: SuperviseOptions): Supervised | Unstarted {
    const leadsGroup = !options.isForeground && process.platform !== 'win32';
    const mark = `${runMark}${++commands};`;
    if (options.isForeground) terminal ??= terminalSettings();
    // Before the command: it may be killed, and we with it, at any moment from now on.
    if (!options.isDetached) watcher ??= begin();
    const child = spawn(program, [...argv], {
      cwd: options.cwd,
      env: options.isDetached ? options.env : { ...options.env, [MARKS]: `${options.env[MARKS] ?? ''}${mark}` },
      stdio: options.stdio,
      detached: leadsGroup,
      windowsHide: true,
    });
    const { pid } = child;
    if (pid === undefined) return { child, pid };

    let isAsked = false;
    let killTimer: NodeJS.Timeout | undefined;
    let isLeaderGone = false;
    const family = process.platform === 'win32' ? windowsFamily(pid) : leadsGroup ? groupFamily(pid) : treeFamily(pid, () => isLeaderGone);
    if (!options.isDetached) {
      graceMs = Math.max(graceMs, options.graceMs);
      open.add(family);
      watcher?.begin(pid, leadsGroup);
      if (terminal !== undefined) watcher?.rememberTerminal(terminal);
    }
    const movedAway = (): readonly number[] => markedNow().flatMap((one) => (one.value.includes(mark) ? [one.pid] : []));
    const everybody = (signal: NodeJS.Signals): void => {
      const known = new Set(family.members());
      family.signal(signal);
      for (const away of movedAway()) if (!known.has(away)) send(away, signal);
    };
    const kill = (): void => {
      clearTimeout(killTimer);
      everybody('SIGKILL');
    };

    function end(signal: NodeJS.Signals): void {
      if (isAsked || signal === 'SIGKILL') return kill();
      isAsked = true;
      killTimer = setTimeout(kill, options.graceMs);
      everybody(signal);
      // One that was stopped hears nothing until it goes on.
      everybody('SIGCONT');
      if (isLeaderGone) everybody('SIGTERM');
    }

    child.once('exit', (_, signal) => {
      isLeaderGone = true;
      if (isAsked) everybody('SIGTERM');
      // Who was ended had no time to set the terminal right.
      if (options.isForeground && terminal !== undefined && (isAsked || signal !== null)) restoreTerminal(terminal);
      if (family.members().length === 0) forget();
    });

    /** Its id may be given to another from now on. */
    const forget = (): void => {
      if (open.delete(family)) watcher?.forget(pid);
    };

    /** Those that left the group are looked for where it was told to end, or never had one; the rest is found by `close`. */
    const left = (): readonly number[] => [...family.members(), ...(isAsked || options.isForeground ? movedAway() : [])];

    async function sweep(): Promise<number> {
      const remaining = new Set(left()).size;
      if (remaining > 0 && !isAsked) end('SIGTERM');
      while (left().length > 0) await pause(LOOK_AGAIN_MS);
      clearTimeout(killTimer);
      forget();
      return remaining;
    }

    return { child, pid, end, sweep };
  }

  /** All that carry the mark of this run; looked up once for all who ask in one go. */
  let marked: readonly Marked[] | undefined;
  function markedNow(): readonly Marked[] {
    if (!marked) {
      marked = processesWith(MARKS, runMark);
      setImmediate(() => (marked = undefined));
    }
    return marked;
  }

  /** The process ends under our hands (`process.exit` in a body): what is left can be waited for only by blocking. */
  function endAllNow(): void {
    const left = (): readonly number[] => [
      ...[...open].flatMap((family) => family.members()),
      ...processesWith(MARKS, runMark).map((one) => one.pid),
    ];
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) for (const pid of left()) send(pid, signal);
    const deadline = monotonicMs() + graceMs;
    while (left().length > 0 && monotonicMs() < deadline) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    for (const pid of left()) send(pid, 'SIGKILL');
    watcher?.dismiss();
  }

  async function close(killed?: AbortSignal): Promise<readonly string[]> {
    if (!watcher) return [];
    const ours = strays(runMark, monotonicMs() - startedAt);
    const names = ours.map(({ pid }) => programOf(pid) ?? String(pid));
    if (ours.length > 0) {
      const all = (signal: NodeJS.Signals): void => {
        for (const { pid } of processesWith(MARKS, runMark)) send(pid, signal);
      };
      all('SIGTERM');
      all('SIGCONT');
      const deadline = monotonicMs() + graceMs;
      while (processesWith(MARKS, runMark).length > 0) {
        if (killed?.aborted || monotonicMs() > deadline) all('SIGKILL');
        await pause(LOOK_AGAIN_MS);
      }
    }
    offExit(endAllNow);
    watcher.dismiss();
    watcher = undefined;
    return names;
  }

  return { start, close };
}

/**
 * Looking at every process of a machine takes longer than a short run may wait. In so short a time ids were
 * not given out all round, so only newer processes than ourselves can be ours.
 */
function strays(mark: string, sinceMs: number): readonly Marked[] {
  const newest = newestPid();
  const isShort = sinceMs < 5000 && newest !== undefined && newest >= process.pid;
  return processesWith(MARKS, mark, isShort ? (pid) => pid > process.pid && pid <= newest : undefined);
}

/** One listener, however many runs a program has under way. */
const atExit = new Set<() => void>();
const runAtExit = (): void => {
  for (const one of atExit) one();
};

function onExit(work: () => void): void {
  if (atExit.size === 0) process.on('exit', runAtExit);
  atExit.add(work);
}

function offExit(work: () => void): void {
  atExit.delete(work);
  if (atExit.size === 0) process.off('exit', runAtExit);
}

// ── The terminal ─────────────────────────────────────────────────────────────────────────────────

/** In the background it would be stopped, and nobody may wait for that. */
const STTY = { timeout: 1000, killSignal: 'SIGKILL' } as const;

/** In the words of `stty`; undefined where stdin is none. */
function terminalSettings(): string | undefined {
  if (process.stdin.isTTY !== true || process.platform === 'win32') return undefined;
  const { stdout, status } = spawnSync('stty', ['-g'], { ...STTY, stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** Echo, lines and the cursor, as they were. */
function restoreTerminal(settings: string): void {
  spawnSync('stty', [settings], { ...STTY, stdio: ['inherit', 'ignore', 'ignore'] });
  if (process.stdout.isTTY) process.stdout.write('\u001B[?25h');
}

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
function treeFamily(leader: number, isLeaderGone: () => boolean): Family {
  const seen = new Map<number, string>();
  const look = (): readonly Listed[] => {
    const all = processes();
    const byParent = new Map<number, Listed[]>();
    for (const one of all) byParent.set(one.parent, [...(byParent.get(one.parent) ?? []), one]);
    const alive = all.filter((one) => (one.pid === leader && !isLeaderGone()) || seen.get(one.pid) === one.start);
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
