import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { port, task } from 'taskwright';
import type { Exec } from 'taskwright';
import { z } from 'zod';
import { install } from './install.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import type { Compose, Selection } from './support/compose.ts';
import { composeFilesAreThere, openCompose, portsAreFree, projectHasName } from './support/compose.ts';
import { docker, dockerAccess } from './support/docker.ts';
import type { Database } from './support/layout.ts';
import type { ComposeEnv } from './support/settings.ts';
import { composeEnv, databaseInput, projectName } from './support/settings.ts';
import { renderServices, serviceSchema, servicesOf, untilHealthy, withoutIds } from './support/services.ts';

/** The demo's containers, as compose projects of a checkout. They outlive the tasks that start them. */
const common = { infrahub: infrahubInput, database: databaseInput };
const starting = {
  ...common,
  wait: z.boolean().default(false).describe('end when all services are healthy'),
  waitLimit: z.int().min(1).default(180).describe('seconds to wait for that'),
};

interface Scope {
  readonly input: { readonly infrahub?: string | undefined; readonly database: Database };
  readonly invocationDir: string;
}

const requires =
  (selection: Selection, more: readonly 'ports'[] = []) =>
  (scope: Scope) => {
    const folder = checkoutOf(scope);
    return [
      checkout(folder),
      docker,
      projectHasName(folder),
      composeFilesAreThere(folder, scope.input.database, selection),
      ...(more.includes('ports') ? [portsAreFree(folder, selection)] : []),
    ];
  };

interface Body extends Scope {
  readonly env: ComposeEnv;
  readonly exec: Exec;
}

const open = (context: Body, selection: Selection): Promise<Compose> =>
  openCompose({ checkout: checkoutOf(context), database: context.input.database, selection, env: context.env, exec: context.exec });

const output = z.object({ project: z.string(), services: z.array(serviceSchema) });

/** What a start ends with: the services as they are, healthy when that was asked for. */
async function started(
  compose: Compose,
  context: Body & {
    readonly dryRun: boolean;
    readonly signal: AbortSignal;
    readonly input: { readonly wait: boolean; readonly waitLimit: number };
  },
) {
  if (context.dryRun) return { project: compose.project, services: [] };
  const services = context.input.wait
    ? await untilHealthy(compose, context.input.waitLimit * 1000, context.signal)
    : withoutIds(await servicesOf(compose));
  return { project: compose.project, services };
}

export const destroy = task({
  summary: 'Remove the containers, networks and volumes of the demo: its data is lost.',
  examples: ['demo.destroy demo.dev-start', 'demo.destroy --yes'],
  input: common,
  env: composeEnv,
  output: z.object({ project: z.string(), volumes: z.array(z.string()) }),
  cwd: inCheckout,
  requires: requires('everything'),
  after: [install],
  confirm: async ({ input, invocationDir, look, env, root }) => {
    const folder = checkoutOf({ input, invocationDir });
    // In a plan that makes the checkout first there is nothing yet that could be lost.
    if (!existsSync(folder)) return undefined;
    const access = await dockerAccess((argv) => look(argv, { cwd: root }), env);
    if (!access.ok) return undefined;
    const project = projectName(folder, { INFRAHUB_BUILD_NAME: env['INFRAHUB_BUILD_NAME'] || undefined });
    const volumes = (await look([...access.prefix, ...volumesOf(project)], { cwd: root })).lines();
    return volumes.length === 0 ? undefined : `Remove project ${project} with its data (volumes ${volumes.join(', ')})?`;
  },
  async run(context) {
    const compose = await open(context, 'everything');
    const volumes = (await compose.docker(volumesOf(compose.project).slice(1))).lines();
    await compose.run(['down', '--remove-orphans', '--volumes', '--timeout', '1']);
    return { project: compose.project, volumes };
  },
});

const volumesOf = (project: string): string[] => [
  'docker',
  'volume',
  'ls',
  '--quiet',
  '--filter',
  `label=com.docker.compose.project=${project}`,
];

export const devStart = task({
  summary: 'Start the services that a local server needs: database, cache, message queue.',
  description:
    'The containers go on after the task, as docker has it; `demo.dev-stop` ends them. With the dev override (`tasks override`) their ports are published on this machine, which a local server needs.',
  examples: ['demo.dev-start --wait', 'demo.dev-start --database memgraph'],
  input: starting,
  env: composeEnv,
  output,
  cwd: inCheckout,
  requires: requires('dependencies', ['ports']),
  // Ports are published only with the override, which an earlier step may bring.
  provides: ({ input, invocationDir }) => {
    const { ports } = layoutOf(checkoutOf({ input, invocationDir }));
    return Object.values(ports.dependencies).flatMap((list) => list.map((number) => port(number)));
  },
  after: [destroy],
  async run(context) {
    const compose = await open(context, 'dependencies');
    const override = compose.layout.compose.devOverride;
    if (!existsSync(join(checkoutOf(context), override))) {
      context.log.warn(`no ${override}: no port is published, so a local server reaches no service (\`tasks override\` makes it)`);
    }
    await compose.run(['up', '-d']);
    return started(compose, context);
  },
});

export const devStop = task({
  summary: 'Stop what `demo.dev-start` started; data stays.',
  input: common,
  env: composeEnv,
  cwd: inCheckout,
  requires: requires('dependencies'),
  async run(context) {
    await (await open(context, 'dependencies')).run(['down']);
  },
});

export const start = task({
  summary: 'Start the whole demo, the server in a container included.',
  examples: ['demo.start --wait'],
  input: starting,
  env: composeEnv,
  output,
  cwd: inCheckout,
  requires: requires('everything', ['ports']),
  after: [destroy],
  async run(context) {
    const compose = await open(context, 'everything');
    await compose.run(['up', '-d']);
    return started(compose, context);
  },
});

export const stop = task({
  summary: 'Stop the demo; data stays.',
  input: common,
  env: composeEnv,
  cwd: inCheckout,
  requires: requires('everything'),
  async run(context) {
    await (await open(context, 'everything')).run(['down']);
  },
});

export const status = task({
  summary: 'Show the services of the demo: state, health, ports.',
  input: common,
  env: composeEnv,
  output,
  cwd: inCheckout,
  requires: requires('everything'),
  after: [destroy, devStart, start],
  async run(context) {
    const compose = await open(context, 'everything');
    const services = withoutIds(await servicesOf(compose));
    context.print(renderServices(services));
    return { project: compose.project, services };
  },
});
