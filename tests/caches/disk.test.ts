import { readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diskCache } from '../../lib/caches/index.ts';
import { realFileSystem } from '../../lib/util/file-system.ts';
import { projectWith } from '../support/project.ts';
import { cacheContract } from './contract.ts';

const DAY_MS = 86_400_000;
const bytes = (size: number): Uint8Array => new Uint8Array(size);

function diskIn(folder: string, options: { readonly maxSizeBytes?: number; readonly now?: () => number } = {}) {
  return diskCache({ fs: realFileSystem, now: Date.now, folder, ...options });
}

cacheContract('disk', () => diskIn(projectWith().path('cache')));

test('it is bounded by size: what was used least goes first (R35)', async () => {
  let now = Date.now();
  const cache = diskIn(projectWith().path('cache'), { maxSizeBytes: 2500, now: () => now });
  for (const key of ['content/aaa', 'content/bbb', 'content/ccc']) await cache.write(key, bytes(1000));
  now += 2 * DAY_MS;
  await cache.read('content/aaa');
  await cache.trim?.();

  expect(cache.info()).toMatchObject({ entries: 2, sizeBytes: 2000 });
  expect(await cache.read('content/aaa')).toBeDefined();
});

test('it is bounded by age, and clears what a killed run left aside (R35)', async () => {
  let now = Date.now();
  const folder = projectWith().path('cache');
  const cache = diskIn(folder, { now: () => now });
  await cache.write('content/old', bytes(1));
  writeFileSync(join(folder, 'content', 'ol', 'old.123.0.tmp'), '');
  now += 2 * DAY_MS;
  await cache.trim?.();
  expect(readdirSync(join(folder, 'content', 'ol'))).toEqual(['old']);

  now += 40 * DAY_MS;
  await cache.trim?.();
  expect(cache.info().entries).toBe(0);
});

test('its files are for the owner alone, and a link in it is not followed (R35)', async () => {
  const project = projectWith({ secret: 'not ours' });
  const folder = project.path('cache');
  const cache = diskIn(folder);
  await cache.write('content/abc', bytes(1));
  symlinkSync(project.path('secret'), join(folder, 'content', 'ab', 'abd'));

  expect([statSync(join(folder, 'content', 'ab', 'abc')).mode & 0o777, statSync(folder).mode & 0o077]).toEqual([0o600, 0]);
  expect(await cache.read('content/abd')).toBeUndefined();
});
