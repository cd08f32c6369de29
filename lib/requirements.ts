import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { Provision, Requirement, RequirementScope, Unmet } from './task.ts';
import { findProgram } from './util/find-program.ts';
import { canListen } from './util/ports.ts';

/**
 * What a task may require or provide, ready made (R17).
 *
 * An `id` is the same text for the same thing, since a requirement counts as met by the provision with
 * its id, and is looked at once for a whole plan.
 */

/**
 * The id as it is compared: paths made absolute, so that `file('a')` of a task that runs in `b` is
 * `file('b/a')` of one that runs at the root.
 *
 * @internal
 */
export function provisionKey(id: string, cwd: string): string {
  const [, kind, path] = id.match(/^(file|dotenv|writable):(.+)$/s) ?? [];
  return kind !== undefined && path !== undefined ? `${kind}:${resolve(cwd, path)}` : id;
}

/** A requirement of your own. `check` gives what is wrong, or `undefined`. */
export function requirement(id: string, title: string, check: Requirement['check']): Requirement {
  return { id, title, check };
}

export interface ToolOptions {
  /** A semver range: `>=1.5`. Absent: any will do, and the tool is not started. */
  readonly version?: string;
  /** What makes it say its version. Default: `--version`. Given without `version`: it must succeed, as for `docker compose version`. */
  readonly args?: readonly string[];
  /** What to do when it is missing or too old. */
  readonly remedy?: string;
}

/** A program on PATH. */
export function tool(name: string, options: ToolOptions = {}): Requirement {
  const { version, args, remedy } = options;
  const command = [name, ...(args ?? ['--version'])];
  // `docker` and `docker compose` from 2.20 on are two things.
  const id = `tool:${args ? command.join(' ') : name}${version === undefined ? '' : `@${version}`}`;
  return {
    id,
    title: `\`${name}\`${version === undefined ? '' : ` ${version}`}`,
    check: async (scope) => {
      if (!findProgram(name, scope.env, scope.cwd)) return { problem: `\`${name}\` was not found on PATH`, remedy };
      if (version === undefined && !args) return undefined;
      const problem = await problemOfVersion(command, version, scope);
      return problem === undefined ? undefined : { problem, remedy };
    },
  };
}

async function problemOfVersion(
  command: readonly string[],
  wanted: string | undefined,
  scope: RequirementScope,
): Promise<string | undefined> {
  const line = command.join(' ');
  // The folder of a step may not be there yet, and no program starts in one that is not.
  const said = await scope.look(command, { cwd: await nearestFolder(scope.cwd) });
  if (!said.ok) {
    const [why] = (said.stderr.trim() || said.stdout.trim()).split('\n');
    return `\`${line}\` failed with code ${said.exitCode}${why ? `: ${why}` : ''}`;
  }
  if (wanted === undefined) return undefined;
  const found = versionIn(said.stdout) ?? versionIn(said.stderr);
  if (!found) return `\`${line}\` does not say its version; wanted ${wanted}`;
  const { default: semver } = await import('semver');
  // Loose, since tools count in ways of their own: `24.04`.
  const range = semver.validRange(wanted, { loose: true });
  if (range === null) throw new Error(`\`${wanted}\` is no range of versions, such as ">=1.5"`);
  if (semver.satisfies(found.full, range, { includePrerelease: true })) return undefined;
  return `\`${command[0]}\`: found ${found.said}, wanted ${wanted}`;
}

/** The first thing that looks like a version: `1.2`, `v1.2.3`, `2.43.0.windows.1`. */
function versionIn(text: string): { readonly said: string; readonly full: string } | undefined {
  const match = text.match(/(?<![\d.])(\d+)\.(\d+)(?:\.(\d+))?/);
  if (!match) return undefined;
  // Number() drops leading zeros (`24.04`), which semver does not take.
  const [major, minor, patch] = [match[1], match[2], match[3] ?? '0'].map(Number);
  return { said: match[0], full: `${major}.${minor}.${patch}` };
}

