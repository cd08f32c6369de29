import { mkdirSync } from 'node:fs';
import { everyEvent, programOrder } from '../../lib/api.ts';
import { carryOut } from '../../lib/carry-out.ts';
import type { Event, JsonObject } from '../../lib/event.ts';
import { spellingsOf } from '../../lib/flags.ts';
import type { Registry, RegistryEntry } from '../../lib/registry.ts';
import { buildRegistry } from '../../lib/registry.ts';
import type { Field, FieldKind } from '../../lib/schema.ts';
import { fieldsOf, jsonSchemaOf } from '../../lib/schema.ts';
import type { Needs } from '../../lib/task.ts';
import { asCall, specOf } from '../../lib/task.ts';
import { scriptedRunner } from '../../lib/testing.ts';
import { LAYOUTS } from '../../tasks/support/layouts/index.ts';
import { composeEnv } from '../../tasks/support/settings.ts';
import type { LayoutName } from './checkouts.ts';
import { checkoutOf } from './checkouts.ts';
import { shippedConfig } from './shipped.ts';

/** docs/reference/tasks.md: all that the declarations of the shipped tasks say, and the commands of a dry run. */
export async function tasksPage(): Promise<string> {
  const registry = await buildRegistry(shippedConfig.tasks, {});
  const entries = registry.entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const stages = await Promise.all(OLDEST_FIRST.map(({ name }) => stageOf(name as LayoutName)));
  const tasks: string[] = [];
  for (const entry of entries) tasks.push(await sectionOf(entry, registry, stages));
  return [HEAD, contents(entries), ...tasks, variablesOf(entries)].join('\n\n') + '\n';
}

/** Variables of all tasks that call `docker compose`. */
const OF_CONTAINERS = Object.keys(composeEnv);

/** The guide was written for the first of them. */
const OLDEST_FIRST = LAYOUTS.toReversed();

const HEAD = `# The shipped tasks

Generated from the declarations: \`npx tasks repo.docs\` writes this page, and the tests fail when it is stale. How to use them: [the backend guide with taskwright](../guide/infrahub.md), [in another repository](../guide/other-repositories.md).

The commands are those of \`tasks --dry-run\` on a checkout \`~/infrahub\` without override files or settings of its own: those of the layout of ${OLDEST_FIRST.map(({ name }) => name).join(', then, where they differ, of ')}. They run in the checkout unless a line says where. \`# name\` stands above the commands of a step where there are several. Before each \`docker compose\` the [variables](#variables) are set that the compose files read: \`--database\` or \`PYTHON_VER\`, say, change them too.`;

const anchor = (name: string): string => name.replaceAll('.', '');

const contents = (entries: readonly RegistryEntry[]): string =>
  table(
    ['task', 'what it does'],
    entries.map(({ name, task }) => [`[\`${name}\`](#${anchor(name)})`, specOf(task).summary]),
  );

async function sectionOf(entry: RegistryEntry, registry: Registry, stages: readonly Stage[]): Promise<string> {
  const spec = specOf(entry.task);
  const inputs = fieldsOf(spec.input);
  const facts = [
    ...(entry.aliases.length > 0 ? [`Also \`${entry.aliases.join('`, `')}\`.`] : []),
    ...(spec.hidden ? ['Not in `--list` unless with `--all`.'] : []),
    ...(spec.service ? ['A service: it stays as long as something uses it.'] : []),
    ...(spec.interactive ? ['Gets the real terminal.'] : []),
    ...(spec.passthrough ? ['Words after `--` go to its last program.'] : []),
    ...(spec.confirm ? ['Asks before it does anything, where there is something to lose; `--yes` answers.'] : []),
  ];
  const edges = [
    ...linesOf('Needs', edgesOf(spec.needs, registry)),
    ...linesOf('Runs after', Array.isArray(spec.after) ? edgesOf(spec.after, registry) : []),
    ...linesOf('Followed by', edgesOf(spec.post, registry)),
  ];
  const keys = fieldsOf(spec.env).map(({ key }) => key);
  const isOfContainers = OF_CONTAINERS.every((key) => keys.includes(key));
  const variables = [
    ...(isOfContainers ? ['[those of the containers](#variables)'] : []),
    ...keys.filter((key) => !isOfContainers || !OF_CONTAINERS.includes(key)).map((key) => `\`${key}\``),
  ];
  return [
    `## ${entry.name}`,
    [spec.summary, spec.description].filter(Boolean).join(' '),
    ...(facts.length > 0 ? [facts.join(' ')] : []),
    ...(inputs.length > 0 ? [table(['input', 'value', 'default', 'about'], inputs.map(inputRow))] : []),
    ...(variables.length > 0 ? [`Variables: ${variables.join(', ')}.`] : []),
    ...edges,
    ...(spec.output ? [`Gives \`${typeOf(jsonSchemaOf(spec.output, 'output'))}\`.`] : []),
    ...(await commandBlocks(entry, stages)),
    ...(spec.examples?.length ? [['```text', ...spec.examples.map((example) => `$ npx tasks ${example}`), '```'].join('\n')] : []),
  ].join('\n\n');
}

