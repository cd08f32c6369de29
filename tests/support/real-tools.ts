import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

/** The real programs, and the built command line. */
export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = join(REPOSITORY, 'dist/lib/bin.cjs');

const has = (command: string, argv: readonly string[]): boolean => spawnSync(command, argv, { stdio: 'ignore' }).status === 0;

const PROBES: Readonly<Record<string, () => boolean>> = {
  docker: () => has('docker', ['ps']) && has('docker', ['compose', 'version']) && has('docker', ['image', 'inspect', 'redis:7.2']),
  poetry: () => has('poetry', ['--version']),
  ruff: () => has('ruff', ['--version']),
  yamllint: () => has('yamllint', ['--version']),
  direnv: () => has('direnv', ['version']),
  invoke: () => has('invoke', ['--version']),
  bash: () => has('bash', ['--version']),
  zsh: () => has('zsh', ['--version']),
  fish: () => has('fish', ['--version']),
  vim: () => spawnSync('vi', ['--version'], { encoding: 'utf8' }).stdout?.includes('VIM') ?? false,
};

/** A test that needs these tools. Where they are required (CI) a missing one is a failure, else a skip. */
export function testWith(tools: readonly string[]): typeof test {
  const missing = tools.filter((tool) => PROBES[tool]?.() !== true);
  if (missing.length === 0) return test;
  if (process.env['TASKWRIGHT_REQUIRE_TOOLS']) throw new Error(`missing here, and required: ${missing.join(', ')}`);
  return test.skip as unknown as typeof test;
}

/** The compose project of these tests, which no other run of ours has. */
export const PROJECT = 'taskwright-integration';
export const ENV: NodeJS.ProcessEnv = { ...process.env, INFRAHUB_BUILD_NAME: PROJECT };

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line as a process of its own, in a pipe. */
export function tasks(
  argv: readonly string[],
  place: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...argv], {
      cwd: place.cwd,
      env: { ...ENV, ...place.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** What docker has of a compose project: containers, volumes, networks. */
export function leftOf(project: string): string[] {
  const filter = ['--filter', `label=com.docker.compose.project=${project}`, '--quiet'];
  return [
    ['container', 'ls', '--all'],
    ['volume', 'ls'],
    ['network', 'ls'],
  ].flatMap((words) =>
    execFileSync('docker', [...words, ...filter], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean),
  );
}

/**
 * The volumes without a name that containers of `project` use now. `docker compose down` leaves them behind, as docker has it,
 * and nothing on them tells whose they were: what a test starts and stops, it looks up in between.
 */
export function namelessVolumesOf(project: string): string[] {
  const words = ['ps', '--all', '--quiet', '--no-trunc', '--filter', `label=com.docker.compose.project=${project}`];
  const containers = execFileSync('docker', words, { encoding: 'utf8' }).split('\n').filter(Boolean);
  if (containers.length === 0) return [];
  const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{println .Name}}{{end}}{{end}}';
  return execFileSync('docker', ['inspect', '--format', format, ...containers], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => /^[0-9a-f]{64}$/.test(name));
}
