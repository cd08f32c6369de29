import type { AnyTask } from './task.ts';
import { isCall, isTask } from './task.ts';
import { describeValue, isPlainObject } from './util/describe.ts';
import { kebab } from './util/kebab.ts';

/**
 * `tasks` of a config (R1): tasks, namespaces (plain objects), modules, and functions that import one.
 *
 * Of a module those exports count that are tasks, or modules again; its other exports are left alone,
 * which is why the type is no narrower. A wrong value in a plain object is a load error.
 */
export type TaskTree = { readonly [key: string]: AnyTask | ModuleLoader | object };
export type ModuleLoader = () => Promise<object>;

export interface WalkOptions {
  /** The words of a command line: modules to be imported are, when one of these lies in their namespace. Absent: all are. */
  readonly words?: readonly string[] | undefined;
  /** What the tasks declare was found right before, and is the same. */
  readonly isChecked?: () => boolean;
  /** Makes a good error of what importing a module threw. */
  readonly explain?: (error: unknown) => unknown;
}

/** Where a task stands in the tree. One task may stand in several places. */
export interface Place {
  readonly name: string;
  /** The path as written, for messages: `demo.devStart`. */
  readonly path: string;
  readonly namespace: string;
  readonly isDefault: boolean;
  readonly task: AnyTask;
}

export interface Found {
  readonly places: Place[];
  /** Dotted name → path as written. */
  readonly namespaces: Map<string, string>;
  readonly problems: string[];
  isPartial: boolean;
}

/** Every task of the tree with the places it stands in, and all that stands there and should not. */
export async function walkTree(tree: object, options: WalkOptions): Promise<Found> {
  const found: Found = { places: [], namespaces: new Map(), problems: [], isPartial: false };
  await walk({ value: tree, namespace: '', path: '', above: [] }, found, options);
  return found;
}

interface Branch {
  readonly value: object;
  readonly namespace: string;
  readonly path: string;
  /** The objects it stands in, so that a cycle is noticed. */
  readonly above: readonly object[];
}

async function walk(branch: Branch, found: Found, options: WalkOptions): Promise<void> {
  const ofModule = isModule(branch.value);
  const keys = Object.keys(branch.value);
  if (ofModule) keys.sort();
  const above = [...branch.above, branch.value];
  for (const key of keys) {
    const path = branch.path ? `${branch.path}.${key}` : key;
    const read = readKey(branch.value, key);
    if (!read.ok) {
      found.problems.push(`\`${path}\` cannot be read yet (${read.problem}): its module takes part in a cycle of imports`);
      continue;
    }
    const { value } = read;
    if (isTask(value)) {
      addPlace({ task: value, key, path, namespace: branch.namespace }, found);
      continue;
    }
    // `export default` of a module may be anything.
    if (ofModule && (key === 'default' || !isModule(value) || above.includes(value) || !holdsTasks(value, above))) continue;
    if (key === 'default') {
      found.problems.push(`\`${path}\`: expected a task, got ${whatIs(value)}`);
      continue;
    }
    const problem = problemOfSegment(key, path);
    if (problem) {
      found.problems.push(problem);
      continue;
    }
    const namespace = joinName(branch.namespace, kebab(key));
    if (typeof value === 'function' && isLoader(value)) {
      await walkLoaded({ load: value, namespace, path, above }, found, options);
    } else if ((isModule(value) || isPlainObject(value)) && !isCall(value)) {
      if (above.includes(value)) found.problems.push(`\`${path}\` holds itself`);
      else if (addNamespace(namespace, path, found)) await walk({ value, namespace, path, above }, found, options);
    } else {
      found.problems.push(`\`${path}\`: expected a task, a namespace or \`() => import('…')\`, got ${whatIs(value)}${adviceFor(value)}`);
    }
  }
}

/**
 * Modules are imported one after the other: two imports under way at once can see each other's shared
 * modules half-made, since the loader of TypeScript files hands them out before they are over.
 */
