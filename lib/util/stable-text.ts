/** JSON whose keys stand in order, at every depth: equal values give equal text. `undefined` in objects is left out. */
export function stableText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(stableText).join(',')}]`;
  const entries = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(value);
  // As a rule they are in order: to sort costs more than to look.
  if (keys.some((key, at) => at > 0 && (keys[at - 1] ?? '') > key)) keys.sort();
  let text = '';
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? '';
    const item = entries[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${stableText(item)}`;
  }
  return `{${text}}`;
}
