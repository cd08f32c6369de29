import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
export interface Block {
  /** Of the block's first line of text, from 1. */
  readonly line: number;
  /** `ts`, `sh` …; empty where none is given. */
  readonly language: string;
  /** The words after the language, which readers do not see: `run`. */
  readonly marks: readonly string[];
  readonly text: string;
}

export interface Link {
  readonly line: number;
  readonly target: string;
}

/** A page of the documentation. */
export interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** What `#…` may name. */
  readonly anchors: readonly string[];
}

/** README and everything below docs/. */
export function readPages(root: string): readonly Page[] {
  const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
  return ['README.md', ...below.toSorted().map((path) => join('docs', path))].map((path) =>
    parsePage(path, readFileSync(join(root, path), 'utf8')),
  );
}

export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const links: Link[] = [];
  const anchors: string[] = [];
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence && open) {
      const [language = '', ...marks] = open.info.split(' ');
      blocks.push({ line: open.line, language, marks, text: open.lines.join('\n') });
      open = undefined;
    } else if (fence) {
      open = { line: index + 2, info: fence[1]?.trim() ?? '', lines: [] };
    } else if (open) {
      open.lines.push(line);
    } else {
      const heading = /^#+ (.+)$/.exec(line);
      if (heading?.[1] !== undefined) anchors.push(anchorOf(heading[1]));
      const prose = line.replaceAll(/`[^`]*`/g, '');
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) links.push({ line: index + 1, target });
    }
  }
  if (open) throw new Error(`${path}:${open.line - 1}: a block that is never closed`);
  return { path, blocks, links, anchors };
}

/** As GitHub makes them. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** A whole workflow of GitHub, not a piece of one. */
export const isWorkflow = ({ language, text }: Block): boolean => language === 'yaml' && /^jobs:/m.test(text);

/** The words of each `tasks` command of a shell block, or of the steps of a whole workflow, without comments. */
export function commandsOf(block: Block): readonly (readonly string[])[] {
  return block.text.split('\n').flatMap((line) =>
    wordsOf(line.replace(/^ *(?:- )?run: /, ''))
      .join('\0')
      .split(/\0&&\0/)
      .map((command) => command.split('\0'))
      .flatMap(([first, second, ...rest]) => {
        if (first === 'npx' && (second === 'tasks' || second === 'taskwright')) return [rest];
        return first === 'tasks' ? [second === undefined ? rest : [second, ...rest]] : [];
      }),
  );
}

/** A line's words as a shell reads them, as far as the pages need it: quotes, and `#` for a comment. */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [word, single, double] of line.matchAll(/'([^']*)'|"([^"]*)"|\S+/g)) {
    if (word.startsWith('#')) break;
    words.push(single ?? double ?? word);
  }
  return words;
}
