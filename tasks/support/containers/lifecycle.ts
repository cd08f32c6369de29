import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { port, task } from 'taskwright';
import { z } from 'zod';
import { install } from '../../install.ts';
import { checkoutOf, layoutOf } from '../checkout.ts';
import { dockerAccess } from '../docker.ts';
import type { InfrahubProject } from '../infrahub-project.ts';
import { parsedJson } from '../json.ts';
import { LAYOUTS } from '../layouts/index.ts';
import { buildsService, portsAreFree, runningId, volumesFit, volumesFitAll } from '../preconditions.ts';
import { projectName } from '../settings.ts';
import { renderServices, serviceSchema, servicesOf, troubleOf, untilHealthy, withoutIds } from '../services.ts';
import type { Body } from './scope.ts';
import { alone, common, inProject, open, projectOutput, requires } from './scope.ts';

/** Build, start, stop, look: the containers of a checkout as a whole. They outlive the tasks that start them. */
const waiting = { waitLimit: z.int().min(1).default(180).describe('seconds to wait for that') };
const starting = { ...common, wait: z.boolean().default(false).describe('end when all services are healthy'), ...waiting };

interface Starting extends Body {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly input: Body['input'] & { readonly wait: boolean; readonly waitLimit: number };
}

/** `up -d`, and the services as they are then: healthy, when that was asked for. */
async function up(compose: InfrahubProject, { input, dryRun, signal }: Starting) {
  const { wait } = compose.layout.compose;
  const words = input.wait ? wait.map((word) => word.replace('{seconds}', String(input.waitLimit))) : [];
  try {
    await compose.run(['up', '-d', ...words]);
  } catch (error) {
    // Where compose itself waits, what it says of a failure is less than what looking finds out.
    throw (words.length > 0 && (await troubleOf(compose))) || error;
  }
  if (dryRun) return { project: compose.project, services: [] };
  const services = input.wait
    ? await untilHealthy(compose, { limitMs: input.waitLimit * 1000, signal })
    : withoutIds(await servicesOf(compose));
  return { project: compose.project, services };
}

const volumesOf = (project: string): string[] => ['volume', 'ls', '--quiet', '--filter', `label=com.docker.compose.project=${project}`];

const BUILT = [...new Set(LAYOUTS.flatMap((layout) => layout.built))] as [string, ...string[]];

