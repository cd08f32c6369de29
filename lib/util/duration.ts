/** A length of time with its unit: `'500ms'`, `'30s'`, `'10m'`, `'1h'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h'}`;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
/** setTimeout takes no longer wait (about 24 days). */
const LONGEST_MS = 2 ** 31 - 1;

/** A length of time with its unit, `'500ms'`, `'30s'`, `'1.5h'`, in milliseconds; `undefined` when it is none. */
export function durationMs(text: string): number | undefined {
  const match = text.match(/^(\d+(?:\.\d+)?)(ms|s|m|h)$/);
  if (!match?.[1] || !match[2]) return undefined;
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return ms <= LONGEST_MS ? ms : undefined;
}

/** @throws {RangeError} when `text` is no length of time with a unit, or longer than a timer can wait */
export function parseDurationMs(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new RangeError(`\`${text}\` is no length of time: write \`500ms\`, \`30s\`, \`10m\` or \`1h\``);
  return ms;
}
