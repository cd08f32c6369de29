import { createRequire } from 'node:module';
import type { Colors } from 'picocolors/types.js';

const PLAIN = new Proxy({}, { get: () => String }) as Colors;

/** Without colour nothing is loaded for it. */
export function coloursFor(wanted: boolean): Colors {
  return wanted ? (createRequire(import.meta.filename)('picocolors') as { createColors(on: boolean): Colors }).createColors(true) : PLAIN;
}
