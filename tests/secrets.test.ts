import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMasker } from '../lib/secrets.ts';

const SECRET = 'correct-horse-battery';

test('a secret is *** in whole texts, in JSON, in URLs and in quoted words (R29)', () => {
  const { add, mask } = createMasker();
  add(SECRET);
  add('with "quotes" & more');
  add('first long line\nsecond long line');

  expect(mask(`a ${SECRET} b ${SECRET}`)).toBe('a *** b ***');
  expect(mask(JSON.stringify({ a: 'with "quotes" & more' }))).toBe('{"a":"***"}');
  expect(mask(`https://x/?q=${encodeURIComponent('with "quotes" & more')}`)).toBe('https://x/?q=***');
  expect(mask('only the second long line')).toBe('only the ***');
});

test('what is shorter than 8 characters is left: it would blot out ordinary words (R29)', () => {
  const { add, mask } = createMasker();
  add('admin');
  expect(mask('the admin')).toBe('the admin');
});

test('a name of the run is left, though somebody took it for a password (R29)', () => {
  const { add, mask } = createMasker(new Set(['infrahub', 'demo.start']));
  add('infrahub');
  expect(mask('cloned into infrahub')).toBe('cloned into infrahub');
});

test('a stream of pieces, cut anywhere, never lets a secret through and loses nothing else (R29)', () => {
  const { add, mask, stream } = createMasker();
  add(SECRET);
  add('correct-horse');
  const text = fc
    .array(fc.oneof(fc.constantFrom(SECRET, 'correct-horse', 'correct-', 'c', 'battery', '\n'), fc.string({ maxLength: 5 })), {
      maxLength: 8,
    })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(20), { maxLength: 20 }), (whole, cuts) => {
      const masker = stream();
      let shown = '';
      let at = 0;
      for (const length of cuts) {
        shown += masker.push(whole.slice(at, at + length));
        at += length;
      }
      shown += masker.push(whole.slice(at)) + masker.flush();
      expect(shown).not.toContain('correct-horse');
      expect(shown).toBe(mask(whole));
    }),
    { numRuns: 2000 },
  );
});
