import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from 'taskwright';
import { z } from 'zod';
import { layoutIn } from './checkout.ts';
import type { DockerAccess } from './docker.ts';
import { guideVariables } from './guide-settings.ts';
import type { Layout } from './layout.ts';
import { isTaken } from './preconditions.ts';
import type { Service } from './services.ts';
import { usesAutoflake } from './tools.ts';

/** What the guide needs of a machine, one finding each: pure judgements of what was looked at elsewhere. */
export const findingSchema = z.object({
  area: z.enum(['tool', 'checkout', 'setting', 'service', 'port', 'space']),
  what: z.string(),
  /** As found, in words; null where it is not there. */
  found: z.string().nullable(),
  wanted: z.string(),
  ok: z.boolean(),
  /** The guide cannot be walked without it. */
  needed: z.boolean(),
  /** What to do, by what does it. */
  remedy: z.object({ apt: z.string().optional(), brew: z.string().optional(), pipx: z.string().optional(), run: z.string().optional() }),
});
export type Finding = z.output<typeof findingSchema>;
type Remedy = Finding['remedy'];

export interface Tool {
  readonly what: string;
  readonly argv: readonly [string, ...string[]];
  /** `>=1.2`, `>=3.8 <3.12`; absent: any. */
  readonly range?: string;
  readonly needed: boolean;
  readonly remedy: Remedy;
}

/** The programs of the guide, for a checkout of this layout. */
export function toolsOf(layout: Layout, folder: string): readonly Tool[] {
  const inPoetry = (name: string): Remedy => ({ pipx: name, run: 'poetry install, and poetry shell' });
  const linter = (name: string): Tool => ({ what: name, argv: [name, '--version'], needed: false, remedy: inPoetry(name) });
  return [
    { what: 'git', argv: ['git', '--version'], range: '>=2.23', needed: true, remedy: { apt: 'git', brew: 'git' } },
    {
      what: 'python3',
      argv: ['python3', '--version'],
      range: layout.python.range,
      needed: true,
      remedy: { run: `pyenv install ${layout.python.version}`, brew: `python@${layout.python.version}` },
    },
    {
      what: 'poetry',
      argv: ['poetry', '--version'],
      range: '>=1.2',
      needed: true,
      remedy: { pipx: 'poetry', apt: 'python3-poetry', brew: 'poetry' },
    },
    { what: 'ruff', argv: ['ruff', '--version'], needed: true, remedy: { pipx: 'ruff', brew: 'ruff' } },
    { what: 'yamllint', argv: ['yamllint', '--version'], needed: true, remedy: { apt: 'yamllint', pipx: 'yamllint', brew: 'yamllint' } },
    { what: 'autoflake', argv: ['autoflake', '--version'], needed: usesAutoflake(folder), remedy: inPoetry('autoflake') },
    linter('pylint'),
    linter('mypy'),
    { what: 'direnv', argv: ['direnv', 'version'], needed: false, remedy: { apt: 'direnv', brew: 'direnv' } },
  ];
}

export function judgeTool({ what, range, needed, remedy }: Tool, said: CommandResult): Finding {
  const version = said.ok ? (`${said.stdout}${said.stderr}`.match(/\d+(\.\d+)+/)?.[0] ?? 'some version') : null;
  const ok = version !== null && (range === undefined || isIn(range, version));
  return { area: 'tool', what, found: version, wanted: range ?? 'any version', ok, needed, remedy: ok ? {} : remedy };
}

/** Whether a version such as `3.11.2` is in a range such as `>=3.8 <3.12`. */
function isIn(range: string, version: string): boolean {
  return range.split(' ').every((bound) => {
    const [, operator = '', wanted = ''] = bound.match(/^(>=|<)(.+)$/) ?? [];
    const order = compareVersions(version, wanted);
    return operator === '<' ? order < 0 : order >= 0;
  });
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((one) => one.split('.').map(Number));
  for (const [position, number] of (right ?? []).entries()) {
    const difference = (left?.[position] ?? 0) - number;
    if (difference !== 0) return difference;
  }
  return 0;
}

export function judgeDocker(access: DockerAccess, version: string | null): Finding {
  return {
    area: 'tool',
    what: 'docker compose',
    found: access.ok ? version : null,
    wanted: 'an engine that answers, and compose',
    ok: access.ok,
    needed: true,
    remedy: access.ok ? {} : { run: `${access.problem}; ${access.remedy}`, apt: 'docker.io docker-compose-v2', brew: '--cask docker' },
  };
}

export function judgeCheckout(folder: string): Finding {
  const layout = layoutIn(folder);
  return {
    area: 'checkout',
    what: 'checkout',
    found: layout ? `${folder} (${layout.name})` : null,
    wanted: 'a checkout of Infrahub',
    ok: layout !== undefined,
    // The guide clones one.
    needed: false,
    remedy: layout ? {} : { run: 'tasks clone; or name yours: --infrahub DIR' },
  };
}

