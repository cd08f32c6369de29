import { relative } from 'node:path';
import type { Colors } from 'picocolors/types.js';
import type { ShortFlags } from '../flags.ts';
import { isScalar, lettered, oneOf, spellingsOf } from '../flags.ts';
import type { Registry, RegistryEntry } from '../registry.ts';
import type { Field, FieldKind } from '../schema.ts';
import { fieldsOf } from '../schema.ts';
import type { AnyTask, Needs } from '../task.ts';
import { asCall, flagsOf, placeOf, specOf } from '../task.ts';
import { kebab } from '../util/kebab.ts';
import { twoColumns, wrap } from './layout.ts';
import type { OwnOptions } from './own-options.ts';
import { OWN_FIELDS, OWN_GROUPS } from './own-options.ts';
import { namesInWords } from '../util/describe.ts';

/** `--help`: of a task, and of the program. */
export interface HelpOptions {
  readonly width: number | undefined;
  readonly paint: Colors;
  /** What the command line is called. */
  readonly program: string;
  /** Hidden inputs too. */
  readonly all?: boolean;
  readonly shortFlags?: ShortFlags | undefined;
  /** Global flags, of a binary of one's own. */
  readonly flags?: readonly Field[];
}

export function renderTaskHelp(entry: RegistryEntry, registry: Registry, root: string, options: HelpOptions): string {
  const { paint, width } = options;
  const spec = specOf(entry.task);
  const fields = lettered(fieldsOf(spec.input), options.shortFlags).filter((field) => options.all || !field.hidden);
  const lines = [...wrap(`${paint.bold(options.program)} ${usageOf(entry, fields)}`, width), '', ...wrap(spec.summary, width)];
  const section = (title: string, rows: readonly (readonly [string, string])[]): void => {
    if (rows.length > 0) lines.push('', paint.bold(title), ...twoColumns(rows, 2, width));
  };
  if (spec.description) lines.push('', ...wrap(spec.description, width));
  section(
    'Input',
    fields.map((field) => [flagColumn(field, paint), aboutField(field, paint)]),
  );
  section('Global flags', flagsOf(entry.task) ? flagRows(options) : []);
  section(
    'Variables',
    fieldsOf(spec.env).map((field) => [paint.cyan(field.key), aboutField(field, paint)]),
  );
  const edges = edgesOf(entry.task, registry);
  section(
    'Needs',
    edges.needs.map((text) => [text, '']),
  );
  section(
    'Afterwards',
    edges.post.map((text) => [text, '']),
  );
  section(
    'Other names',
    entry.aliases.map((alias) => [alias, '']),
  );
  section(
    'Examples',
    (spec.examples ?? []).map((example) => [`${paint.dim('$')} ${options.program} ${example}`, '']),
  );
  const shadowed = fields.flatMap((field) => {
    const { long, short } = spellingsOf(field);
    const isOwn = (spelling: string | undefined): boolean =>
      OWN_FIELDS.some((own) => spelling !== undefined && Object.values(spellingsOf(own)).includes(spelling));
    return [long, short].filter((spelling): spelling is string => spelling !== undefined && isOwn(spelling));
  });
  if (shadowed.length > 0) {
    const verb = shadowed.length === 1 ? 'is' : 'are';
    const text = `After \`${entry.name}\`, ${namesInWords(shadowed)} ${verb} its own; taskwright's of that spelling stands before the first task.`;
    lines.push('', ...wrap(paint.dim(text), width));
  }
  const place = placeOf(entry.task);
  if (place) {
    const near = relative(root, place.file);
    lines.push('', paint.dim(`declared in ${near.startsWith('..') ? place.file : near}:${place.line}`));
  }
  return `${lines.join('\n')}\n`;
}

/** `deploy <target> [name] [paths...] [flags] [-- words...]` */
function usageOf(entry: RegistryEntry, fields: readonly Field[]): string {
  const required = fields.filter((field) => field.required && isScalar(field)).map((field) => `<${kebab(field.key)}>`);
  const optional = fields.filter((field) => !field.required && field.positional && isScalar(field)).map((field) => `[${kebab(field.key)}]`);
  const variadic = fields
    .filter((field) => field.variadic)
    .map((field) => (field.required ? `<${kebab(field.key)}...>` : `[${kebab(field.key)}...]`));
  return [
    entry.name,
    ...required,
    ...optional,
    ...variadic,
    ...(fields.length > 0 ? ['[flags]'] : []),
    ...(specOf(entry.task).passthrough ? ['[-- words...]'] : []),
  ].join(' ');
}

