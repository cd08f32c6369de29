import { existsSync } from 'node:fs';
import { Exit, task } from 'taskwright';
import type { CommandResult } from 'taskwright';
import { z } from 'zod';
import { checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import type { Finding } from './support/diagnosis.ts';
import {
  findingSchema,
  judgeCheckout,
  judgeDocker,
  judgePorts,
  judgeServices,
  judgeSettings,
  judgeSpace,
  judgeTool,
  remedyLine,
  toolsOf,
} from './support/diagnosis.ts';
import { dockerAccess } from './support/docker.ts';
import { guideTexts } from './support/guide-settings.ts';
import { parsePs } from './support/services.ts';
import { SETTINGS_FILES, brokerOf, projectName } from './support/settings.ts';

export const doctor = task({
  summary: 'Look for everything the guide needs on this machine, and say how to get what is missing.',
  description:
    'Tools with their versions, the checkout, its settings, services, ports and free space. Exit code 3 when something is missing that the guide needs.',
  examples: ['doctor', '--json doctor --no-fail'],
  input: {
    infrahub: infrahubInput,
    fail: z.boolean().default(true).describe('exit code 3 when something is missing; without, the findings alone say so'),
  },
  env: {
    ...guideTexts,
    INFRAHUB_BUILD_NAME: z.string().optional(),
    INFRAHUB_USE_NATS: z.string().optional(),
    INVOKE_SUDO: z.string().optional(),
    DOCKER_HOST: z.string().optional(),
  },
  dotenv: SETTINGS_FILES,
  output: z.object({ ok: z.boolean(), findings: z.array(findingSchema) }),
  cwd: (scope) => (existsSync(inCheckout(scope)) ? inCheckout(scope) : undefined),
  async run({ input, invocationDir, env, exec, print }) {
    const folder = checkoutOf({ input, invocationDir });
    const layout = layoutOf(folder);
    const look = async (argv: readonly string[]): Promise<CommandResult> => exec(argv, { readOnly: true, quiet: true, nothrow: true });

    const tools = toolsOf(layout, folder);
    const said = await Promise.all(tools.map((tool) => look(tool.argv)));
    const access = await dockerAccess(look, env, true);
    const askDocker = async (...words: string[]): Promise<string> =>
      access.ok ? (await look([...access.prefix, 'docker', ...words])).stdout.trim() : '';
    const [version, kept, rows] = await Promise.all([
      askDocker('compose', 'version', '--short'),
      askDocker('info', '--format', '{{.DockerRootDir}}'),
      askDocker('compose', '-p', nameOrNothing(folder, env), 'ps', '--all', '--format', 'json'),
    ]);
    const services = parsePs(rows);
    const broker = brokerOf(layout, env);
    const ports = {
      [layout.services.database.service]: layout.ports.database,
      ...broker.ports,
      [layout.services.server]: layout.ports.server,
    };
    const own = services.flatMap((one) => one.ports.map((port) => port.published));

    const findings = [
      ...tools.map((tool, position) => judgeTool(tool, said[position] as CommandResult)),
      judgeDocker(access, version || null),
      judgeCheckout(folder),
      ...judgeSettings(folder, layout, (name) => env[name as keyof typeof env]),
      ...(access.ok ? judgeServices([layout.services.database.service, ...Object.keys(broker.ports)], services) : []),
      ...(await judgePorts(ports, own)),
      ...(await judgeSpace({ ...(existsSync(folder) && { 'the checkout': folder }), ...(existsSync(kept) && { images: kept }) })),
    ];
    print(render(findings));
    const missing = findings.filter((one) => one.needed && !one.ok);
    if (input.fail && missing.length > 0) throw new Exit(3, `missing: ${missing.map((one) => one.what).join(', ')}`);
    return { ok: missing.length === 0, findings };
  },
});

/** A folder whose name names no project is told by the tasks that need one. */
function nameOrNothing(folder: string, env: { readonly INFRAHUB_BUILD_NAME?: string | undefined }): string {
  try {
    return projectName(folder, env);
  } catch {
    return 'infrahub';
  }
}

const HEADINGS: Readonly<Record<Finding['area'], string>> = {
  tool: 'Tools',
  checkout: 'Checkout',
  setting: 'Settings',
  service: 'Services',
  port: 'Ports',
  space: 'Space',
};

function render(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((one) => one.what.length));
  const line = (one: Finding): string => {
    const mark = one.ok ? '✔' : one.needed ? '✖' : '·';
    const remedy = remedyLine(one, process.platform);
    const rest = one.ok ? '' : `  (wanted: ${one.wanted})${remedy === '' ? '' : `\n    → ${remedy}`}`;
    const found = one.found ?? (one.ok ? 'not started' : one.needed ? 'not found' : 'not there');
    return `  ${mark} ${one.what.padEnd(width)}  ${found}${rest}`;
  };
  const areas = Object.keys(HEADINGS) as Finding['area'][];
  return areas
    .map((area) => ({ area, own: findings.filter((one) => one.area === area) }))
    .filter(({ own }) => own.length > 0)
    .map(({ area, own }) => `${HEADINGS[area]}\n${own.map(line).join('\n')}\n`)
    .join('\n');
}
