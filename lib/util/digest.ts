import { hash as hashOnce } from 'node:crypto';

/** SHA-256, in letters that may stand in a file name. */
export function digestOf(content: string | Uint8Array): string {
  // In base64url two digests could differ by case alone, which some file systems do not tell apart.
  return hashOnce('sha256', content, 'hex');
}