/** The settings, where there is a file of them or a variable is set: without either the guide writes the file. */
export function judgeSettings(folder: string, layout: Layout, text: (name: string) => string | undefined): Finding[] {
  const files = [layout.settingsFile, '.env'].filter((name) => existsSync(join(folder, name)));
  const names = Object.keys(guideVariables) as (keyof typeof guideVariables)[];
  if (files.length === 0 && names.every((name) => text(name) === undefined)) {
    const file = { area: 'setting' as const, what: layout.settingsFile, found: null, wanted: 'the settings of the guide', needed: false };
    return [{ ...file, ok: false, remedy: { run: 'tasks env.init' } }];
  }
  return names.map((name) => {
    const schema: z.ZodType = guideVariables[name];
    const given = text(name);
    const parsed = given === undefined ? undefined : schema.safeParse(asValue(given));
    const problem = parsed?.success === false ? (parsed.error.issues[0]?.message ?? 'wrong') : undefined;
    const isSecret = schema.meta()?.secret === true;
    return {
      area: 'setting',
      what: name,
      found: given === undefined ? null : isSecret ? '***' : given,
      wanted: problem ?? schema.description ?? 'set',
      ok: parsed?.success === true,
      needed: true,
      remedy: parsed?.success === true ? {} : { run: 'tasks env.init --force writes all nine; tasks env.check tells more' },
    };
  });
}

/** A variable's text, as a value of the schemas that the settings have. */
const asValue = (text: string): unknown => (/^(true|false)$/.test(text) ? text === 'true' : /^\d{1,5}$/.test(text) ? Number(text) : text);

/** Services that run must be healthy; those that do not are started by the guide. */
export function judgeServices(names: readonly string[], services: readonly Service[]): Finding[] {
  return names.map((name) => {
    const one = services.find((service) => service.service === name);
    const state = one?.health || one?.state;
    const ok = one === undefined || state === 'healthy' || state === 'running' || state === 'starting';
    return {
      area: 'service',
      what: name,
      found: state ?? null,
      wanted: 'healthy, or not started yet',
      ok,
      needed: true,
      remedy: ok ? {} : { run: `docker compose logs ${name}; tasks demo.destroy demo.dev-start --wait` },
    };
  });
}

/** @param ownPorts  what the project's own containers publish */
export async function judgePorts(ports: Readonly<Record<string, readonly number[]>>, ownPorts: readonly number[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [service, list] of Object.entries(ports)) {
    for (const port of list) {
      const isOwn = ownPorts.includes(port);
      const ok = isOwn || !(await isTaken(port));
      findings.push({
        area: 'port',
        what: `${port} (${service})`,
        found: isOwn ? 'held by this project' : ok ? 'free' : 'taken by something else',
        wanted: 'free',
        ok,
        needed: true,
        remedy: ok ? {} : { run: `end what holds it: ss -ltnp 'sport = :${port}'` },
      });
    }
  }
  return findings;
}

const GIB = 2 ** 30;
/** The images of services and server, an environment of Python, and room for data: by experience, not by a rule. */
const WANTED_DISK_GIB = 5;
const WANTED_MEMORY_GIB = 4;

/** @param folders  existing ones, by what is kept there */
export async function judgeSpace(folders: Readonly<Record<string, string>>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [what, folder] of Object.entries(folders)) {
    const free = await statfs(folder).then(
      ({ bavail, bsize }) => (bavail * bsize) / GIB,
      () => undefined,
    );
    // The engine may keep its files where we may not look, or on another machine.
    if (free === undefined) continue;
    const ok = free >= WANTED_DISK_GIB;
    findings.push({
      area: 'space',
      what: `disk for ${what}`,
      found: `${free.toFixed(1)} GiB free in ${folder}`,
      wanted: `${WANTED_DISK_GIB} GiB free`,
      ok,
      needed: true,
      remedy: ok ? {} : { run: 'docker system df shows what docker keeps; docker system prune removes what is unused' },
    });
  }
  const memory = totalmem() / GIB;
  const wanted = `${WANTED_MEMORY_GIB} GiB`;
  const ok = memory >= WANTED_MEMORY_GIB - 0.5;
  findings.push({
    area: 'space',
    what: 'memory',
    found: `${memory.toFixed(1)} GiB`,
    wanted,
    ok,
    needed: false,
    remedy: ok ? {} : { run: 'close what else runs' },
  });
  return findings;
}

/** What to type on this platform, best first. */
export function remedyLine({ remedy }: Finding, platform: NodeJS.Platform): string {
  const { apt, brew, pipx, run } = remedy;
  const lines = [
    ...(run === undefined ? [] : [run]),
    ...(platform === 'linux' && apt !== undefined ? [`apt install ${apt}`] : []),
    ...(platform === 'darwin' && brew !== undefined ? [`brew install ${brew}`] : []),
    ...(pipx === undefined ? [] : [`pipx install ${pipx}`]),
  ];
  return lines.join(' · ');
}