async function walkLoaded(
  lazy: { readonly load: ModuleLoader; readonly namespace: string; readonly path: string; readonly above: readonly object[] },
  found: Found,
  options: WalkOptions,
): Promise<void> {
  const { load, namespace, path, above } = lazy;
  if (!addNamespace(namespace, path, found)) return;
  if (options.words && !options.words.some((word) => word === namespace || word.startsWith(`${namespace}.`))) {
    found.isPartial = true;
    return;
  }
  let value: unknown;
  try {
    const loading: unknown = load();
    if (!isThenable(loading)) {
      found.problems.push(`\`${path}\` is a function that gives ${whatIs(loading)}; expected a task, or \`() => import('…')\``);
      return;
    }
    value = await loading;
  } catch (error) {
    throw options.explain ? options.explain(error) : error;
  }
  if (isModule(value) || isPlainObject(value)) await walk({ value, namespace, path, above }, found, options);
  else found.problems.push(`\`${path}\` is a function whose promise gives ${whatIs(value)}; expected that of a module`);
}

function addPlace(
  at: { readonly task: AnyTask; readonly key: string; readonly path: string; readonly namespace: string },
  found: Found,
): void {
  const { task, key, path, namespace } = at;
  if (key === 'default') {
    found.places.push({ name: namespace || 'default', path, namespace, isDefault: true, task });
    return;
  }
  const problem = problemOfSegment(key, path);
  if (problem) found.problems.push(problem);
  else found.places.push({ name: joinName(namespace, kebab(key)), path, namespace, isDefault: false, task });
}

function addNamespace(namespace: string, path: string, found: Found): boolean {
  const other = found.namespaces.get(namespace);
  if (other !== undefined) found.problems.push(`\`${other}\` and \`${path}\` both come to the namespace \`${namespace}\``);
  else found.namespaces.set(namespace, path);
  return other === undefined;
}

/** A name is typed on a command line: it is one word, no flag, and its dots part namespaces. */
function problemOfSegment(key: string, path: string): string | undefined {
  if (/^[^\s.=,-][^\s.=,]*$/u.test(kebab(key))) return undefined;
  if (key.includes('.')) return `\`${path}\`: a key with a dot in it; nest it: \`${key.split('.').join(': { ')}: …\``;
  return `\`${path}\`: a name may not be empty, begin with \`-\`, or hold blanks, commas or \`=\``;
}

/** `demo` and `start` as `demo.start`. */
export function joinName(namespace: string, segment: string): string {
  return namespace ? `${namespace}.${segment}` : segment;
}

/** As Node tags a module, or as loaders mark theirs. */
function isModule(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return (
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'Module' ||
    (value as { __esModule?: unknown }).__esModule === true
  );
}

/** A library that a module passes on (`export * as z`) is a module too, and no namespace. */
function holdsTasks(module: object, above: readonly object[]): boolean {
  return Object.keys(module).some((key) => {
    const read = readKey(module, key);
    if (!read.ok) return false;
    return isTask(read.value) || (isModule(read.value) && !above.includes(read.value) && holdsTasks(read.value, [...above, module]));
  });
}

/** What imports a module takes no argument; classes and helpers that do are never called. */
function isLoader(value: Function): value is ModuleLoader {
  return value.length === 0 && describeValue(value) !== 'a class';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** An export of a module under way throws when it is read. */
function readKey(
  holder: object,
  key: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, value: (holder as Record<string, unknown>)[key] };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

function whatIs(value: unknown): string {
  if (isTask(value)) return 'a task';
  if (isCall(value)) return 'a call';
  if (isModule(value)) return 'a module';
  return describeValue(value);
}

function adviceFor(value: unknown): string {
  if (value === undefined) return ' (is it exported under this name?)';
  if (isCall(value)) return ' (put the task itself, without calling it)';
  if (value instanceof Promise) return " (write `() => import('…')`)";
  return '';
}
