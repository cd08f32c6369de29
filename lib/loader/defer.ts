import { createRequire } from 'node:module';
import type { AnyNode, CallExpression, Expression, ObjectExpression, Options, Program, Property, SpreadElement, Super } from 'acorn';

/**
 * Lets the schemas of a task be built when something looks at them: a thousand of them take longer to build
 * than everything else that a run of one task does.
 *
 *     task({ input: { tag: z.string() } })   →   task({ input: LATER(() => ({ tag: z.string() }), 123) })
 *
 * The number tells one place of a file from the others.
 *
 * Only what comes to the same at any time is put off: calls of zod's builders, and of ours, with literals and
 * functions. What registers itself somewhere, what reads a variable or the clock, is built where it stands.
 */
export const LATER = '__taskwright_later__';

export interface Deferred {
  readonly code: string;
  /** What was put in, in order: at this offset of the text as it was, that many letters. */
  readonly insertions: readonly Insertion[];
}
export interface Insertion {
  readonly at: number;
  readonly length: number;
}

/** @param code  as the compiler leaves it: imports are constants with names of their own */
export function deferSchemas(code: string): Deferred | undefined {
  if (!/__vite_ssr_import__\("(?:zod|zod\/v4)"/.test(code) || !code.includes('__vite_ssr_import__("taskwright"')) return undefined;
  const found = parsed(code);
  if (!found) return undefined;
  const imports = importsOf(found.program);
  const texts = new Map<number, string>();
  for (const { callee, arguments: given } of found.calls) {
    const [spec] = given;
    if (spec?.type !== 'ObjectExpression' || !isOwn(callee, ['task'], imports)) continue;
    for (const value of schemasOf(spec)) {
      const saysAny = value.type === 'CallExpression' || (value.type === 'ObjectExpression' && value.properties.length > 0);
      if (!saysAny || !isPure(value, imports)) continue;
      texts.set(value.start, `${LATER}(() => (`);
      texts.set(value.end, `), ${value.start})`);
    }
  }
  if (texts.size === 0) return undefined;
  const places = [...texts].toSorted(([one], [other]) => one - other);
  let text = '';
  let from = 0;
  for (const [at, put] of places) {
    text += code.slice(from, at) + put;
    from = at;
  }
  return { code: text + code.slice(from), insertions: places.map(([at, put]) => ({ at, length: put.length })) };
}

/** As acorn hands each node on that it has read; its types do not tell. */
type Reading = new (options: Options, input: string) => { parse(): Program; finishNode(node: AnyNode, type: string): AnyNode };

function parsed(code: string): { readonly program: Program; readonly calls: readonly CallExpression[] } | undefined {
  // Only where something is compiled.
  const { Parser } = createRequire(import.meta.filename)('acorn') as typeof import('acorn');
  const calls: CallExpression[] = [];
  class Gathering extends (Parser as unknown as Reading) {
    override finishNode(node: AnyNode, type: string): AnyNode {
      const whole = super.finishNode(node, type);
      if (whole.type === 'CallExpression') calls.push(whole);
      return whole;
    }
  }
  try {
    return {
      program: new Gathering({ ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true }, code).parse(),
      calls,
    };
  } catch {
    return undefined;
  }
}

/** By name of the constant: what it was imported from. */
type Imports = ReadonlyMap<string, string>;

function importsOf(program: Program): Imports {
  const imports = new Map<string, string>();
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declarations) {
      const call = init?.type === 'AwaitExpression' ? init.argument : init;
      if (id.type !== 'Identifier' || call?.type !== 'CallExpression') continue;
      const [from] = call.arguments;
      if (call.callee.type !== 'Identifier' || call.callee.name !== '__vite_ssr_import__' || from?.type !== 'Literal') continue;
      imports.set(id.name, String(from.value));
    }
  }
  return imports;
}

function schemasOf(spec: ObjectExpression): Expression[] {
  return spec.properties.flatMap((property) =>
    property.type === 'Property' && ['input', 'env', 'output'].includes(nameOf(property) ?? '') && property.kind === 'init'
      ? [property.value]
      : [],
  );
}

