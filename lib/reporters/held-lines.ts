import type { Sink } from './reporter.ts';

/** A place for lines of which there may be thousands in a row, and that nobody waits for. */
export interface HeldLines {
  write(text: string): void;
  /** Written with what follows, at the latest when this turn of the event loop is over. */
  hold(text: string): void;
}

/** For a step that is left alone a call into the kernel of its own is a good part of what it costs. */
export function heldLines(sink: Sink): HeldLines {
  let held = '';
  const flush = (): void => {
    if (held !== '') sink.write(held);
    held = '';
  };
  return {
    write(text) {
      held += text;
      flush();
    },
    hold(text) {
      if (held === '') setImmediate(flush);
      held += text;
    },
  };
}
