import { visible } from '../../util/display.ts';
import type { TaskSketch } from './sketch.ts';
import { isIdentifier, isName, nameOf, quoted } from './sketch.ts';

/** A file to be written. */
export interface SourceFile {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
}

/** Sketches as TypeScript: a module for each namespace, and the config that names them. Pure. */
export function sourceOf(sketches: readonly TaskSketch[]): { readonly files: readonly SourceFile[]; readonly notes: readonly string[] } {
  const { kept, notes } = withoutClashes(sketches);
  const modules = new Map<string, TaskSketch[]>();
  for (const sketch of kept) {
    const namespace = sketch.path.slice(0, -1).join('.');
    modules.set(namespace, [...(modules.get(namespace) ?? []), sketch]);
  }
  const places = placesOf([...modules.keys()]);
  const files = places.map(({ namespace, file }) => ({ path: `tasks/${file}.ts`, text: moduleText(modules.get(namespace) ?? []) }));
  return { files: [{ path: 'tasks.config.ts', text: configText(places) }, ...files], notes };
}

/** A namespace, the file of its tasks below `tasks/`, and what the config calls it. */
interface Place {
  readonly namespace: string;
  readonly file: string;
  readonly variable: string;
}

/** `docs.api` and `docsApi` have one file name, and so have a namespace `main` and the root. */
function placesOf(namespaces: readonly string[]): readonly Place[] {
  const files = new Set<string>();
  const variables = new Set(['defineConfig', ...RESERVED]);
  // The root first: `main` is its own.
  const places = namespaces
    .toSorted((one, other) => Number(one !== '') - Number(other !== ''))
    .map((namespace): Place => {
      const file = namespace === '' ? 'main' : nameOf(namespace.split('.')).replaceAll('.', '-');
      const variable = namespace === '' ? 'main' : variableOf(namespace);
      return { namespace, file: unlessTaken(file, '-tasks', files), variable: unlessTaken(variable, 'Tasks', variables) };
    });
  return namespaces.flatMap((namespace) => places.filter((place) => place.namespace === namespace));
}

/** The name, with a suffix as often as it takes; from now on it is taken. */
function unlessTaken(name: string, suffix: string, taken: Set<string>): string {
  const free = taken.has(name) ? unlessTaken(`${name}${suffix}`, suffix, taken) : name;
  taken.add(free);
  return free;
}

/** Two that come to one name; a task named as a namespace is; a further name that is another's already. */
function withoutClashes(sketches: readonly TaskSketch[]): { readonly kept: readonly TaskSketch[]; readonly notes: readonly string[] } {
  const kept: TaskSketch[] = [];
  const notes: string[] = [];
  const namespaces = new Map<string, string>();
  for (const { path, from } of sketches)
    for (let depth = 1; depth < path.length; depth++) namespaces.set(nameOf(path.slice(0, depth)), from);
  const taken = new Map<string, string>(namespaces);
  for (const sketch of sketches) {
    const name = nameOf(sketch.path);
    const other = taken.get(name);
    if (other === undefined) kept.push(sketch);
    else notes.push(`\`${visible(sketch.from)}\` is left out: \`${visible(other)}\` has the name \`${name}\` already`);
    taken.set(name, other ?? sketch.from);
  }
  // Only now, when all names are known.
  const named = kept.map((sketch): TaskSketch => {
    const within = nameOf(sketch.path.slice(0, -1));
    const aliases = sketch.aliases?.filter((alias) => {
      const name = within === '' ? alias : `${within}.${alias}`;
      const isFree = !taken.has(name) && isName(alias);
      if (isFree) taken.set(name, sketch.from);
      else notes.push(`\`${nameOf(sketch.path)}\` goes without its other name \`${visible(alias)}\``);
      return isFree;
    });
    return { ...sketch, ...(aliases && { aliases }) };
  });
  return { kept: named, notes };
}

// ── The config ───────────────────────────────────────────────────────────────────────────────────

interface Branch {
  /** Its variable. */
  readonly module: string | undefined;
  readonly inner: Map<string, Branch>;
}

function configText(places: readonly Place[]): string {
  const root: { module: string | undefined; inner: Map<string, Branch> } = { module: undefined, inner: new Map() };
  for (const { namespace, variable } of places) {
    if (namespace === '') root.module = variable;
    else plant(root, namespace.split('.'), variable);
  }
  const imports = places.map(({ variable, file }) => `import * as ${variable} from './tasks/${file}.ts';`);
  return [
    "import { defineConfig } from 'taskwright';",
    ...imports,
    '',
    'export default defineConfig({',
    `  tasks: ${branchText(root, '  ')},`,
    '});',
    '',
  ].join('\n');
}

