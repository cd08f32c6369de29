import { setFlagsFromString } from 'node:v8';

/**
 * V8 optimises, in threads of its own, what has run a few hundred times. Most of our functions run once or
 * twice for each step and then never again: to compile them costs more than they do. What goes on for
 * long, a body that computes, is optimised all the same, some milliseconds later.
 *
 * @param version  of Node: what V8 does not know by name it complains about on stderr
 */
export function optimizeLater(version: string = process.versions.node): void {
  const flags = BY_MAJOR[version.split('.', 1)[0] ?? ''];
  if (flags === undefined) return;
  setFlagsFromString(flags);
  later = true;
}

let later = false;
/** Whether V8 runs under other flags than it began with. */
export const isLater = (): boolean => later;

const BY_COUNT = '--invocation-count-for-maglev=4000 --invocation-count-for-turbofan=30000';
const BY_MAJOR: Readonly<Record<string, string>> = { '20': '--interrupt-budget=1000000', '22': BY_COUNT, '24': BY_COUNT };
