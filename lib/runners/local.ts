import type { ChildProcess, StdioOptions } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import { findProgram } from '../util/find-program.ts';
import { createTail } from '../util/tail.ts';
import { monotonicMs } from '../util/elapsed.ts';
import type { Command, CommandEnd, CommandTrouble, CommandWatch, Runner, Started } from './runner.ts';
import type { OpenPty } from './pty.ts';
import { loadPty, PTY_PACKAGE } from './pty.ts';
import type { Supervised, Supervisor } from './supervise.ts';
import { createSupervisor } from './supervise.ts';

/**
 * On this machine: zx starts the bash lines of `$`, `spawn` the programs of `exec`; both through the
 * supervisor, which owns their processes.
 *
 * @param load  where pseudo-terminals come from
 */
export function localRunner(load = loadPty): Runner {
  const supervisor = createSupervisor();
  const tools = { supervisor, pty: createPtyAccess(load) };
  return { start: (command, watch) => start(tools, command, watch), close: supervisor.close };
}

/** `set` as a script of one's own would begin; rc files and `BASH_ENV` are not read. */
const BASH = ['--norc', '--noprofile', '-peuo', 'pipefail', '-c'];
/** After the leader is gone, its pipes are read until they have been silent for so long. */
const PIPE_SILENCE_MS = 200;

interface Tools {
  readonly supervisor: Supervisor;
  readonly pty: PtyAccess;
}

function start(tools: Tools, command: Command, watch: CommandWatch): Started {
  const startedAt = monotonicMs();
  const trouble = troubleBefore(command);
  if (trouble) return neverStarted(trouble);

  const capture = createCapture(command);
  let supervised: Supervised | undefined;
  let reason: CommandTrouble | undefined;
  /** Asked to end before the process was there. */
  let early: NodeJS.Signals | undefined;

  const end = (signal: NodeJS.Signals): void => {
    if (supervised) supervised.end(signal);
    else early = signal;
  };
  const endBecause = (why: CommandTrouble): void => {
    if (reason) return;
    reason = why;
    end('SIGTERM');
  };

  const launched = launch(tools, command, watch, (child) => {
    if ('end' in child) supervised = child;
    if (child.pid !== undefined) watch.onStart?.(child.pid);
    if (early && supervised) supervised.end(early);
  });
  const timer =
    command.timeoutMs === undefined
      ? undefined
      : setTimeout(endBecause, command.timeoutMs, { kind: 'timeout', timeoutMs: command.timeoutMs });

  const ended = launched.then(async (child): Promise<CommandEnd> => {
    const read = (stream: 'stdout' | 'stderr', text: string): void => {
      if (!capture.push(stream, text)) endBecause({ kind: 'too-much-output', maxOutputBytes: command.maxOutputBytes });
      watch.onOutput(stream, text);
    };
    const end = command.detached ? await untilSpawned(child) : await untilOver(child, read);
    clearTimeout(timer);
    return { ...end, trouble: reason ?? end.trouble, ...capture.texts(), ms: monotonicMs() - startedAt };
  });
  return {
    get pid() {
      return supervised?.pid;
    },
    ended,
    write: (text) => void launched.then(({ stdin }) => stdin?.writable && stdin.write(text)),
    end,
    sweep: async () => {
      await ended;
      return command.detached ? 0 : ((await supervised?.sweep()) ?? 0);
    },
  };
}

function neverStarted(trouble: CommandTrouble): Started {
  const end: CommandEnd = { code: undefined, signal: undefined, trouble, stdout: '', stderr: '', tail: '', ms: 0 };
  return { pid: undefined, ended: Promise.resolve(end), end: () => {}, sweep: async () => 0 };
}

/** What `spawn` would tell badly: it says ENOENT of the program when the folder is missing. */
function troubleBefore(command: Command): CommandTrouble | undefined {
  if (statSync(command.cwd, { throwIfNoEntry: false })?.isDirectory() !== true) return { kind: 'no-folder', cwd: command.cwd };
  if ('shell' in command.what && bashOf(command.env) === undefined) return { kind: 'no-bash' };
  return undefined;
}

// ── Starting ─────────────────────────────────────────────────────────────────────────────────────

