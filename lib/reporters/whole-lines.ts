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
      const parts = ((open.get(source) ?? '') + text).split('\n');
      open.set(source, parts.pop() ?? '');
      return parts.map(lastOverwrite);
    },
    flush(prefix) {
      const rest: string[] = [];
      for (const [source, text] of open) {
        if (!source.startsWith(prefix)) continue;
        if (text !== '') rest.push(lastOverwrite(text));
        open.delete(source);
      }
      return rest;
    },
  };
}

/** What a progress bar leaves of a line that it wrote over and over. */
function lastOverwrite(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf('\r') + 1);
}
