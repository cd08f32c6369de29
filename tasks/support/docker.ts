import type { CommandResult, Requirement, RequirementScope } from 'taskwright';
import { isYes } from './settings.ts';

/** Docker, its engine and compose: one clear message for each way in which they can be missing. */
export type Look = (argv: readonly string[]) => PromiseLike<CommandResult>;

export type DockerAccess =
  /** What stands in front of `docker`: nothing, or `sudo`. */
  { readonly ok: true; readonly prefix: readonly string[] } | { readonly ok: false; readonly problem: string; readonly remedy: string };

/** Docker is asked once whether it needs sudo, however many steps there are. */
const known = new Map<string, Promise<DockerAccess>>();

/** Typed, as a body has them, or as texts. */
export interface DockerVariables {
  readonly DOCKER_HOST?: string | number | boolean | undefined;
  readonly INVOKE_SUDO?: string | number | boolean | undefined;
}

export function dockerAccess(look: Look, variables: DockerVariables, isFresh = false): Promise<DockerAccess> {
  const key = JSON.stringify([variables.DOCKER_HOST || null, String(variables.INVOKE_SUDO ?? '')]);
  const access = (isFresh ? undefined : known.get(key)) ?? askDocker(look, variables);
  known.set(key, access);
  // Only what is well is remembered: what was missing may be there at the next look.
  void access.then((answer) => answer.ok || known.delete(key));
  return access;
}

async function askDocker(look: Look, variables: DockerVariables): Promise<DockerAccess> {
  const wantsSudo = isYes(variables.INVOKE_SUDO);
  const prefix = wantsSudo ? ['sudo'] : [];
  const engine = await look([...prefix, 'docker', 'ps', '--quiet']);
  if (!engine.ok) {
    const refusal = await whyNoEngine(look, engine, (variables.INVOKE_SUDO ?? '') !== '');
    if ('problem' in refusal) return { ok: false, ...refusal };
    prefix.push(...refusal.prefix);
  }
  const compose = await look([...prefix, 'docker', 'compose', 'version', '--short']);
  if (compose.ok) return { ok: true, prefix };
  return {
    ok: false,
    problem: 'docker has no compose plugin: `docker compose version` failed',
    remedy: 'Debian, Ubuntu: apt install docker-compose-v2 or docker-compose-plugin · macOS: Docker Desktop has it',
  };
}

async function whyNoEngine(
  look: Look,
  engine: CommandResult,
  isDecided: boolean,
): Promise<{ readonly problem: string; readonly remedy: string } | { readonly prefix: readonly string[] }> {
  const said = `${engine.stderr}\n${engine.stdout}`;
  if (engine.exitCode === 127) {
    return {
      problem: '`docker` was not found on PATH',
      remedy: 'Debian, Ubuntu: apt install docker.io · macOS: brew install --cask docker',
    };
  }
  if (/denied/i.test(said)) {
    // Without a password only: a question would come in the middle of other output.
    if (!isDecided && (await look(['sudo', '-n', 'docker', 'ps', '--quiet'])).ok) return { prefix: ['sudo'] };
    return {
      problem: 'docker is there, and you are not permitted to use its engine',
      remedy: 'Linux: sudo usermod -aG docker "$USER", and log in again; or set INVOKE_SUDO=1',
    };
  }
  const [first = ''] = said.trim().split('\n');
  return {
    problem: `the Docker engine does not answer: ${first || `docker exited with code ${engine.exitCode}`}`,
    remedy: 'Linux: sudo systemctl start docker · macOS: start Docker Desktop',
  };
}

/** Docker with its engine and compose, usable by us. */
export const docker: Requirement = {
  id: 'docker',
  title: 'Docker with compose',
  check: async (scope: RequirementScope) => {
    const answer = await dockerAccess((argv) => scope.look(argv, { cwd: scope.root }), scope.env, true);
    return answer.ok ? undefined : { problem: answer.problem, remedy: answer.remedy };
  },
};

/** `docker words` for a requirement, with sudo where that is needed; what it says is empty where docker does not answer. */
export async function lookAtDocker(scope: RequirementScope, words: readonly string[]): Promise<CommandResult> {
  const access = await dockerAccess((argv) => scope.look(argv, { cwd: scope.root }), scope.env);
  return scope.look([...(access.ok ? access.prefix : []), 'docker', ...words], { cwd: scope.root });
}