function nameOf({ key, computed }: Property): string | undefined {
  if (computed) return undefined;
  return key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : undefined;
}

// ── What may be put off ──────────────────────────────────────────────────────────────────────────

function isPure(node: Expression | SpreadElement | Super, imports: Imports): boolean {
  switch (node.type) {
    case 'Literal':
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return true;
    case 'Identifier':
      return node.name === 'undefined';
    case 'TemplateLiteral':
      return node.expressions.length === 0;
    case 'UnaryExpression':
      return node.operator !== 'delete' && isPure(node.argument, imports);
    case 'ArrayExpression':
      return node.elements.every((element) => element !== null && isPure(element, imports));
    case 'ObjectExpression':
      return node.properties.every((property) =>
        property.type === 'Property'
          ? property.kind === 'init' &&
            nameOf(property) !== undefined &&
            nameOf(property) !== '__proto__' &&
            isPure(property.value, imports)
          : isPure(property.argument, imports),
      );
    case 'CallExpression':
      return isBuilder(node, imports);
    default:
      return false;
  }
}

/** `z.array(z.string()).min(1)`, `path()`. */
function isBuilder({ callee, arguments: given, optional }: CallExpression, imports: Imports): boolean {
  if (optional) return false;
  if (isOwn(callee, OWN_BUILDERS, imports)) return given.every((one) => isPure(one, imports));
  if (callee.type !== 'MemberExpression' || callee.computed || callee.optional || callee.property.type !== 'Identifier') return false;
  const { name } = callee.property;
  const isKnown = isZod(callee.object, imports)
    ? BUILDERS.has(name)
    : callee.object.type === 'CallExpression'
      ? METHODS.has(name) && isBuilder(callee.object, imports)
      : PARTS.has(partOf(callee.object, imports) ?? '') && BUILDERS.has(name);
  return isKnown && given.every((one) => isPure(one, imports)) && takes(name, given);
}

/** A default that a function makes may differ each time, and what has an `id` is found by it. */
function takes(name: string, given: CallExpression['arguments']): boolean {
  const [first] = given;
  if (name === 'default' || name === 'prefault') return first !== undefined && !/Function/.test(first.type);
  if (name !== 'meta') return true;
  return (
    first?.type === 'ObjectExpression' && first.properties.every((property) => property.type === 'Property' && nameOf(property) !== 'id')
  );
}

/** `(0, imported.task)`, as the compiler writes a call of what was imported. */
function isOwn(callee: Expression | Super, names: readonly string[], imports: Imports): boolean {
  const called = callee.type === 'SequenceExpression' ? callee.expressions.at(-1) : undefined;
  if (called?.type !== 'MemberExpression' || called.computed || called.property.type !== 'Identifier') return false;
  return called.object.type === 'Identifier' && imports.get(called.object.name) === 'taskwright' && names.includes(called.property.name);
}

/** `z`, by whatever name it was imported. */
function isZod(node: Expression | Super, imports: Imports): boolean {
  if (node.type === 'Identifier') return isZodModule(imports.get(node.name));
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return false;
  return ['z', 'default'].includes(node.property.name) && node.object.type === 'Identifier' && isZodModule(imports.get(node.object.name));
}

const isZodModule = (from: string | undefined): boolean => from === 'zod' || from === 'zod/v4';

/** `coerce` of `z.coerce`. */
function partOf(node: Expression | Super, imports: Imports): string | undefined {
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return undefined;
  return isZod(node.object, imports) ? node.property.name : undefined;
}

const OWN_BUILDERS = ['path', 'json', 'keyValue', 'count'];
const PARTS = new Set(['coerce', 'iso']);
const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const BUILDERS = words(
  'string number int boolean bigint date any unknown null undefined void never literal enum array tuple object strictObject looseObject record union discriminatedUnion optional nullable email url uuid datetime time duration lazy custom json',
);
const METHODS = words(
  'optional nullable nullish default prefault catch describe meta array or and pipe transform refine superRefine check readonly brand min max length nonempty regex startsWith endsWith includes email url uuid trim toLowerCase toUpperCase int positive negative nonnegative nonpositive multipleOf gt gte lt lte extend strict loose partial required pick omit',
);
