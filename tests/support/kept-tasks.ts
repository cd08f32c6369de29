import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { task } from '../../lib/task.ts';

/** Tasks that leave files and values behind, for tests of what is kept of them. Declared where a module begins, as users do. */
export const ran: string[] = [];
/** What a killed process does not do any more. */
export const world = { isDead: false };

function begin(name: string): void {
  if (world.isDead) throw new Error('dead');
  ran.push(name);
}

const read = (root: string): string => readFileSync(join(root, 'src/a.txt'), 'utf8');

export const build = task({
  summary: 'Build.',
  output: z.object({ text: z.string() }),
  sources: ['src/**'],
  generates: ['out/**'],
  run({ root }) {
    begin('build');
    mkdirSync(join(root, 'out'), { recursive: true });
    writeFileSync(join(root, 'out/a.txt'), read(root).toUpperCase());
    return { text: read(root) };
  },
});

export const image = task({
  summary: 'Image.',
  needs: { build },
  output: z.object({ tag: z.string() }),
  sources: [],
  generates: ['image/**'],
  cache: true,
  run({ root, needs }) {
    begin('image');
    mkdirSync(join(root, 'image'), { recursive: true });
    writeFileSync(join(root, `image/${needs.build.text}`), needs.build.text);
    return { tag: needs.build.text };
  },
});

/** It does not say what it leaves behind. */
export const publish = task({
  summary: 'Publish.',
  needs: { image },
  sources: ['src/**'],
  run({ root }) {
    begin('publish');
    writeFileSync(join(root, 'published'), read(root));
  },
});
