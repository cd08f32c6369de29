import { expect, test } from 'vitest';
import { afterOverwrites, cut, visible, widthOf, withoutControls } from '../lib/util/display.ts';

test.each([
  ['plain', 5],
  ['漢字', 4],
  ['한글', 4],
  ['é', 1],
  ['e\u0301', 1],
  ['🚀', 2],
  ['❤\uFE0F', 2],
  ['ｆｕｌｌ', 8],
  ['\t', 0],
])('%j takes %i columns', (text, columns) => {
  expect(widthOf(text)).toBe(columns);
});

test.each([
  ['plain', 5, 'plain'],
  ['plainly', 5, 'plai…'],
  ['漢字漢字', 5, '漢字…'],
  ['漢字漢字', 4, '漢…'],
  ['🚀🚀', 3, '🚀…'],
  ['anything', 0, ''],
])('%j cut to %i columns is %j', (text, columns, shown) => {
  expect(cut(text, columns)).toBe(shown);
});

test('control characters can be shown, taken out, and read as a terminal would', () => {
  expect(visible('a\nb\t\u001B[31m')).toBe('a\\nb\\t\\x1b[31m');
  expect(withoutControls('a\tb\u0007')).toBe('a b');
  expect(['10%\r20%', '10%\r20%\r', 'plain'].map(afterOverwrites)).toEqual(['20%', '20%', 'plain']);
});
