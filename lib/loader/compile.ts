import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { Script } from 'node:vm';
import type { TransformOptions } from 'oxc-transform';
import { FileSyntaxError } from '../load-error.ts';
import { MODULE_BODY } from '../util/frames.ts';
import { LATER, deferSchemas } from './defer.ts';
import { composeMappings, shiftMappings } from './source-map.ts';

/**
 * A module as the evaluator runs it: the body of a function whose imports and exports go through the
 * names in {@link PARAMETERS}. TypeScript becomes JavaScript, top-level `await` stays, and a map leads
 * stack traces back to the lines of the file.
 */
export interface CompiledModule {
  /** An expression whose value is a function of {@link PARAMETERS}. */
  readonly code: string;
  /** It awaits at its top level: the function is asynchronous. */
  readonly isAsync: boolean;
  /** As written, in order; those of `import()` are not among them. */
  readonly imports: readonly string[];
  /** Uses `import` or `export`, so it is no CommonJS. */
  readonly isEsm: boolean;
}

/** The first five are the compiler's names for what a module asks of its loader. */
export const PARAMETERS = [
  '__vite_ssr_exports__',
  '__vite_ssr_import__',
  '__vite_ssr_dynamic_import__',
  '__vite_ssr_exportAll__',
  '__vite_ssr_import_meta__',
  'require',
  'module',
  'exports',
  '__filename',
  '__dirname',
  LATER,
] as const;

/** Where the compiler imports the functions from that stand in for what a Node has not. */
export const HELPERS = '@oxc-project/runtime/helpers/';

/** Features a supported Node may not have are rewritten. */
const TARGET = 'es2023';

/** @throws {FileSyntaxError} with the place of what cannot be parsed */
export function compile(file: string, source: string, { maps = true } = {}): CompiledModule {
  const { transformSync, moduleRunnerTransformSync } = loadCompiler();
  const parsed = transformSync(file, source, {
    ...formatOf(file),
    target: TARGET,
    sourcemap: maps,
    decorator: { legacy: true },
  });
  refuse(parsed.errors, file, source);
  const run = moduleRunnerTransformSync(file.replace(/[^/\\]*$/, 'module.js'), parsed.code, { sourcemap: maps });
  refuse(run.errors, file, source);
  const deferred = deferSchemas(run.code);
  const code = deferred?.code ?? run.code;
  const imports = [...code.matchAll(/^const __vite_ssr_import_\d+__ = await __vite_ssr_import__\(("(?:[^"\\]|\\.)*")/gm)].map(
    // A string literal as the compiler writes it.
    (match) => JSON.parse(match[1] ?? '""') as string,
  );
  // A `.cjs` file has none of these, whatever its text says.
  const isEsm = !file.endsWith('.cjs') && /__vite_ssr_(?:exports__|import__|exportAll__|import_meta__)/.test(code);
  const body = code.replace(/^(const __vite_ssr_import_\d+__ = )await (?=__vite_ssr_import__\()/gm, '$1');
  const isAsync = /\bawait\b/.test(body) && !isSynchronous(body, isEsm);
  const head = `(${isAsync ? 'async ' : ''}function ${MODULE_BODY}(${PARAMETERS.join(', ')}) {${isEsm ? " 'use strict';" : ''}\n`;
  const mappings = run.map && (deferred ? shiftMappings(run.map.mappings, run.code, deferred.insertions) : run.map.mappings);
  const map = parsed.map && mappings !== undefined && mapComment(file, composeMappings(mappings, parsed.map.mappings));
  return { code: `${head}${body}\n})${map ? `\n${map}` : ''}`, isAsync, imports, isEsm };
}

function loadCompiler(): typeof import('oxc-transform') {
  // Heavy, and not needed as long as nothing has changed.
  return createRequire(import.meta.filename)('oxc-transform') as typeof import('oxc-transform');
}

function formatOf(file: string): Pick<TransformOptions, 'lang' | 'sourceType'> {
  const extension = extname(file);
  return {
    lang: /^\.[cm]?ts$/.test(extension) ? 'ts' : extension === '.tsx' ? 'tsx' : extension === '.jsx' ? 'jsx' : 'js',
    sourceType: /^\.c[jt]s$/.test(extension) ? 'commonjs' : 'module',
  };
}

/**
 * The word may stand in an asynchronous function, or in a text. In a static block it cannot be a name either;
 * in a function it can, so that `await (x)` would be a call. What may be CommonJS may return at its top level.
 */
function isSynchronous(body: string, isEsm: boolean): boolean {
  try {
    // Only parsed.
    void new Script(isEsm ? `(class { static {${body}\n} })` : `(function () {${body}\n})`);
    return true;
  } catch {
    return false;
  }
}

/** The head is one line; it has nothing to map. */
function mapComment(file: string, mappings: string): string {
  const map = { version: 3, sources: [file], names: [], mappings: `;${mappings}` };
  return `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
}

interface CompilerError {
  readonly message: string;
  readonly labels: readonly { readonly message?: string | null; readonly start: number }[];
}

function refuse(errors: readonly CompilerError[], file: string, source: string): void {
  const [first] = errors;
  if (!first) return;
  // Of two places the later one is where it became wrong.
  const at = /already been declared/.test(first.message) ? first.labels.at(-1) : first.labels[0];
  const before = Buffer.from(source)
    .subarray(0, at?.start ?? 0)
    .toString('utf8')
    .split(/\r?\n/);
  throw new FileSyntaxError(file, first.message, { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }, source);
}