type Launched = ReturnType<Supervisor['start']>;

async function launch(tools: Tools, command: Command, watch: CommandWatch, onSpawn: (child: Launched) => void): Promise<ChildProcess> {
  const env = definedOnly(command.env);
  const size = command.pty;
  const openPty = size && (await tools.pty(watch.onNotice));
  const spawnIt = (wanted: string, words: readonly string[]): ChildProcess => {
    // One that is not there is told best by what starts ordinary programs.
    const terminal = size && findProgram(wanted, env, command.cwd) !== undefined ? openPty?.(size) : undefined;
    const [program, argv] = terminal ? terminal.program(wanted, words) : [wanted, words];
    const launched = tools.supervisor.start(program, argv, {
      cwd: command.cwd,
      env,
      stdio: terminal ? 'ignore' : stdioOf(command),
      isForeground: (command.foreground || command.interactive) && !command.detached && !terminal,
      isDetached: command.detached,
      graceMs: command.graceMs,
    });
    // Whoever waits for it hears of a failure to start by its events; nobody may miss them.
    launched.child.on('error', () => {});
    // A program that reads no further closes its end: that is its own affair.
    launched.child.stdin?.on('error', () => {});
    onSpawn(launched);
    return terminal ? terminal.attach(launched.child) : launched.child;
  };
  if ('argv' in command.what) {
    const [program = '', ...argv] = command.what.argv;
    const child = spawnIt(program, argv);
    if (command.input !== undefined) feed(child, command.input);
    else if (!command.isAnswered) child.stdin?.end();
    return child;
  }
  if (!openPty) return throughZx(command, command.what.shell, spawnIt);
  const child = spawnIt(bashOf(command.env) ?? 'bash', [...BASH, command.what.shell]);
  if (!command.isAnswered) child.stdin?.end();
  return child;
}

/** The pseudo-terminals of a run; that there are none is said once. */
type PtyAccess = (tell: CommandWatch['onNotice']) => Promise<OpenPty | undefined>;

function createPtyAccess(load: typeof loadPty): PtyAccess {
  let isTold = false;
  return async (tell) => {
    const found = await load();
    if ('open' in found) return found.open;
    if (!isTold)
      tell?.(`no pseudo-terminal is to be had, so commands get a pipe: ${found.problem} (\`npm install --save-dev ${PTY_PACKAGE}\`)`);
    isTold = true;
    return undefined;
  };
}

/**
 * zx starts the line, with every option given, so that `ZX_*` variables and its own defaults count for
 * nothing. It stores nothing: output is read here, and bounded.
 */
async function throughZx(
  command: Command,
  line: string,
  spawnIt: (program: string, argv: readonly string[]) => ChildProcess,
): Promise<ChildProcess> {
  const { $, quote } = await import('zx/core');
  const bash = bashOf(command.env) ?? 'bash';
  let child: ChildProcess | undefined;
  const nowhere = { push: () => 0, length: 0, [Symbol.iterator]: () => [][Symbol.iterator]() };
  const options = {
    shell: bash,
    prefix: '',
    postfix: '',
    quote,
    cwd: command.cwd,
    nothrow: true,
    quiet: true,
    verbose: false,
    preferLocal: false,
    detached: false,
    stdio: stdioOf(command),
    store: { stdout: nowhere, stderr: nowhere, stdall: nowhere },
    log: () => {},
    spawn: (text: string) => (child = spawnIt(bash, [...BASH, text])),
    ...(command.input !== undefined && { input: command.input }),
  };
  // The hooks are narrower than zx's types: a line is always started with these same options.
  const promise = $(options as unknown as Parameters<typeof $>[0])([
    line,
  ] as unknown as TemplateStringsArray) as unknown as Promise<unknown>;
  promise.catch(() => {});
  if (!child) throw new Error('zx did not start the command');
  return child;
}

function stdioOf(command: Command): StdioOptions {
  if (command.detached) return 'ignore';
  if (command.interactive) return 'inherit';
  return [command.input === undefined && !command.isAnswered ? 'ignore' : 'pipe', 'pipe', 'pipe'];
}