/** Something at this path, relative to the step's folder. Provided by a step that makes it. */
export function file(path: string, options: { readonly remedy?: string } = {}): Requirement {
  return {
    id: `file:${path}`,
    title: `\`${path}\``,
    check: async ({ cwd }) => {
      const problem = await problemOfPath(resolve(cwd, path));
      return problem === undefined ? undefined : { problem, remedy: options.remedy };
    },
  };
}

async function problemOfPath(path: string): Promise<string | undefined> {
  try {
    await stat(path);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? `\`${path}\` does not exist` : `\`${path}\` cannot be looked at (${code})`;
  }
}

/** A file of variables that a step writes: those of its users that read it are checked when they start. */
export function dotenv(path: string): Provision {
  return { id: `dotenv:${path}` };
}

/** A folder that can be written to; where it is not there yet, one in which it can be made. */
export function writable(path: string, options: { readonly remedy?: string } = {}): Requirement {
  return {
    id: `writable:${path}`,
    title: `\`${path}\` can be written to`,
    check: async ({ cwd }) => {
      const wanted = resolve(cwd, path);
      const there = await nearestExisting(wanted);
      const info = await stat(there).catch(() => undefined);
      const { remedy } = options;
      if (!info?.isDirectory()) return { problem: `\`${there}\` is not a folder`, remedy };
      try {
        await access(there, constants.W_OK | constants.X_OK);
        return undefined;
      } catch {
        const inOrderTo = there === wanted ? '' : `, so \`${wanted}\` cannot be made`;
        return { problem: `\`${there}\` may not be written to${inOrderTo}`, remedy };
      }
    },
  };
}

async function nearestExisting(path: string): Promise<string> {
  for (let there = path; ; there = dirname(there)) {
    if (there === dirname(there) || (await stat(there).catch(() => undefined))) return there;
  }
}

async function nearestFolder(path: string): Promise<string> {
  for (let there = path; ; there = dirname(there)) {
    if (there === dirname(there) || (await stat(there).catch(() => undefined))?.isDirectory()) return there;
  }
}

export interface PortOptions {
  /** Default: this machine. */
  readonly host?: string;
  readonly remedy?: string;
}

/** A port that accepts connections. Provided by a step that starts what listens there. */
export function port(number: number, options: PortOptions = {}): Requirement {
  const { host, remedy } = options;
  const where = host === undefined ? `port ${number}` : `${host}:${number}`;
  return {
    id: `port:${host === undefined ? '' : `${host}:`}${number}`,
    title: `something answers on ${where}`,
    check: async ({ signal }): Promise<Unmet | undefined> =>
      (await accepts(number, host ?? 'localhost', signal)) ? undefined : { problem: `nothing answers on ${where}`, remedy },
  };
}

/** A port of this machine that nothing listens on yet. */
export function portFree(
  number: number,
  options: { /** What is to listen there: "the server". */ readonly what?: string; readonly remedy?: string } = {},
): Requirement {
  const forWhat = options.what === undefined ? '' : ` (wanted for ${options.what})`;
  return {
    id: `port-free:${number}`,
    title: `port ${number} is free`,
    check: async ({ signal }) => {
      // Both looks are needed: a port of a container can be served without a listener of ours, and a
      // listener on another address of this machine does not answer on localhost.
      const isTaken = (await accepts(number, 'localhost', signal)) || !(await canListen(number));
      return isTaken ? { problem: `port ${number} is taken${forWhat}`, remedy: options.remedy } : undefined;
    },
  };
}

/** Longest wait for an answer, in milliseconds. */
const ANSWER_WITHIN_MS = 2000;

function accepts(number: number, host: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolved) => {
    const socket = connect({ port: number, host, autoSelectFamily: true });
    const end = (answer: boolean): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolved(answer);
    };
    const onAbort = (): void => end(false);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.setTimeout(ANSWER_WITHIN_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