const linesOf = (title: string, names: readonly string[]): string[] => (names.length > 0 ? [`${title} ${names.join(', ')}.`] : []);

/** Names with links; `depends on the input` for what only a plan can tell. */
function edgesOf(edges: Needs | ((...scope: never) => Needs) | undefined, registry: Registry): string[] {
  if (edges === undefined) return [];
  if (typeof edges === 'function') return ['what the input asks for (below)'];
  return Object.values(edges).flatMap((need) => {
    if (need === undefined) return [];
    const name = registry.nameOf(asCall(need).task);
    return [name === undefined ? `*${specOf(asCall(need).task).summary}*` : `[\`${name}\`](#${anchor(name)})`];
  });
}

function inputRow(field: Field): string[] {
  const { long, short } = spellingsOf(field);
  const marks = [
    ...(field.positional || (field.required && field.kind.type !== 'boolean') ? ['may stand as a bare word'] : []),
    ...(field.variadic ? ['takes the bare words that follow'] : []),
    ...(field.secret ? ['secret'] : []),
    ...(field.env === undefined ? [] : [`variable \`${field.env}\``]),
  ];
  const shown = field.default === undefined ? (field.required ? '*required*' : '') : `\`${JSON.stringify(field.default)}\``;
  const about = [field.description ?? '', marks.length > 0 ? `(${marks.join('; ')})` : ''].filter(Boolean).join(' ');
  return [`\`${short === undefined ? '' : `${short}, `}${long}\``, kindText(field.kind), field.secret ? '' : shown, about];
}

function kindText(kind: FieldKind): string {
  if (kind.type === 'enum') return kind.values.map((value) => `\`${value}\``).join(', ');
  return kind.type === 'array' ? `${kindText(kind.item)}, any number` : kind.type;
}

/** A JSON Schema in the words of TypeScript. */
function typeOf(schema: unknown): string {
  const { type, properties, required, items, anyOf, ...rest } = schema as {
    readonly type?: string | readonly string[];
    readonly properties?: Readonly<Record<string, unknown>>;
    readonly required?: readonly string[];
    readonly items?: unknown;
    readonly anyOf?: readonly unknown[];
    readonly enum?: readonly unknown[];
    readonly const?: unknown;
    readonly additionalProperties?: unknown;
  };
  if (rest.const !== undefined) return JSON.stringify(rest.const);
  if (rest.enum) return rest.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (anyOf) return anyOf.map(typeOf).join(' | ');
  if (type === 'array') return /[|]/.test(typeOf(items)) ? `(${typeOf(items)})[]` : `${typeOf(items)}[]`;
  if (type === 'integer') return 'number';
  if (type !== 'object') return [type ?? 'unknown'].flat().join(' | ');
  if (!properties) return `Record<string, ${typeOf(rest.additionalProperties ?? {})}>`;
  const fields = Object.entries(properties).map(([key, value]) => `${key}${required?.includes(key) ? '' : '?'}: ${typeOf(value)}`);
  return `{ ${fields.join(', ')} }`;
}

// ── The commands ─────────────────────────────────────────────────────────────────────────────────

/** What a task cannot do without, or has nothing to do without. */
const GIVEN: Readonly<Record<string, JsonObject>> = {
  clone: { target: 'elsewhere/infrahub' },
  'demo.infra-git-create': { token: 'TOKEN' },
  'dev.infra-git-create': { token: 'TOKEN' },
  'schema.load': { paths: ['infrahub/models/infrastructure_base.yml'] },
};