export function lifecycleTasks(use: 'demo' | 'dev') {
  const build = task({
    summary: 'Build the images of the checkout.',
    examples: [`${use}.build`, `${use}.build --python-ver 3.10 --no-cache`],
    input: {
      ...common,
      service: z.enum(BUILT).optional().describe('only this one'),
      pythonVer: z.string().min(1).optional().describe('version of Python; default: PYTHON_VER'),
      cache: z.boolean().default(true).describe('reuse layers that were built before'),
    },
    ...inProject,
    ...alone,
    requires: (scope) => [
      ...requires(use, 'everything')(scope),
      ...(scope.input.service === undefined ? [] : [buildsService(checkoutOf(scope), scope.input.service)]),
    ],
    async run(context) {
      const { input, env } = context;
      // Settings, image name and build argument are of one version.
      const compose = await open({ ...context, env: { ...env, PYTHON_VER: input.pythonVer ?? env.PYTHON_VER } }, use, 'everything');
      await compose.run([
        'build',
        '--build-arg',
        `PYTHON_VER=${compose.settings.PYTHON_VER}`,
        ...(input.cache ? [] : ['--no-cache']),
        ...(input.service === undefined ? [] : [input.service]),
      ]);
    },
  });

  const pull = task({
    summary: 'Pull the images that are not built here: database, message queue, cache.',
    input: common,
    ...inProject,
    ...alone,
    requires: requires(use, 'everything'),
    async run(context) {
      const compose = await open(context, use, 'everything');
      for (const service of compose.dependencies) await compose.run(['pull', service]);
    },
  });

  const destroy = task({
    summary: 'Remove the containers, networks and volumes: their data is lost.',
    examples: use === 'demo' ? ['demo.destroy demo.dev-start', 'demo.destroy --yes'] : ['dev.destroy --yes'],
    input: common,
    ...inProject,
    ...alone,
    output: z.object({ project: z.string(), volumes: z.array(z.string()) }),
    requires: requires(use, 'everything'),
    provides: (scope) => volumesFitAll(checkoutOf(scope)),
    after: [install],
    confirm: async ({ input, invocationDir, look, env, root }) => {
      const folder = checkoutOf({ input, invocationDir });
      // In a plan that makes the checkout first there is nothing yet that could be lost.
      if (!existsSync(folder)) return undefined;
      const access = await dockerAccess((argv) => look(argv, { cwd: root }), env);
      if (!access.ok) return undefined;
      const project = projectName(folder, env);
      const volumes = (await look([...access.prefix, 'docker', ...volumesOf(project)], { cwd: root })).lines();
      return volumes.length === 0 ? undefined : `Remove project ${project} with its data (volumes ${volumes.join(', ')})?`;
    },
    async run(context) {
      const compose = await open(context, use, 'everything');
      const volumes = (await compose.docker(volumesOf(compose.project))).lines();
      await compose.run(['down', '--remove-orphans', '--volumes', '--timeout', '1']);
      return { project: compose.project, volumes };
    },
  });

  const dependencies = task({
    summary: 'Start the services that a local server needs: database, cache, message queue.',
    description: `The containers go on after the task, as docker has it; \`${use}.${use === 'demo' ? 'dev-stop' : 'stop'}\` ends them. With the dev override (\`tasks override\`) their ports are published on this machine, which a local server needs.`,
    examples: use === 'demo' ? ['demo.dev-start --wait', 'demo.dev-start --database memgraph'] : ['dev.deps --wait'],
    input: starting,
    ...inProject,
    ...alone,
    output: projectOutput,
    requires: requires(use, 'dependencies', [portsAreFree, volumesFit]),
    // Ports are published only with the override, which an earlier step may bring.
    provides: (scope) => {
      const { ports, brokers } = layoutOf(checkoutOf(scope));
      return [...ports.database, ...Object.values(brokers.rabbitmq.ports).flat()].map((number) => port(number));
    },
    after: [destroy],
    async run(context) {
      const compose = await open(context, use, 'dependencies');
      const { file } = compose.layout.compose.devOverride;
      if (!existsSync(join(compose.checkout, file))) {
        context.log.warn(`no ${file}: no port is published, so a local server reaches no service (\`tasks override\` makes it)`);
      }
      return up(compose, context);
    },
  });

  const start = task({
    summary: 'Start everything, the server in a container included.',
    examples: [`${use}.start --wait`],
    input: starting,
    ...inProject,
    ...alone,
    output: projectOutput,
    requires: requires(use, 'everything', [portsAreFree, volumesFit]),
    provides: (scope) => [{ id: runningId(checkoutOf(scope)) }],
    after: [destroy],
    async run(context) {
      const compose = await open(context, use, 'everything');
      await warnOfLostPorts(compose, context.log.warn);
      return up(compose, context);
    },
  });

  const debug = task({
    summary: 'Start everything in the foreground, until Ctrl-C.',
    input: common,
    ...inProject,
    requires: requires(use, 'everything', [portsAreFree, volumesFit]),
    after: [destroy],
    interactive: true,
    async run(context) {
      await (await open(context, use, 'everything')).run(['up'], { interactive: true });
    },
  });

  const restart = task({
    summary: 'Restart the server and its workers.',
    input: common,
    ...inProject,
    ...alone,
    requires: requires(use, 'everything'),
    async run(context) {
      const compose = await open(context, use, 'everything');
      await compose.run(['restart', compose.layout.services.server]);
      await compose.run(['restart', compose.layout.services.worker]);
    },
  });

  const stop = task({
    summary: 'Stop the containers; data stays.',
    input: common,
    ...inProject,
    ...alone,
    requires: requires(use, 'everything'),
    async run(context) {
      await (await open(context, use, 'everything')).run(['down']);
    },
  });

  const stopDependencies = task({
    summary: 'Stop what `demo.dev-start` started; data stays.',
    input: common,
    ...inProject,
    ...alone,
    requires: requires(use, 'dependencies'),
    async run(context) {
      await (await open(context, use, 'dependencies')).run(['down']);
    },
  });

  const status = task({
    summary: 'Show the services: state, health, ports.',
    input: common,
    ...inProject,
    output: projectOutput,
    requires: requires(use, 'everything'),
    after: [destroy, dependencies, start],
    async run(context) {
      const compose = await open(context, use, 'everything');
      const services = withoutIds(await servicesOf(compose));
      context.print(renderServices(services));
      return { project: compose.project, services };
    },
  });

  const waitHealthy = task({
    summary: 'Wait until the services are healthy.',
    description: "Only this project's services count, and the wait has a limit.",
    input: {
      ...common,
      ...waiting,
      expected: z.int().min(1).optional().describe('so many healthy services are enough; default: all that run'),
    },
    ...inProject,
    output: z.object({ services: z.array(serviceSchema) }),
    requires: requires(use, 'everything'),
    after: [dependencies, start],
    async run(context) {
      const compose = await open(context, use, 'everything');
      if (context.dryRun) return { services: [] };
      const { input, signal } = context;
      return { services: await untilHealthy(compose, { limitMs: input.waitLimit * 1000, signal, enough: input.expected }) };
    },
  });

  return { build, pull, destroy, dependencies, start, debug, restart, stop, stopDependencies, status, waitHealthy };
}

/**
 * Compose recreates a container whose description changed, and the files of the whole demo do not
 * publish what the dev override does: a local server would lose its services.
 */
async function warnOfLostPorts(compose: InfrahubProject, warn: (text: string) => void): Promise<void> {
  const running = await servicesOf(compose);
  const losing = running.filter((one) => compose.dependencies.includes(one.service) && one.ports.length > 0);
  if (losing.length === 0) return;
  const config = await compose.look(['config', '--format', 'json']);
  const wanted = configSchema.safeParse(parsedJson(config.stdout));
  if (!wanted.success) return;
  const lost = losing.filter((one) => (wanted.data.services[one.service]?.ports ?? []).length === 0).map((one) => one.service);
  if (lost.length > 0) {
    warn(
      `${lost.join(', ')}: recreated without the ports that they have now, so a local server will not reach them (\`tasks demo.dev-start\` brings the ports back)`,
    );
  }
}

const configSchema = z.object({ services: z.record(z.string(), z.object({ ports: z.array(z.unknown()).optional() })) });
