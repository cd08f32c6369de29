import { MODULE_BODY } from '../util/frames.ts';
import { decodeMappings, segmentAt } from './source-map.ts';

/**
 * Stack traces name the lines of compiled files as they were written. Node could do that itself, but not
 * under a test runner or whatever else formats stacks in a way of its own; what did so before is asked after us.
 */
type Frame = NodeJS.CallSite;
type Place = (line: number, column: number) => { readonly line: number; readonly column: number } | undefined;

const places = new Map<string, Place>();

/** @param code  ends with the comment that holds its map */
export function mapStacksOf(file: string, code: string): void {
  if (places.size === 0) install();
  let lines: ReturnType<typeof decodeMappings> | undefined;
  places.set(file, (line, column) => {
    lines ??= decodeMappings(mappingsIn(code));
    const segment = segmentAt(lines[line - 1] ?? [], column - 1);
    return segment && { line: segment.line + 1, column: segment.sourceColumn + 1 };
  });
}

/** The place in the file as it was written, both from 1. */
export function originalPlace(file: string, line: number, column: number): ReturnType<Place> {
  return places.get(file)?.(line, column);
}

function mappingsIn(code: string): string {
  const map = code.match(/\n\/\/# sourceMappingURL=data:application\/json;base64,(\S+)$/)?.[1];
  if (map === undefined) return '';
  return (JSON.parse(Buffer.from(map, 'base64').toString()) as { mappings: string }).mappings;
}

function install(): void {
  // Typed as always there; it is, where somebody formats stacks already.
  const before = Error.prepareStackTrace as typeof Error.prepareStackTrace | undefined;
  Error.prepareStackTrace = (error, frames) => {
    const mapped = frames.map(asWritten);
    if (before) return before(error, mapped) as unknown;
    return [headOf(error), ...mapped.map((frame) => `    at ${String(frame)}`)].join('\n');
  };
}

function headOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'Error';
  }
}

function asWritten(frame: Frame): Frame {
  const place = places.get(frame.getFileName() ?? '')?.(frame.getLineNumber() ?? 0, frame.getColumnNumber() ?? 0);
  if (!place) return frame;
  const isBody = frame.getFunctionName() === MODULE_BODY;
  const at = String(frame).replace(/:\d+:\d+(\)?)$/, `:${place.line}:${place.column}$1`);
  // The body of a module has no name for who reads of it.
  const text = isBody ? at.replace(/(async )?\S+ (?:\[as \S+\] )?\((.*)\)$/, '$1$2') : at;
  const own: Readonly<Record<string | symbol, unknown>> = {
    getLineNumber: () => place.line,
    getColumnNumber: () => place.column,
    ...(isBody && { getFunctionName: () => null, getMethodName: () => null }),
    toString: () => text,
    [Symbol.toPrimitive]: () => text,
  };
  return new Proxy(frame, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
