import { afterOverwrites } from '../util/display.ts';

/** Texts that come in pieces, by where they come from, cut into whole lines: lines of two commands are never torn. */
export interface WholeLines {
  /** The lines that are whole by now, without their line breaks. */
  push(source: string, text: string): string[];
  /** What is left of the sources whose names begin so: last lines without a line break. */
  flush(prefix: string): string[];
}

export function createWholeLines(): WholeLines {
  const open = new Map<string, string>();
  return {
    push(source, text) {
      const before = open.get(source) ?? '';
      const end = text.lastIndexOf('\n');
      open.set(source, end < 0 ? before + text : text.slice(end + 1));
      // Looked at when it is whole: a line of many megabytes comes in many pieces.
      return end < 0 ? [] : (before + text.slice(0, end)).split('\n').map(afterOverwrites);
    },
    flush(prefix) {
      const rest: string[] = [];
      for (const [source, text] of open) {
        if (!source.startsWith(prefix)) continue;
        if (text !== '') rest.push(afterOverwrites(text));
        open.delete(source);
      }
      return rest;
    },
  };
}
