import { UserError } from 'taskwright';
import { z } from 'zod';
import type { Compose } from './compose.ts';

/** The containers of a compose project, as data. */
export const serviceSchema = z.object({
  service: z.string(),
  image: z.string(),
  /** `running`, `exited`, `created` … */
  state: z.string(),
  /** `healthy`, `unhealthy`, `starting`; empty where the service has no check. */
  health: z.string(),
  /** Ports on this machine → ports of the container. */
  ports: z.array(z.object({ published: z.int(), target: z.int() })),
});
export type Service = z.output<typeof serviceSchema>;

const psRow = z.object({
  Service: z.string(),
  ID: z.string().default(''),
  Image: z.string().default(''),
  State: z.string().default(''),
  Health: z.string().default(''),
  Publishers: z.array(z.object({ PublishedPort: z.int(), TargetPort: z.int() })).nullish(),
});

/** What `docker compose ps --format json` says: a JSON array up to 2.20, one object a line since. */
export function parsePs(text: string): (Service & { readonly id: string })[] {
  const trimmed = text.trim();
  if (trimmed === '') return [];
  const rows: unknown = trimmed.startsWith('[') ? JSON.parse(trimmed) : trimmed.split('\n').map((line): unknown => JSON.parse(line));
  return z
    .array(psRow)
    .parse(rows)
    .map((row) => ({
      id: row.ID,
      service: row.Service,
      image: row.Image,
      state: row.State,
      health: row.Health,
      ports: portsOf(row.Publishers ?? []),
    }))
    .toSorted((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : 0));
}

/** Compose names each port once for IPv4 and once for IPv6, and unpublished ones with 0. */
function portsOf(publishers: readonly { readonly PublishedPort: number; readonly TargetPort: number }[]): Service['ports'] {
  const ports = new Map(publishers.filter((one) => one.PublishedPort > 0).map((one) => [one.PublishedPort, one.TargetPort]));
  return [...ports].toSorted(([a], [b]) => a - b).map(([published, target]) => ({ published, target }));
}

export async function servicesOf(compose: Compose): Promise<(Service & { readonly id: string })[]> {
  const said = await compose.look(['ps', '--all', '--format', 'json']);
  if (!said.ok) throw new UserError('compose-ps', '`docker compose ps` failed', 1, { facts: [said.stderr.trim()] });
  return parsePs(said.stdout);
}

export const withoutIds = (services: readonly (Service & { readonly id: string })[]): Service[] =>
  services.map(({ id: _, ...service }) => service);

/** The guide's table. */
export function renderServices(services: readonly Service[]): string {
  if (services.length === 0) return 'no service is running\n';
  const rows = [
    ['SERVICE', 'IMAGE', 'STATE', 'HEALTH', 'PORTS'],
    ...services.map((one) => [
      one.service,
      one.image,
      one.state,
      one.health || '-',
      one.ports.map(({ published, target }) => (published === target ? published : `${published}→${target}`)).join(' ') || '-',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return `${rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

const LOOK_AGAIN_MS = 500;

export interface HealthWait {
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** So many healthy ones will do. Default: all. */
  readonly enough?: number | undefined;
  /** Only these count. Default: all of the project. */
  readonly only?: readonly string[] | undefined;
}

/**
 * Wait until every service runs and those with a check are healthy.
 *
 * @throws {UserError} that names the service at fault, with its last health output and log lines
 */
export async function untilHealthy(compose: Compose, { limitMs, signal, enough, only }: HealthWait): Promise<Service[]> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const services = (await servicesOf(compose)).filter((one) => only?.includes(one.service) ?? true);
    const healthy = services.filter((one) => one.health === 'healthy');
    if (enough !== undefined && healthy.length >= enough) return withoutIds(services);
    const dead = services.find(isDead);
    const late = services.find((one) => one.state !== 'running' || (one.health !== '' && one.health !== 'healthy'));
    const areAll = only?.every((name) => services.some((one) => one.service === name)) ?? services.length > 0;
    if (enough === undefined && !late && areAll) return withoutIds(services);
    const isLate = Date.now() >= deadline;
    if (dead || isLate) throw await notHealthy(compose, dead ?? late ?? services[0], isLate && !dead ? limitMs : undefined);
    await pause(LOOK_AGAIN_MS, signal);
  }
}

const isDead = (one: Service): boolean => one.state === 'exited' || one.state === 'dead' || one.health === 'unhealthy';

/** What is wrong with the first service that is dead; undefined where none is. */
export async function troubleOf(compose: Compose): Promise<UserError | undefined> {
  const dead = (await servicesOf(compose)).find(isDead);
  return dead && notHealthy(compose, dead, undefined);
}

async function notHealthy(
  compose: Compose,
  service: (Service & { readonly id: string }) | undefined,
  limitMs: number | undefined,
): Promise<UserError> {
  if (!service) return new UserError('not-healthy', 'no service runs', 1);
  const how =
    limitMs === undefined
      ? `is ${service.health || service.state}`
      : `was not healthy within ${limitMs / 1000}s: it is ${service.health || service.state}`;
  const health = await compose.docker([
    'inspect',
    '--format',
    '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{"\\n"}}{{end}}{{end}}',
    service.id,
  ]);
  const logs = await compose.look(['logs', '--no-color', '--no-log-prefix', '--tail', '20', service.service]);
  const lastHealth = health.stdout
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-3);
  const lastLines = `${logs.stdout}${logs.stderr}`.trim().split('\n').slice(-20);
  return new UserError('not-healthy', `service \`${service.service}\` ${how}`, 1, {
    facts: [
      ...(lastHealth.length > 0 ? ['its last health output:', ...lastHealth.map((line) => `  ${line}`)] : []),
      'its last log lines:',
      ...lastLines.map((line) => `  ${line}`),
    ],
    hint: `See all of it: docker logs ${service.id.slice(0, 12)}`,
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
