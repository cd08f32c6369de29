import type { DeferContext, Exec } from 'taskwright';
import { UserError } from 'taskwright';
import type { Compose } from './compose.ts';
import type { Service } from './services.ts';
import { servicesOf, untilHealthy } from './services.ts';

/** Services of a compose project for as long as somebody needs them: what ran already is left as it was. */
export interface Adoption {
  /** Opened again for clean-up, whose commands a stop does not end. */
  readonly open: (exec: Exec) => Promise<Compose>;
  readonly exec: Exec;
  /** Names of services. Empty: all of the project. */
  readonly services: readonly string[];
  readonly limitMs: number;
  readonly signal: AbortSignal;
  readonly defer: (cleanUp: (context: DeferContext) => unknown) => void;
}

/**
 * Start those that do not run, wait until all are healthy, and end what was started when the step ends.
 *
 * @throws {UserError} that names the service which did not become healthy
 */
export async function adopt({ open, exec, services, limitMs, signal, defer }: Adoption): Promise<readonly Service[]> {
  const compose = await open(exec);
  const before = await servicesOf(compose);
  const names = services.length > 0 ? services : await namesOf(compose);
  const missing = names.filter((name) => !before.some((one) => one.service === name && one.state === 'running'));
  if (missing.length > 0) {
    // Before the first is started: a stop in the middle ends what there is.
    defer(async (context) => {
      const later = await open(context.exec);
      const after = await servicesOf(later);
      const made = after.filter((one) => !before.some((old) => old.id === one.id));
      const woken = after.filter((one) => before.some((old) => old.id === one.id && old.state !== 'running') && one.state === 'running');
      if (made.length > 0) await later.run(['rm', '--stop', '--force', '--volumes', ...distinct(made)], { quiet: true });
      if (woken.length > 0) await later.run(['stop', ...distinct(woken)], { quiet: true });
      // With the last container goes the network. Volumes stay, as with `docker compose down`.
      if (made.length === after.length) await later.run(['down'], { quiet: true });
    });
    await compose.run(['up', '-d', '--no-recreate', ...missing]);
  }
  return untilHealthy(compose, { limitMs, signal, only: names });
}

const distinct = (services: readonly Service[]): string[] => [...new Set(services.map((one) => one.service))];

async function namesOf(compose: Compose): Promise<readonly string[]> {
  const said = await compose.look(['config', '--services']);
  if (!said.ok) throw new UserError('compose-config', '`docker compose config` failed', 1, { facts: said.stderr.trim().split('\n') });
  return said.lines();
}

/** Where a service is reached from this machine. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws {UserError} for a port that is not published */
export function endpointOf(
  services: readonly Service[],
  { service, port }: { readonly service: string; readonly port: number },
  dockerHost: string | undefined,
  hint: string,
): Endpoint {
  const published = services.filter((one) => one.service === service).flatMap((one) => one.ports);
  const found = published.find((one) => one.target === port);
  if (found) return { host: hostOf(dockerHost), port: found.published };
  const others = published.map((one) => `${one.published} → ${one.target}`).join(', ');
  throw new UserError('not-published', `port ${port} of service \`${service}\` is not published on this machine`, 1, {
    facts: [others === '' ? 'it publishes no port' : `it publishes ${others}`],
    hint,
  });
}

/** Containers are reached where the engine is. */
function hostOf(dockerHost: string | undefined): string {
  const remote = dockerHost?.match(/^(?:tcp|ssh|https?):\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^:/]+)/)?.[1];
  return remote?.replace(/^\[(.*)\]$/, '$1') ?? '127.0.0.1';
}
