import type { CommandOptions, CommandResult, Exec } from 'taskwright';
import { UserError } from 'taskwright';
import type { DockerVariables, Look } from './docker.ts';
import { dockerAccess } from './docker.ts';

/** `docker compose` on one project, whoever's it is. */
export interface ComposeProject {
  /** Where the files are named from. */
  readonly cwd: string;
  /** In the order of `-f`. */
  readonly files: readonly string[];
  /** Its name. Absent: compose's own choice. */
  readonly project?: string | undefined;
  /** Words that stand before all others: `--profile demo`. */
  readonly options?: readonly string[];
  /** Variables that the files read. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where docker is, and whether it is called through sudo. */
  readonly docker: DockerVariables;
  readonly exec: Exec;
}

export interface Compose {
  readonly project: string | undefined;
  /** `docker compose … words`, in the project's folder. */
  run(words: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** The same, only looking: silent, also in a dry run. */
  look(words: readonly string[]): Promise<CommandResult>;
  /** `docker words`, only looking. */
  docker(words: readonly string[]): Promise<CommandResult>;
}

const LOOKING = { readOnly: true, quiet: true, nothrow: true } as const;

/** @throws {UserError} where docker, its engine or compose is missing */
export async function openProject({ cwd, files, project, options = [], env = {}, docker, exec }: ComposeProject): Promise<Compose> {
  const look: Look = (argv) => exec(argv, LOOKING);
  const access = await dockerAccess(look, docker);
  if (!access.ok) throw new UserError('docker', access.problem, 3, { hint: access.remedy });

  // Sudo drops inherited variables unless it is permitted not to: through `env` they reach docker anyway.
  const isSudo = access.prefix.length > 0;
  const front = isSudo ? [...access.prefix, 'env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)] : [];
  const head = [
    ...front,
    'docker',
    'compose',
    ...options,
    ...files.flatMap((file) => ['-f', file]),
    ...(project === undefined ? [] : ['-p', project]),
  ];
  const place = isSudo ? { cwd } : { cwd, env };
  return {
    project,
    run: async (words, more = {}) => exec([...head, ...words], { ...place, ...more }),
    look: async (words) => exec([...head, ...words], { ...place, ...LOOKING }),
    docker: async (words) => exec([...access.prefix, 'docker', ...words], LOOKING),
  };
}
