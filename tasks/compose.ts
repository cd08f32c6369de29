import type { Task } from 'taskwright';
import { file, task } from 'taskwright';
import { z } from 'zod';
import type { Endpoint } from './support/adopt.ts';
import { adopt, endpointOf } from './support/adopt.ts';
import { openProject } from './support/compose.ts';
import { docker } from './support/docker.ts';

export type { Endpoint } from './support/adopt.ts';

/** An endpoint for each service that was asked for. */
export type Endpoints<Ports extends Readonly<Record<string, number>>> = { readonly [Service in keyof Ports]: Endpoint };

export interface ComposeServiceOptions<Ports extends Readonly<Record<string, number>>> {
  /** Compose files, relative to the root of the config. */
  readonly files: readonly [string, ...string[]];
  /** Name of the compose project. Default: compose's own choice, the folder of the first file. */
  readonly project?: string;
  readonly profile?: string;
  /** The services wanted, each with the port inside its container that its users want. Default: all of the files, and no endpoints. */
  readonly services?: Ports;
  /** Variables that the files read. */
  readonly env?: Readonly<Record<string, string>>;
  /** For lists. */
  readonly summary?: string;
}

export interface ComposeServiceInput {
  /** Seconds until all must be healthy. Default 180. */
  readonly waitLimit?: number | undefined;
}

/**
 * A service task from compose files: it uses what runs already and leaves it alone, starts what does
 * not, waits until all is healthy, and removes what it started after its last user. Volumes stay.
 *
 * ```ts
 * const backing = compose({ files: ['compose.yml'], services: { db: 5432 } });
 * const test = task({ needs: { backing }, run: ({ needs }) => console.log(needs.backing.db.port) });
 * ```
 *
 * Give the task a name before it stands in `needs`: a task is what was declared, so two calls make two
 * services; and TypeScript reads the type of a generic call too late there.
 *
 * It fails where a service does not become healthy, and where a port that is asked for is not published.
 */
export function compose<const Ports extends Readonly<Record<string, number>> = {}>(
  options: ComposeServiceOptions<Ports>,
): Task<ComposeServiceInput, Endpoints<Ports>> {
  const { files, project, profile, services, env = {}, summary } = options;
  const wanted = Object.entries(services ?? {});
  return task({
    summary: summary ?? `The services of ${files.join(', ')}, for as long as a task needs them.`,
    input: { waitLimit: z.int().min(1).default(180).describe('seconds until all must be healthy') },
    env: { INVOKE_SUDO: z.boolean().optional(), DOCKER_HOST: z.string().optional() },
    requires: [docker, ...files.map((name) => file(name))],
    service: { ready: {} },
    async run(context) {
      const { input, root, exec, signal, defer, dryRun } = context;
      const running = dryRun
        ? []
        : await adopt({
            open: (its) =>
              openProject({
                cwd: root,
                files,
                project,
                options: profile === undefined ? [] : ['--profile', profile],
                env,
                docker: context.env,
                exec: its,
              }),
            exec,
            services: wanted.map(([service]) => service),
            limitMs: input.waitLimit * 1000,
            signal,
            defer,
          });
      const endpoints = wanted.map(([service, port]) => {
        const hint = `Publish it in the compose file: \`ports: ["${port}"]\` gives it a free port of this machine.`;
        return [service, dryRun ? { host: '127.0.0.1', port } : endpointOf(running, { service, port }, context.env.DOCKER_HOST, hint)];
      });
      return Object.fromEntries(endpoints) as Endpoints<Ports>;
    },
  });
}
