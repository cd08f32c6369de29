/** The end of a text that comes in pieces, bounded in lines and size. */
export interface Tail {
  push(text: string): void;
  text(): string;
}

/** @param maxCharacters a bound on memory, whatever the lines */
export function createTail(maxLines: number, maxCharacters = 64 * 1024): Tail {
  let kept = '';
  return {
    push(text) {
      kept += text;
      // Cut seldom, so that many small pieces cost no more than one large one.
      if (kept.length > 2 * maxCharacters) kept = kept.slice(-maxCharacters);
    },
    text() {
      const lines = kept.slice(-maxCharacters).split('\n');
      const last = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
      return last.slice(-maxLines).join('\n');
    },
  };
}