function plant(branch: Branch, [key = '', ...deeper]: readonly string[], variable: string): void {
  const before = branch.inner.get(key) ?? { module: undefined, inner: new Map() };
  branch.inner.set(key, deeper.length === 0 ? { ...before, module: variable } : before);
  if (deeper.length > 0) plant(before, deeper, variable);
}

function branchText({ module, inner }: Branch, indent: string): string {
  const lines = [
    ...(module === undefined ? [] : [`...${module},`]),
    ...[...inner].map(([key, branch]) => {
      const isPlain = branch.module !== undefined && branch.inner.size === 0;
      const value = isPlain ? (branch.module ?? '') : branchText(branch, `${indent}  `);
      return value === key ? `${key},` : `${isIdentifier(key) ? key : quoted(key)}: ${value},`;
    }),
  ];
  return `{\n${lines.map((line) => `${indent}  ${line}\n`).join('')}${indent}}`;
}

function variableOf(namespace: string): string {
  const [first = '', ...others] = namespace.split('.');
  const variable = first + others.map((key) => key.slice(0, 1).toUpperCase() + key.slice(1)).join('');
  return isIdentifier(variable) ? variable : `tasks_${variable}`;
}

// ── A module ─────────────────────────────────────────────────────────────────────────────────────

function moduleText(tasks: readonly TaskSketch[]): string {
  const locals = localsOf(tasks);
  const body = tasks.map((sketch) => taskText(sketch, locals)).join('\n');
  const ours = ['count', 'task'].filter((name) => body.includes(`${name}(`));
  const imports = [`import { ${ours.join(', ')} } from 'taskwright';`, ...(/\bz\./.test(body) ? ["import { z } from 'zod';"] : [])];
  return `${imports.join('\n')}\n\n${body}`;
}

/** What the tasks of a module are called in it, by their keys. */
function localsOf(tasks: readonly TaskSketch[]): ReadonlyMap<string, string> {
  const taken = new Set(['task', 'count', 'z', 'theDefault', ...RESERVED]);
  const keys = tasks.map((sketch) => sketch.path.at(-1) ?? '');
  // Those that can be called by their key are, so that a suffix is for the others.
  const plain = keys.filter((key) => !taken.has(key) && isIdentifier(key));
  for (const key of plain) taken.add(key);
  const others = keys.filter((key) => key !== 'default' && !plain.includes(key));
  return new Map([
    ...plain.map((key) => [key, key] as const),
    ...others.map((key) => [key, unlessTaken(isIdentifier(key) ? `${key}Task` : `task_${key}`, 'Task', taken)] as const),
    ['default', 'theDefault'],
  ]);
}

function taskText(sketch: TaskSketch, locals: ReadonlyMap<string, string>): string {
  const { description, aliases = [], inputs = [], needs = [], post = [], remarks = [] } = sketch;
  const key = sketch.path.at(-1) ?? '';
  const isOnlyDefault = key === 'default';
  const localName = (of: string): string => locals.get(of) ?? of;
  const name = localName(key);
  const isExported = !isOnlyDefault && name === key;
  const lines = [
    `summary: ${quoted(sketch.summary)},`,
    ...(description === undefined ? [] : [`description: ${quoted(description)},`]),
    ...(aliases.length > 0 ? [`aliases: [${aliases.map(quoted).join(', ')}],`] : []),
    ...(sketch.hidden ? ['hidden: true,'] : []),
    ...(inputs.length > 0 ? ['input: {', ...inputs.map(([input, schema]) => `  ${input}: ${schema},`), '},'] : []),
    ...(sketch.passthrough ? ['passthrough: true,'] : []),
    ...(needs.length > 0 ? [`needs: [${needs.map(localName).join(', ')}],`] : []),
    ...(post.length > 0 ? [`post: [${post.map(localName).join(', ')}],`] : []),
    ...remarks.map((remark) => `// ${remark}`),
    `run: ${sketch.run},`,
  ];
  return [
    `${isExported ? 'export ' : ''}const ${name} = task({`,
    ...lines.map((line) => `  ${line}`),
    '});',
    ...(isOnlyDefault || isExported ? [] : [`export { ${name} as ${isIdentifier(key) ? key : quoted(key)} };`]),
    ...(sketch.isDefault ? [`export default ${name};`] : []),
    '',
  ].join('\n');
}

const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements ' +
    'import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'
  ).split(' '),
);
