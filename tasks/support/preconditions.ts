import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Requirement } from 'taskwright';
import { UserError } from 'taskwright';
import { idInCheckout, layoutIn, layoutOf } from './checkout.ts';
import { lookAtDocker } from './docker.ts';
import { composeFiles } from './infrahub-project.ts';
import type { Database, Layout, Selection, Use } from './layout.ts';
import { DATABASES } from './layout.ts';
import { brokerOf, composeSettings, databaseOf, projectName } from './settings.ts';

/** What must hold before anything is done with the containers of a checkout. */
export interface Subject {
  readonly checkout: string;
  readonly use: Use;
  readonly selection: Selection;
  readonly database: Database | undefined;
}

/** The files of the selection are there. */
export function composeFilesAreThere({ checkout, use, selection, database }: Subject): Requirement {
  return {
    id: idInCheckout(checkout, `compose-files/${use}/${selection}/${database ?? 'default'}`),
    title: 'the compose files of the checkout',
    check: ({ env }) => {
      const layout = layoutIn(checkout);
      // Where no checkout is, that has been said, and is all there is to say.
      if (!layout) return undefined;
      const missing = composeFiles({ checkout, layout, use, database }, selection, env).filter((file) => !existsSync(join(checkout, file)));
      if (missing.length === 0) return undefined;
      return {
        problem: `missing in the checkout: ${missing.join(', ')}`,
        remedy: 'Run `git status` there: were they removed, or is it another branch?',
      };
    },
  };
}

/** The name compose will get is one that it takes. */
export function projectHasName(checkout: string): Requirement {
  return {
    id: `project-name:${checkout}`,
    title: 'a name for the compose project',
    check: ({ env }) => {
      try {
        projectName(checkout, env);
        return undefined;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { problem: error.message, ...(error.hint !== undefined && { remedy: error.hint }) };
      }
    },
  };
}

/** The checkout has this service, and builds it. */
export function buildsService(checkout: string, service: string): Requirement {
  return {
    id: idInCheckout(checkout, `builds/${service}`),
    title: `service \`${service}\` of the checkout`,
    check: () => {
      const layout = layoutOf(checkout);
      if (layout.built.includes(service)) return undefined;
      return {
        problem: `a checkout of ${layout.name} builds no service \`${service}\``,
        remedy: `It builds ${layout.built.join(' and ')}.`,
      };
    },
  };
}

export const portsId = (checkout: string, selection: Selection): string => `ports:${selection}:${checkout}`;

/**
 * The ports that the services publish are free, or held by this project's own containers. The dev
 * override decides whether there are any, so a plan that writes it leaves this for the start of its step.
 */
export function portsAreFree({ checkout, selection }: Subject): Requirement {
  return {
    id: portsId(checkout, selection),
    title: 'the ports of the services',
    check: async (scope) => {
      const layout = layoutOf(checkout);
      const publishes = selection === 'everything' || existsSync(join(checkout, layout.compose.devOverride.file));
      if (!publishes) return undefined;
      const services =
        selection === 'everything'
          ? { [layout.services.server]: layout.ports.server }
          : { [layout.services.database.service]: layout.ports.database, ...brokerOf(layout, scope.env).ports };
      const taken: { readonly port: number; readonly service: string }[] = [];
      for (const [service, ports] of Object.entries(services)) {
        for (const port of ports) if (await isTaken(port)) taken.push({ port, service });
      }
      if (taken.length === 0) return undefined;
      const own = await lookAtDocker(scope, ['ps', ...ofProject(projectName(checkout, scope.env)), '--format', '{{.Ports}}']);
      const foreign = taken.filter(({ port }) => !own.stdout.includes(`:${port}->`));
      if (foreign.length === 0) return undefined;
      return {
        problem: `${foreign.length === 1 ? 'port' : 'ports'} ${foreign.map(({ port, service }) => `${port} (${service})`).join(', ')} ${foreign.length === 1 ? 'is' : 'are'} taken by something else`,
        remedy: 'End what holds it (`ss -ltnp` names it), or stop the other compose project.',
      };
    },
  };
}

export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(true));
    server.listen(port, () => server.close(() => resolve(false)));
  });
}

const ofProject = (project: string): string[] => ['--filter', `label=com.docker.compose.project=${project}`];
const ofService = (service: string): string[] => ['--filter', `label=com.docker.compose.service=${service}`];

export const runningId = (checkout: string): string => `running:${checkout}`;

/** The server of the project runs: what is done inside it, or with it, has no sense before. */
export function serverRuns({ checkout, use }: Subject): Requirement {
  return {
    id: runningId(checkout),
    title: 'the running server of the demo',
    check: async (scope) => {
      const { server } = layoutOf(checkout).services;
      const project = projectName(checkout, scope.env);
      const said = await lookAtDocker(scope, ['ps', ...ofProject(project), ...ofService(server), '--quiet']);
      if (said.text() !== '') return undefined;
      return { problem: `service \`${server}\` of project ${project} does not run`, remedy: `Run \`tasks ${use}.start --wait\`.` };
    },
  };
}

export const volumesId = (checkout: string, database: Database | undefined): string => `volumes:${database ?? 'default'}:${checkout}`;

/** Once destroyed, the volumes fit whatever comes. */
export const volumesFitAll = (checkout: string): { readonly id: string }[] =>
  [...DATABASES, undefined].map((database) => ({ id: volumesId(checkout, database) }));

/**
 * The volumes do not hold the other database's data: both databases keep theirs in volumes of the same
 * names, and one started on the other's files fails in ways that do not say so.
 */
export function volumesFit({ checkout, use, database }: Subject): Requirement {
  return {
    id: volumesId(checkout, database),
    title: 'volumes with no other data than that of the database',
    check: async (scope) => {
      const layout = layoutOf(checkout);
      const wanted = databaseOf(database, scope.env);
      const settings = composeSettings({ checkout, layout, use, database }, scope.env);
      const volume = `${settings.INFRAHUB_BUILD_NAME}_${layout.volumes.database}`;
      const there = await lookAtDocker(scope, ['volume', 'ls', '--quiet', '--filter', `name=^${volume}$`]);
      if (!there.ok || there.text() === '') return undefined;
      // A container that is there tells by its image. Without one, its data does: only an image that is
      // here already is used for looking, and nothing but `ls` is started in it.
      const service = [...ofProject(settings.INFRAHUB_BUILD_NAME), ...ofService(layout.services.database.service)];
      const image = (await lookAtDocker(scope, ['ps', '--all', ...service, '--format', '{{.Image}}'])).text();
      const mount = ['--mount', `type=volume,source=${volume},target=/data,readonly`];
      const alone = ['run', '--rm', '--pull', 'never', '--network', 'none', '--entrypoint', 'ls'];
      const held =
        DATABASES.find((one) => image.includes(one)) ??
        databaseWith(layout, (await lookAtDocker(scope, [...alone, ...mount, settings.DATABASE_DOCKER_IMAGE, '/data'])).lines());
      if (held === undefined || held === wanted) return undefined;
      return {
        problem: `volume ${volume} holds the data of ${held}, and ${wanted} cannot use it`,
        remedy: `Go on with it: \`--database ${held}\`; or remove it, with all its data: \`tasks ${use}.destroy\`.`,
      };
    },
  };
}

const databaseWith = (layout: Layout, files: readonly string[]): Database | undefined =>
  DATABASES.find((one) => files.some((name) => layout.databases[one].dataFiles.includes(name)));