function flagColumn(field: Field, paint: Colors): string {
  const { long, short } = spellingsOf(field);
  const both = `${short === undefined ? '    ' : `${short}, `}${field.kind.type === 'boolean' && field.default === true ? `--[no-]${long.slice(2)}` : long}`;
  return `${paint.cyan(both)}${valueName(field.kind)}`;
}

function valueName(kind: FieldKind): string {
  switch (kind.type) {
    case 'boolean':
    case 'count':
      return '';
    case 'boolean-or-string':
      return '[=TEXT]';
    case 'key-value':
      return ' NAME=VALUE';
    case 'array':
      return ` ${valueWord(kind.item)} …`;
    default:
      return ` ${valueWord(kind)}`;
  }
}

const valueWord = (kind: Exclude<FieldKind, { type: 'array' | 'count' | 'key-value' | 'boolean-or-string' }>): string =>
  kind.type === 'enum' ? kind.values.join('|') : kind.type === 'string' ? 'TEXT' : kind.type.toUpperCase();

function aboutField(field: Field, paint: Colors): string {
  const choices = field.kind.type === 'array' && field.kind.item.type === 'enum' ? [`each ${oneOf(field.kind.item.values)}`] : [];
  const isQuiet =
    field.default === undefined ||
    field.default === false ||
    field.kind.type === 'count' ||
    (typeof field.default === 'object' && Object.keys(field.default ?? {}).length === 0);
  const facts = [
    ...(field.required && field.kind.type !== 'boolean' ? ['required'] : []),
    ...choices,
    ...(isQuiet
      ? []
      : [`default ${field.secret ? '***' : typeof field.default === 'string' ? field.default : JSON.stringify(field.default)}`]),
    ...(field.env === undefined ? [] : [`variable ${field.env}`]),
    ...(field.secret ? ['secret'] : []),
  ];
  return [field.description ?? '', ...(facts.length > 0 ? [paint.dim(`(${facts.join('; ')})`)] : [])]
    .filter((text) => text !== '')
    .join(' ');
}

/** What can be said without an input; a function of the input cannot be asked here. */
function edgesOf(task: AnyTask, registry: Registry): { readonly needs: readonly string[]; readonly post: readonly string[] } {
  const { needs, post } = specOf(task);
  const namesIn = (edges: Needs | ((...scope: never) => Needs) | undefined): string[] => {
    if (edges === undefined) return [];
    if (typeof edges === 'function') return ['depends on the input: `--plan` shows it'];
    return Object.values(edges).flatMap((need) =>
      need === undefined ? [] : [registry.nameOf(asCall(need).task) ?? specOf(asCall(need).task).summary],
    );
  };
  return { needs: namesIn(needs), post: namesIn(post) };
}

const flagRows = ({ flags = [], all, paint }: HelpOptions): [string, string][] =>
  flags.filter((field) => all || !field.hidden).map((field) => [flagColumn(field, paint), aboutField(field, paint)]);

export function renderProgramHelp(options: HelpOptions): string {
  const { width, paint, program } = options;
  const flags = flagRows(options);
  const byKey = new Map(OWN_FIELDS.map((field) => [field.key, field]));
  const groups = OWN_GROUPS.flatMap(({ title, keys }) => {
    const rows = keys.flatMap((key: keyof OwnOptions) => {
      const field = byKey.get(key);
      return field ? [[ownFlag(field, paint), field.description ?? ''] as const] : [];
    });
    return ['', paint.bold(title), ...twoColumns(rows, 2, width)];
  });
  return [
    `${paint.bold(program)} [own options] ${flags.length > 0 ? '[global flags] ' : ''}[shared flags] <task> [flags] [<task> [flags]]... [-- words]`,
    '',
    ...wrap(
      'Words are tasks; flags belong to the task before them. Flags before the first task are for every target that declares them.',
      width,
    ),
    ...(flags.length > 0 ? ['', paint.bold('Global flags'), ...twoColumns(flags, 2, width)] : []),
    ...groups,
    '',
    `${paint.dim('$')} ${program} --list`,
    `${paint.dim('$')} ${program} <task> --help`,
    '',
  ].join('\n');
}

const OWN_VALUES: Readonly<Record<string, string>> = {
  directory: ' DIR',
  file: ' FILE',
  graph: '[=FORMAT]',
  reporter: ' NAME',
  timeout: ' TIME',
  commandTimeout: ' TIME',
  jobs: ' N',
  depth: ' N',
  list: ' [namespace]',
  help: ' [task]',
};

function ownFlag(field: Field, paint: Colors): string {
  const { long, short } = spellingsOf(field);
  return `${paint.cyan(`${short === undefined ? '    ' : `${short}, `}${long}`)}${OWN_VALUES[field.key] ?? ''}`;
}
