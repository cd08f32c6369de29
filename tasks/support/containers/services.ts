import { port, task } from 'taskwright';
import { z } from 'zod';
import { adopt, endpointOf } from '../adopt.ts';
import { checkoutOf, layoutOf } from '../checkout.ts';
import { DATABASES } from '../layout.ts';
import { portsAreFree, volumesFit } from '../preconditions.ts';
import { brokerOf } from '../settings.ts';
import { common, inProject, open, requires } from './scope.ts';

const endpoint = z.object({ host: z.string(), port: z.int() });

/** The services of a checkout for as long as a task needs them. */
export const servicesTask = (use: 'demo' | 'dev') =>
  task({
    summary: 'Database, cache and message queue, for as long as a task needs them.',
    description:
      'What runs already is used and left alone. What does not is started, and removed after the last task that needs it; volumes stay. Alone on a command line it runs until Ctrl-C.',
    input: { ...common, waitLimit: z.int().min(1).default(180).describe('seconds until all must be healthy') },
    ...inProject,
    output: z.object({ database: endpoint.extend({ type: z.enum(DATABASES) }), cache: endpoint, messageQueue: endpoint }),
    requires: requires(use, 'dependencies', [portsAreFree, volumesFit]),
    provides: (scope) => {
      const { ports, brokers } = layoutOf(checkoutOf(scope));
      return [...ports.database, ...Object.values(brokers.rabbitmq.ports).flat()].map((number) => port(number));
    },
    // The body waits itself: it can say which service is at fault, and why.
    service: { ready: {} },
    async run(context) {
      const { input, env, exec, signal, defer, dryRun } = context;
      const layout = layoutOf(checkoutOf(context));
      const broker = brokerOf(layout, env);
      const { settings, dependencies } = await open(context, use, 'dependencies');
      const running = dryRun
        ? []
        : await adopt({
            open: (its) => open({ input, env, invocationDir: context.invocationDir, exec: its }, use, 'dependencies'),
            exec,
            services: dependencies,
            limitMs: input.waitLimit * 1000,
            signal,
            defer,
          });
      const hint = `Copy the dev override, which publishes it (\`tasks override\`), then start anew: \`tasks ${use}.stop\`.`;
      const at = (service: { readonly service: string; readonly port: number }) =>
        dryRun ? { host: '127.0.0.1', port: service.port } : endpointOf(running, service, env.DOCKER_HOST, hint);
      return {
        database: { ...at(layout.services.database), type: settings.INFRAHUB_DB_TYPE },
        cache: at(broker.cache),
        messageQueue: at(broker.messageQueue),
      };
    },
  });
