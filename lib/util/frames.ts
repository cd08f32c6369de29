import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This library's own folder, whose frames say nothing to the author of a task. */
export const LIBRARY = import.meta.filename.replace(/(.*[\\/]lib[\\/]).*/, '$1');

/** How V8 calls the body of a CommonJS module. */
const MODULE = 'Object.<anonymous>';

/** How our loader calls it: no function of a task file is called so. */
export const MODULE_BODY = '__taskwright_module__';

/** One line of a stack. */
export interface Frame {
  /** Absolute. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Of the function; undefined at the top of a module. */
  readonly name: string | undefined;
}

/** What runs there: a file, as the loader calls it, and the function in it, unless it has no name. */
export interface FrameAsRun {
  readonly file: string | undefined;
  readonly name: string | undefined;
}

/**
 * The frames of an error as the code runs, and not as it was written: to format and map them costs more than all
 * else of a declaration. Its `stack` holds the first of them from then on, formatted when it is read.
 */
export function* framesAsRun(error: Error): Generator<FrameAsRun> {
  const { prepareStackTrace } = Error as { prepareStackTrace?: typeof Error.prepareStackTrace };
  let sites: readonly NodeJS.CallSite[] | undefined;
  Error.prepareStackTrace = (_, given) => {
    sites = given;
    return '';
  };
  const { stack } = error;
  Object.assign(Error, { prepareStackTrace });
  if (!sites) {
    for (const line of (stack ?? '').split('\n')) if (/^\s+at /.test(line)) yield frameIn(line);
    return;
  }
  const first = sites.slice(0, 1);
  Object.defineProperty(error, 'stack', {
    configurable: true,
    get: (): unknown => prepareStackTrace?.(error, first) ?? `${String(error)}\n    at ${String(first[0])}`,
  });
  for (const site of sites) yield { file: site.getFileName() ?? undefined, name: site.getFunctionName() ?? undefined };
}

/** Somebody has read the stack already. */
function frameIn(line: string): FrameAsRun {
  const file = line.match(/\(?((?:file:\/\/|node:|\/|[A-Za-z]:\\).*?):\d+:\d+\)?$/)?.[1];
  const name = line.match(/^\s+at (?:async )?(?:new )?([^\s(]+) \(/)?.[1];
  return { file, name: name === 'Object.<anonymous>' || name === '<anonymous>' ? undefined : name };
}

/** The frames of a stack that lie in the user's own files. */
export function ownFrames(stack: string): Frame[] {
  return stack.split('\n').flatMap((text) => {
    const match = text.match(/^\s+at (?:(.*?) \()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/);
    if (!match?.[2]) return [];
    const file = match[2].startsWith('file://') ? fileURLToPath(match[2]) : match[2];
    if (file.startsWith(LIBRARY) || /[\\/]node_modules[\\/]/.test(file)) return [];
    return [{ file, line: Number(match[3]), column: Number(match[4]), name: match[1] === MODULE ? undefined : match[1] }];
  });
}

/** {@link ownFrames} as `at name (file.ts:line:column)`, paths relative to `root` where they are below it. */
export function userFrames(stack: string, root: string): string[] {
  return ownFrames(stack).map(({ file, line, column, name }) => {
    const near = relative(root, file);
    const place = `${near.startsWith('..') ? file : near}:${line}:${column}`;
    return name ? `at ${name} (${place})` : `at ${place}`;
  });
}
