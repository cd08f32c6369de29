import type { Sink } from '../../lib/reporters/reporter.ts';

/** A terminal that understands as much as the tree writes: enough to see what a person would. */
export interface Terminal extends Sink {
  /** All lines so far, scrolled ones included, without trailing blanks. */
  lines(): string[];
  /** The most lines that were ever rewritten at once. */
  readonly tallest: number;
  readonly writes: number;
}

export function terminalOf(columns: number, rows: number): Terminal {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  let tallest = 0;
  let writes = 0;
  const put = (character: string): void => {
    const line = lines[row] ?? '';
    lines[row] = line.padEnd(column).slice(0, column) + character + line.slice(column + 1);
    column++;
  };
  const write = (text: string): void => {
    writes++;
    for (let at = 0; at < text.length; at++) {
      // oxlint-disable-next-line no-control-regex -- escape codes are what this reads
      const code = text.slice(at).match(/^\u001B\[(\??[\d;]*)([A-Za-z])/);
      if (code) {
        at += code[0].length - 1;
        const count = Number(code[1] || 1) || 1;
        if (code[2] === 'A') {
          tallest = Math.max(tallest, count);
          row = Math.max(0, row - count);
        } else if (code[2] === 'B') row = Math.min(lines.length - 1, row + count);
        else if (code[2] === 'G') column = count - 1;
        else if (code[2] === 'K') lines[row] = code[1] === '2' ? '' : (lines[row] ?? '').slice(0, column);
        else if (code[2] === 'J') {
          lines.splice(row + 1);
          lines[row] = (lines[row] ?? '').slice(0, column);
        }
      } else if (text[at] === '\n') {
        row++;
        column = 0;
        lines[row] ??= '';
      } else if (text[at] === '\r') column = 0;
      else put(text[at] ?? '');
    }
  };
  return {
    write,
    isTTY: true,
    columns,
    rows,
    colour: false,
    lines: () => lines.map((line) => line.trimEnd()),
    get tallest() {
      return tallest;
    },
    get writes() {
      return writes;
    },
  };
}
