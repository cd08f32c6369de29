import { hash as hashOnce } from 'node:crypto';

/** SHA-256, in letters that may stand in a file name. */
export function digestOf(content: string | Uint8Array): string {
  // In base64url two digests could differ by case alone, which some file systems do not tell apart.
  return hashOnce('sha256', content, 'hex');
}

/** One digest of names and theirs, whatever their order. */
export function digestOfAll(entries: Readonly<Record<string, string>>): string {
  const keys = Object.keys(entries).toSorted();
  let text = '';
  // JSON keeps a name with a line break in it from looking like two entries.
  for (const key of keys) text += `${JSON.stringify(key)} ${entries[key]}\n`;
  return digestOf(text);
}
