import type { Colors } from 'picocolors/types.js';
import type { CacheInfo } from '../caches/cache.ts';
import type { Explained } from '../explain.ts';
import { whyText } from '../reporters/paint.ts';

/** `--explain` and `--cache-info`: what would be left alone, and what is kept for it. */
export function renderExplained(explained: readonly Explained[], paint: Colors): string {
  const width = Math.max(...explained.map(({ title }) => title.length));
  const lines = explained.map(({ title, status, why }) => {
    const mark = status === 'would-run' ? paint.cyan('▶') : paint.green('=');
    const word = status === 'would-run' ? whyText(why) : [status === 'cached' ? 'from the cache' : 'up to date', ...why].join(': ');
    return `${mark} ${title.padEnd(width)}  ${paint.dim(word)}`;
  });
  return `${lines.join('\n')}\n`;
}

export function renderCacheInfo({ folder, entries, sizeBytes }: CacheInfo): string {
  return `${folder}\n${entries} ${entries === 1 ? 'file' : 'files'}, ${sizeText(sizeBytes)}\n`;
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}
