import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PAGE = readFileSync(join(HERE, '../docs/coming-from-invoke.md'), 'utf8').split('\n');

/** Rows of the tables of features: those with three columns. */
const rows = PAGE.filter(
  (line) => line.startsWith('| ') && line.replaceAll('\\|', '').split(' |').length >= 4 && !/^\| (-|Invoke \|)/.test(line),
);

test('each feature of Invoke has a test here, or a reason why it is left out, or is said to be missing', () => {
  expect(rows.length).toBeGreaterThan(280);
  expect(rows.filter((row) => !/<!-- \S+\.ts.* -->|left out|not in this version yet/.test(row))).toEqual([]);
});

test('the tests that the page names are there', () => {
  const named = PAGE.flatMap((line) =>
    [...line.matchAll(/<!-- (\S+\.ts)(?:: (.+?))? -->/g)].map(([, file = '', title = '']) => ({ file, title })),
  );
  const isThere = ({ file, title }: { readonly file: string; readonly title: string }): boolean =>
    title !== '' && existsSync(join(HERE, file)) && readFileSync(join(HERE, file), 'utf8').includes(title);
  expect(named.length).toBeGreaterThan(150);
  expect(named.filter((one) => !isThere(one))).toEqual([]);
});