function feed(child: ChildProcess, input: string | Uint8Array): void {
  child.stdin?.end(input);
}

function definedOnly(env: Command['env']): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The first bash on PATH, absolute: looked for once a PATH. */
const bashes = new Map<string, string | undefined>();
function bashOf(env: Command['env']): string | undefined {
  const path = env['PATH'] ?? '';
  if (!bashes.has(path)) {
    bashes.set(
      path,
      path
        .split(delimiter)
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, process.platform === 'win32' ? 'bash.exe' : 'bash'))
        .find(isExecutable),
    );
  }
  return bashes.get(path);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// ── Reading ──────────────────────────────────────────────────────────────────────────────────────

type RawEnd = Pick<CommandEnd, 'code' | 'signal' | 'trouble'>;

/** Over is a command when its leader is: its pipes, which others may hold, are read a moment longer and closed. */
function untilOver(child: ChildProcess, read: (stream: 'stdout' | 'stderr', text: string) => void): Promise<RawEnd> {
  return new Promise((resolve) => {
    let end: RawEnd | undefined;
    let silence: NodeJS.Timeout | undefined;
    const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
    const closePipes = (): void => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    const listen = (name: 'stdout' | 'stderr', stream: Readable | null): void => {
      stream?.on('data', (chunk: Buffer) => {
        if (silence) silence.refresh();
        const text = decoders[name].write(chunk);
        if (text !== '') read(name, text);
      });
      stream?.on('error', () => {});
    };
    listen('stdout', child.stdout);
    listen('stderr', child.stderr);
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      resolve({ code: undefined, signal: undefined, trouble: whyNotStarted(error, child.spawnfile) });
    });
    child.once('exit', (code, signal) => {
      end = { code: code ?? undefined, signal: signal ?? undefined, trouble: undefined };
      silence = setTimeout(closePipes, PIPE_SILENCE_MS);
    });
    child.once('close', () => {
      clearTimeout(silence);
      if (!end) return;
      for (const name of ['stdout', 'stderr'] as const) {
        const rest = decoders[name].end();
        if (rest !== '') read(name, rest);
      }
      resolve(end);
    });
  });
}

/** It lives on by itself: started is all that is waited for. */
function untilSpawned(child: ChildProcess): Promise<RawEnd> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ code: undefined, signal: undefined, trouble: whyNotStarted(error, child.spawnfile) }),
    );
    child.once('spawn', () => {
      child.unref();
      resolve({ code: 0, signal: undefined, trouble: undefined });
    });
  });
}

function whyNotStarted(error: NodeJS.ErrnoException, program: string): CommandTrouble {
  return error.code === 'ENOENT' ? { kind: 'not-found', program } : { kind: 'not-startable', message: error.message };
}

interface Capture {
  /** False when it is more than there may be. */
  push(stream: 'stdout' | 'stderr', text: string): boolean;
  texts(): Pick<CommandEnd, 'stdout' | 'stderr' | 'tail'>;
}

function createCapture(command: Command): Capture {
  const tail = createTail(200);
  const kept = { stdout: createKeep(command), stderr: createKeep(command) };
  return {
    push(stream, text) {
      tail.push(text);
      return kept[stream].push(text);
    },
    texts: () => ({ stdout: kept.stdout.text(), stderr: kept.stderr.text(), tail: stripVTControlCharacters(tail.text()) }),
  };
}

function createKeep(command: Command): { push(text: string): boolean; text(): string } {
  const chunks: string[] = [];
  let sizeBytes = 0;
  let first = 0;
  return {
    push(text) {
      const bytes = Buffer.byteLength(text);
      if (command.capture === 'whole' && sizeBytes + bytes > command.maxOutputBytes) return false;
      chunks.push(text);
      sizeBytes += bytes;
      while (sizeBytes > command.maxOutputBytes && first < chunks.length - 1) {
        sizeBytes -= Buffer.byteLength(chunks[first] ?? '');
        chunks[first++] = '';
      }
      if (first > 1024) {
        chunks.splice(0, first);
        first = 0;
      }
      return true;
    },
    text: () => stripVTControlCharacters(chunks.slice(first).join('')),
  };
}
