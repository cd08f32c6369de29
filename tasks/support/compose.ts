import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Exec, Requirement, RunningCommand } from 'taskwright';
import { UserError } from 'taskwright';
import type { Look } from './docker.ts';
import { dockerAccess } from './docker.ts';
import type { Database, Layout } from './layout.ts';
import { layoutOf } from './checkout.ts';
import type { ComposeEnv, ComposeSettings } from './settings.ts';
import { composeSettings, projectName } from './settings.ts';

/** The compose project of a checkout: which files, which variables, which name. */
export type Selection = 'dependencies' | 'everything';

/** Made anew for each call: no list is shared between two. Absolute, whatever folder the user stands in. */
export function composeFiles(checkout: string, layout: Layout, database: Database, selection: Selection): string[] {
  const { compose } = layout;
  const has = (file: string): boolean => existsSync(join(checkout, file));
  const dependencies = compose.dependencies.map((file) => file.replace('{database}', database));
  const files =
    selection === 'dependencies'
      ? [...dependencies, ...(has(compose.devOverride) ? [compose.devOverride] : [])]
      : [...dependencies, compose.server, has(compose.override) ? compose.override : compose.withoutOverride];
  return files;
}

export interface ComposeOptions {
  readonly checkout: string;
  readonly database: Database;
  readonly selection: Selection;
  readonly env: ComposeEnv;
  readonly exec: Exec;
}

export interface Compose {
  readonly project: string;
  readonly settings: ComposeSettings;
  readonly layout: Layout;
  /** `docker compose -f … -p … words`, in the checkout. */
  run(words: readonly string[], options?: ComposeRunOptions): Promise<Awaited<RunningCommand>>;
  /** The same, only looking: silent, also in a dry run. */
  look(words: readonly string[]): Promise<Awaited<RunningCommand>>;
  /** `docker words`, only looking. */
  docker(words: readonly string[]): Promise<Awaited<RunningCommand>>;
}

export interface ComposeRunOptions {
  readonly nothrow?: boolean;
  readonly quiet?: boolean;
}

export async function openCompose({ checkout, database, selection, env, exec }: ComposeOptions): Promise<Compose> {
  const layout = layoutOf(checkout);
  const settings = composeSettings(checkout, layout, database, env);
  const look: Look = (argv) => exec(argv, { readOnly: true, quiet: true, nothrow: true });
  const access = await dockerAccess(look, { INVOKE_SUDO: env.INVOKE_SUDO });
  if (!access.ok) throw new UserError('docker', access.problem, 3, { hint: access.remedy });

  // Sudo drops inherited variables unless it is permitted not to: through `env` they reach docker anyway.
  const isSudo = access.prefix.length > 0;
  const front = isSudo ? [...access.prefix, 'env', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)] : [];
  const files = composeFiles(checkout, layout, database, selection).flatMap((file) => ['-f', file]);
  const line = (words: readonly string[]): string[] => [
    ...front,
    'docker',
    'compose',
    ...files,
    '-p',
    settings.INFRAHUB_BUILD_NAME,
    ...words,
  ];
  const common = { cwd: checkout, ...(!isSudo && { env: { ...settings } }) };
  return {
    project: settings.INFRAHUB_BUILD_NAME,
    settings,
    layout,
    run: async (words, options = {}) => exec(line(words), { ...common, ...options }),
    look: async (words) => exec(line(words), { ...common, readOnly: true, quiet: true, nothrow: true }),
    docker: async (words) => exec([...access.prefix, 'docker', ...words], { readOnly: true, quiet: true, nothrow: true }),
  };
}

/** The files of the selection are there. */
export function composeFilesAreThere(checkout: string, database: Database, selection: Selection): Requirement {
  return {
    id: `compose-files:${checkout}`,
    title: 'the compose files of the checkout',
    check: () => {
      const missing = composeFiles(checkout, layoutOf(checkout), database, selection).filter((file) => !existsSync(join(checkout, file)));
      if (missing.length === 0) return undefined;
      return {
        problem: `missing in the checkout: ${missing.join(', ')}`,
        remedy: 'Run `git status` there: were they removed, or is it another branch?',
      };
    },
  };
}

export const composeFilesId = (checkout: string): string => `compose-files:${checkout}`;
export const portsId = (checkout: string): string => `ports:${checkout}`;

/** The name compose will get is one that it takes. */
export function projectHasName(checkout: string): Requirement {
  return {
    id: `project-name:${checkout}`,
    title: 'a name for the compose project',
    check: ({ env }) => {
      try {
        projectName(checkout, { INFRAHUB_BUILD_NAME: env['INFRAHUB_BUILD_NAME'] || undefined });
        return undefined;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { problem: error.message, ...(error.hint !== undefined && { remedy: error.hint }) };
      }
    },
  };
}

/**
 * The ports that the services publish are free, or held by this project's own containers. `override`
 * decides whether there are any, so a plan that writes it leaves this for the start of its step.
 */
export function portsAreFree(checkout: string, selection: Selection): Requirement {
  return {
    id: portsId(checkout),
    title: 'the ports of the services',
    check: async ({ look, env, root }) => {
      const layout = layoutOf(checkout);
      const publishes = selection === 'everything' || existsSync(join(checkout, layout.compose.devOverride));
      if (!publishes) return undefined;
      const services = selection === 'everything' ? layout.ports.server : layout.ports.dependencies;
      const taken: string[] = [];
      for (const [service, ports] of Object.entries(services)) {
        for (const port of ports) if (await isTaken(port)) taken.push(`${port} (${service})`);
      }
      if (taken.length === 0) return undefined;
      const project = projectName(checkout, { INFRAHUB_BUILD_NAME: env['INFRAHUB_BUILD_NAME'] || undefined });
      const own = await look(['docker', 'ps', '--filter', `label=com.docker.compose.project=${project}`, '--format', '{{.Ports}}'], {
        cwd: root,
      });
      const foreign = taken.filter((text) => !new RegExp(`:${text.split(' ')[0]}->`).test(own.stdout));
      if (foreign.length === 0) return undefined;
      return {
        problem: `${foreign.length === 1 ? 'port' : 'ports'} ${foreign.join(', ')} ${foreign.length === 1 ? 'is' : 'are'} taken by something else`,
        remedy: 'End what holds it (`ss -ltnp` names it), or stop the other compose project.',
      };
    },
  };
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, () => server.close(() => resolve(false)));
  });
}
