import { join } from 'node:path';
import { existsSync, readFileSync } from 'node:fs';

/** From our own `package.json`, which lies at another depth in the built package than in the source. */
export function ownVersion(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    const file = join(import.meta.dirname, up);
    if (!existsSync(file)) continue;
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof manifest === 'object' && manifest !== null && 'name' in manifest && manifest.name === 'taskwright' && 'version' in manifest)
      return String(manifest.version);
  }
  return 'unknown';
}
