import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This library's own folder, whose frames say nothing to the author of a task. */
const LIBRARY = fileURLToPath(new URL('..', import.meta.url));

/**
 * The frames of a stack that lie in the user's own files, as `at name (file.ts:line:column)`, paths
 * relative to `root` where they are below it.
 */
export function userFrames(stack: string, root: string): string[] {
  const frames: string[] = [];
  for (const line of stack.split('\n')) {
    const match = line.match(/^\s+at (?:(.*?) \()?((?:file:\/\/|\/|[A-Za-z]:\\).*?):(\d+):(\d+)\)?$/);
    if (!match?.[2]) continue;
    const file = match[2].startsWith('file://') ? fileURLToPath(match[2]) : match[2];
    if (file.startsWith(LIBRARY) || /[\\/]node_modules[\\/]/.test(file)) continue;
    const near = relative(root, file);
    const place = `${near.startsWith('..') ? file : near}:${match[3]}:${match[4]}`;
    frames.push(match[1] ? `at ${match[1]} (${place})` : `at ${place}`);
  }
  return frames;
}
