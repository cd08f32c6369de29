/** How much room a text takes on a terminal, and how it is made to fit into one line of it. */

/**
 * In columns. Counted by code points, so that what terminals join (a family of emoji, a flag) counts as
 * its parts: rather cut too early than let a line wrap. Escape codes are to be taken out before.
 */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Cut to `width` columns, with a sign that it was. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let room = width - 1;
  let end = 0;
  for (const character of text) {
    room -= columnsOf(character);
    if (room < 0) break;
    end += character.length;
  }
  return width > 0 ? `${text.slice(0, end)}…` : '';
}

/** With control characters as a string in code has them (`\n`, `\x1b`): it stays on its line, and does nothing there. */
export function visible(text: string): string {
  return text.replaceAll(CONTROL, (character) => ESCAPES[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** What a progress bar leaves of a line that it wrote over and over. */
export function afterOverwrites(line: string): string {
  const text = line.replace(/\r+$/, '');
  return text.slice(text.lastIndexOf('\r') + 1);
}

/** Without control characters: blanks where they parted words. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROL, (character) => (character === '\t' ? ' ' : ''));
}

const CONTROL = /\p{Cc}/gu;
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

function columnsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : 1;
  // Makes an emoji of the character before it, which is then twice as wide.
  if (code === 0xfe0f) return 1;
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) || /\p{Emoji_Presentation}/u.test(character) ? 2 : 1;
}

/** Wide and fullwidth in Unicode's East Asian Width, by blocks. */
const WIDE: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18d08],
  [0x1b000, 0x1b2fb],
  [0x20000, 0x3fffd],
];
