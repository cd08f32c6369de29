import { stripVTControlCharacters } from 'node:util';

/** Text in columns and paragraphs, for people. A width of `undefined` (a pipe) wraps nothing. */
/** Words of `text` in lines of at most `width` characters. Line breaks of the text stay. */
export function wrap(text: string, width: number | undefined): string[] {
  if (width === undefined) return text.split('\n');
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(width, 10)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (widthOf(longer) <= width || current === '') current = longer;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current];
}

/** Rows of a name and its text: texts aligned, wrapped under themselves; below the name where there is no room beside it. */
export function twoColumns(rows: readonly (readonly [left: string, right: string])[], indent: number, width: number | undefined): string[] {
  const widest = Math.max(0, ...rows.map(([left]) => widthOf(left)));
  const column = Math.min(widest, width === undefined ? widest : Math.floor(width * 0.45));
  const pad = ' '.repeat(indent);
  return rows.flatMap(([left, right]) => {
    if (right === '') return [pad + left];
    const texts = wrap(right, width === undefined ? undefined : width - indent - column - 2);
    const under = ' '.repeat(indent + column + 2);
    if (widthOf(left) > column) return [pad + left, ...texts.map((text) => under + text)];
    const [first = '', ...more] = texts;
    return [`${pad}${left}${' '.repeat(column - widthOf(left) + 2)}${first}`, ...more.map((text) => under + text)];
  });
}

/** In characters, escape codes not counted. Good for what names and summaries are made of. */
export const widthOf = (text: string): number => [...stripVTControlCharacters(text)].length;