/** A dry run of each task, on a checkout of one layout. */
interface Stage {
  readonly layout: string;
  foresee(entry: RegistryEntry): Promise<Foreseen>;
}
interface Foreseen {
  /** What it would run. */
  readonly commands: readonly string[];
  /** What it runs also in a dry run, since it changes nothing. */
  readonly looks: readonly string[];
  readonly said: readonly string[];
}

async function stageOf(layout: LayoutName): Promise<Stage> {
  const checkout = checkoutOf(layout);
  mkdirSync(checkout.path('python_sdk/infrahub_sdk'), { recursive: true });
  const home = checkout.path('..');
  const asHome = (text: string): string => text.replaceAll(home, '~');
  const order = await programOrder([], {
    config: shippedConfig,
    root: home,
    env: { HOME: home, PATH: '/usr/bin:/bin', TERM: 'xterm' },
    // Commands that only look are run in a dry run: here all of them succeed, with nothing to say.
    runner: scriptedRunner([[/.*/, '']]),
    dryRun: true,
    signals: false,
  });

  const foresee = async ({ name, task }: RegistryEntry): Promise<Foreseen> => {
    const inCheckout = fieldsOf(specOf(task).input).some(({ key }) => key === 'infrahub');
    const given = { ...(inCheckout && { infrahub: checkout.root }), ...GIVEN[name] };
    const titles = new Map<string, string>();
    const events: Event[] = [];
    await carryOut({
      ...order,
      invocationDir: home,
      targets: [{ task, given, isFromCode: true }],
      reporters: [everyEvent((event) => events.push(event))],
    });
    const commands: string[] = [];
    let before: { readonly step: string | undefined; readonly cwd: string } = { step: undefined, cwd: checkout.root };
    for (const event of events) {
      if (event.type === 'run-started') for (const step of event.plan.steps) titles.set(step.id, step.name);
      if (event.type !== 'command-started' || !event.dry) continue;
      if (titles.size > 1 && event.step !== before.step) commands.push(`# ${titles.get(event.step)}`);
      if (event.cwd !== before.cwd) commands.push(`# in ${asHome(event.cwd)}`);
      commands.push(asHome(event.line));
      before = event;
    }
    return {
      commands,
      looks: events.flatMap((event) => (event.type === 'command-started' && !event.dry ? [asHome(event.line)] : [])),
      said: events.flatMap((event) => (event.type === 'log' ? [asHome(event.text)] : [])),
    };
  };
  return { layout, foresee };
}

/** One block, and another for each layout in which it is another. */
async function commandBlocks(entry: RegistryEntry, stages: readonly Stage[]): Promise<string[]> {
  const seen = new Set<string>();
  const blocks: string[] = [];
  for (const { layout, foresee } of stages) {
    const text = blockOf(await foresee(entry));
    if (seen.has(text)) continue;
    blocks.push(seen.size === 0 ? text : `As of ${layout}:\n\n${text}`);
    seen.add(text);
  }
  return blocks;
}

function blockOf({ commands, looks, said }: Foreseen): string {
  const block = (lines: readonly string[]): string => ['```text', ...lines, '```'].join('\n');
  if (commands.length > 0) return block(commands);
  if (looks.length > 0) return `It only looks:\n\n${block(looks)}`;
  return said.length > 0 ? `A dry run says: \`${said.join('`, `')}\`.` : 'A dry run shows no command of it.';
}

// ── Variables ────────────────────────────────────────────────────────────────────────────────────

function variablesOf(entries: readonly RegistryEntry[]): string {
  const all = entries.flatMap(({ name, task }) => fieldsOf(specOf(task).env).map((field) => ({ name, field })));
  const names = [...new Set(all.map(({ field }) => field.key))].toSorted();
  const rows = names.map((key) => {
    const uses = all.filter(({ field }) => field.key === key);
    const about = uses.find(({ field }) => field.description !== undefined)?.field.description ?? '';
    const needing = uses.filter(({ field }) => field.required).map(({ name }) => `[\`${name}\`](#${anchor(name)})`);
    const isSecret = uses.some(({ field }) => field.secret);
    return [`\`${key}\``, `${about}${isSecret ? ' (secret)' : ''}`, OF_CONTAINERS.includes(key) ? 'yes' : '', needing.join(', ')];
  });
  const head = ['variable', 'about', 'of the containers', 'required by'];
  return `## Variables\n\nThey are read from the environment, then from the checkout's \`.envrc\` and \`.env\`. Variables of inputs stand at the inputs.\n\n${table(head, rows)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
