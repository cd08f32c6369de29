/** Source maps of the two passes that a file goes through, as one. Mappings only: no names, one source. */

/** Where something in the generated text came from; all from 0. */
interface Segment {
  readonly column: number;
  readonly line: number;
  readonly sourceColumn: number;
}
/** By line of the generated text, in order of columns. */
type Lines = readonly (readonly Segment[])[];

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export function decodeMappings(mappings: string): Lines {
  let line = 0;
  let sourceColumn = 0;
  return mappings.split(';').map((text) => {
    let column = 0;
    return text.split(',').flatMap((segment) => {
      const [columns = 0, , lines, sourceColumns = 0] = numbersOf(segment);
      column += columns;
      if (lines === undefined) return [];
      line += lines;
      sourceColumn += sourceColumns;
      return [{ column, line, sourceColumn }];
    });
  });
}

/** `later` maps what was made of what `earlier` maps. */
export function composeMappings(later: string, earlier: string): string {
  const origins = decodeMappings(earlier);
  const composed = decodeMappings(later).map((line) =>
    line.flatMap((segment) => {
      const origin = segmentAt(origins[segment.line] ?? [], segment.sourceColumn);
      return origin ? [{ ...origin, column: segment.column }] : [];
    }),
  );
  return encodeMappings(composed);
}

/** The same when something was put into the generated text, without line breaks: what stands behind it on its line moves. */
export function shiftMappings(
  mappings: string,
  text: string,
  insertions: readonly { readonly at: number; readonly length: number }[],
): string {
  let next = 0;
  let begin = 0;
  const ends = text.split('\n').map((line) => (begin += line.length + 1));
  const moved = decodeMappings(mappings).map((segments, index) => {
    const [from, end] = [ends[index - 1] ?? 0, ends[index] ?? text.length];
    const here: (typeof insertions)[number][] = [];
    for (let put = insertions[next]; put && put.at < end; put = insertions[++next]) here.push(put);
    if (here.length === 0) return segments;
    const by = (column: number): number => here.reduce((sum, { at, length }) => (at - from <= column ? sum + length : sum), 0);
    return segments.map((segment) => ({ ...segment, column: segment.column + by(segment.column) }));
  });
  return encodeMappings(moved);
}

/** The last one that begins at or before `column`. */
export function segmentAt(segments: readonly Segment[], column: number): Segment | undefined {
  return segments.findLast((segment) => segment.column <= column);
}

function encodeMappings(lines: Lines): string {
  let line = 0;
  let sourceColumn = 0;
  return lines
    .map((segments) => {
      let column = 0;
      return segments
        .map((segment) => {
          const text = [segment.column - column, 0, segment.line - line, segment.sourceColumn - sourceColumn].map(textOf).join('');
          ({ column, line, sourceColumn } = segment);
          return text;
        })
        .join(',');
    })
    .join(';');
}

/** Base64 VLQ: five bits a digit, the lowest first, the sign in the lowest bit of all. */
function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let value = 0;
  let shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits >= 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}

function textOf(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = '';
  do {
    const bits = rest & 31;
    rest >>>= 5;
    text += DIGITS[rest > 0 ? bits | 32 : bits];
  } while (rest > 0);
  return text;
}
