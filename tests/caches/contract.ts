import { expect, test } from 'vitest';
import type { Cache } from '../../lib/caches/cache.ts';

/** What every cache does (R35), a remote one too. */
export function cacheContract(name: string, make: () => Cache): void {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const text = (found: Uint8Array | undefined): string | undefined => found && new TextDecoder().decode(found);

  test(`${name}: what was written is read, by its key alone`, async () => {
    const cache = make();
    await cache.write('entry/abc1', bytes('one'));
    await cache.write('content/abc1', bytes('two'));

    expect([text(await cache.read('entry/abc1')), text(await cache.read('content/abc1')), await cache.read('entry/abc2')]).toEqual([
      'one',
      'two',
      undefined,
    ]);
  });

  test(`${name}: bytes come back as they were, none of them or many`, async () => {
    const cache = make();
    const many = new Uint8Array(3 * 2 ** 20).map((_, index) => index % 251);
    await cache.write('content/none', new Uint8Array());
    await cache.write('content/many', many);

    expect((await cache.read('content/none'))?.length).toBe(0);
    expect(Buffer.compare((await cache.read('content/many')) ?? new Uint8Array(), many)).toBe(0);
  });

  test(`${name}: twice the same is once, also at the same time`, async () => {
    const cache = make();
    await Promise.all(Array.from({ length: 20 }, () => cache.write('content/same', bytes('same'))));

    expect(text(await cache.read('content/same'))).toBe('same');
  });

  test(`${name}: what is removed is gone, and removing it again is no error`, async () => {
    const cache = make();
    await cache.write('entry/gone', bytes('x'));
    await cache.remove?.('entry/gone');
    await cache.remove?.('entry/gone');

    if (cache.remove) expect(await cache.read('entry/gone')).toBeUndefined();
  });

  test(`${name}: a key that leads out of it is refused`, async () => {
    const cache = make();
    for (const key of ['entry/../../x', '/etc/passwd', 'entry/a/b', 'ENTRY/abc', 'entry/']) {
      await expect(cache.write(key, bytes('x'))).rejects.toThrow('no key of a cache');
      await expect(cache.read(key)).rejects.toThrow('no key of a cache');
    }
  });

  test(`${name}: trimming an empty cache, or a small one, takes nothing away`, async () => {
    const cache = make();
    await cache.trim?.();
    await cache.write('entry/kept', bytes('x'));
    await cache.trim?.();

    expect(text(await cache.read('entry/kept'))).toBe('x');
  });
}
