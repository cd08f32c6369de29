import type { TaskSketch } from './sketch.ts';
import { nameOf, quoted } from './sketch.ts';

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
  const files = [...modules].map(([namespace, tasks]) => ({ path: `tasks/${fileOf(namespace)}.ts`, text: moduleText(tasks) }));
  return { files: [{ path: 'tasks.config.ts', text: configText([...modules.keys()]) }, ...files], notes };
}

/** Two that come to one name; a task named as a namespace is. */
function withoutClashes(sketches: readonly TaskSketch[]): { readonly kept: readonly TaskSketch[]; readonly notes: readonly string[] } {
  const kept: TaskSketch[] = [];
  const notes: string[] = [];
  const namespaces = new Map<string, string>();
  for (const { path, from } of sketches)
    for (let depth = 1; depth < path.length; depth++) namespaces.set(nameOf(path.slice(0, depth)), from);
  const taken = new Map<string, string>();
  for (const sketch of sketches) {
    const name = nameOf(sketch.path);
    const other = taken.get(name) ?? namespaces.get(name);
    if (other === undefined) kept.push(sketch);
    else notes.push(`\`${sketch.from}\` is left out: \`${other}\` has the name \`${name}\` already`);
    taken.set(name, sketch.from);
  }
  return { kept, notes };
}

// ── The config ───────────────────────────────────────────────────────────────────────────────────

interface Branch {
  readonly module: string | undefined;
  readonly inner: Map<string, Branch>;
}

function configText(namespaces: readonly string[]): string {
  const root: { module: string | undefined; inner: Map<string, Branch> } = { module: undefined, inner: new Map() };
  for (const namespace of namespaces) {
    if (namespace === '') root.module = '';
    else plant(root, namespace.split('.'), namespace);
  }
  const imports = namespaces.map((namespace) => `import * as ${variableOf(namespace)} from './tasks/${fileOf(namespace)}.ts';`);
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

function plant(branch: Branch, [key = '', ...deeper]: readonly string[], namespace: string): void {
  const before = branch.inner.get(key) ?? { module: undefined, inner: new Map() };
  branch.inner.set(key, deeper.length === 0 ? { ...before, module: namespace } : before);
  if (deeper.length > 0) plant(before, deeper, namespace);
}

function branchText({ module, inner }: Branch, indent: string): string {
  const lines = [
    ...(module === undefined ? [] : [`...${variableOf(module)},`]),
    ...[...inner].map(([key, branch]) => {
      const isPlain = branch.module !== undefined && branch.inner.size === 0;
      const value = isPlain ? variableOf(branch.module ?? '') : branchText(branch, `${indent}  `);
      return value === key ? `${key},` : `${key}: ${value},`;
    }),
  ];
  return `{\n${lines.map((line) => `${indent}  ${line}\n`).join('')}${indent}}`;
}

const fileOf = (namespace: string): string => (namespace === '' ? 'main' : nameOf(namespace.split('.')).replaceAll('.', '-'));

function variableOf(namespace: string): string {
  if (namespace === '') return 'main';
  const [first = '', ...others] = namespace.split('.');
  const name = first + others.map((key) => key.slice(0, 1).toUpperCase() + key.slice(1)).join('');
  return isReserved(name) || name === 'main' || name === 'defineConfig' ? `${name}Tasks` : name;
}

// ── A module ─────────────────────────────────────────────────────────────────────────────────────

function moduleText(tasks: readonly TaskSketch[]): string {
  const body = tasks.map(taskText).join('\n');
  const ours = ['count', 'task'].filter((name) => body.includes(`${name}(`));
  const imports = [`import { ${ours.join(', ')} } from 'taskwright';`, ...(/\bz\./.test(body) ? ["import { z } from 'zod';"] : [])];
  return `${imports.join('\n')}\n\n${body}`;
}

function taskText(sketch: TaskSketch): string {
  const { description, aliases = [], inputs = [], needs = [], post = [], remarks = [] } = sketch;
  const key = sketch.path.at(-1) ?? '';
  const isOnlyDefault = key === 'default';
  const name = isOnlyDefault ? 'theDefault' : localName(key);
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
    ...(isOnlyDefault || isExported ? [] : [`export { ${name} as ${key} };`]),
    ...(sketch.isDefault ? [`export default ${name};`] : []),
    '',
  ].join('\n');
}

/** A name that no word of the language and nothing that is imported has. */
const localName = (key: string): string => (isReserved(key) || ['task', 'count', 'z', 'theDefault'].includes(key) ? `${key}Task` : key);

const RESERVED = new Set(
  (
    'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements ' +
    'import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield'
  ).split(' '),
);

const isReserved = (name: string): boolean => RESERVED.has(name);
