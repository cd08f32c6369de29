/** The end of a text that comes in pieces, bounded in lines and size. */
export interface Tail {
  push(text: string): void;
  text(): string;
  /** Whether something at the beginning was let go. */
  isCut(): boolean;
}

/** @param maxCharacters a bound on memory, whatever the lines */
export function createTail(maxLines: number, maxCharacters = 64 * 1024): Tail {
  let kept = '';
  let isCut = false;
  return {
    push(text) {
      kept += text;
      // Cut seldom, so that many small pieces cost no more than one large one.
      if (kept.length <= 2 * maxCharacters) return;
      kept = kept.slice(-maxCharacters);
      isCut = true;
    },
    text() {
      const lines = kept.slice(-maxCharacters).split('\n');
      const last = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
      return last.slice(-maxLines).join('\n');
    },
    isCut: () => isCut || kept.length > maxCharacters,
  };
}
