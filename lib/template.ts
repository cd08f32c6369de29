import { EXIT, UserError } from './errors.ts';

/**
 * From a `$` template to a line of bash (R27).
 *
 * Values are quoted where they are put in, so a value that the template itself puts inside quotes, a
 * here-document or a comment would not arrive as it is: it is refused before anything starts.
 */
export function assembleTemplate(
  pieces: readonly (string | undefined)[],
  values: readonly unknown[],
  quote: (text: string) => string,
): string {
  const reader = createReader();
  let line = '';
  for (const [index, piece] of pieces.entries()) {
    if (piece === undefined) {
      throw refusal(
        'the text of `$` has an escape that JavaScript does not know, such as `\\033`',
        'Write the backslash twice: `\\\\033`.',
      );
    }
    reader.read(piece);
    line += piece;
    if (index >= values.length) continue;
    const before = endOf(line);
    const where = `value ${index + 1} of \`$\`${before === '' ? '' : `, after \`${before}\`,`}`;
    const surrounding = reader.surrounding();
    if (surrounding) throw refusal(`${where} stands inside ${surrounding.what}`, surrounding.hint);
    line += wordsOf(values[index], where)
      .map((word) => quote(word))
      .join(' ');
    reader.readValue();
  }
  return line;
}

/** What of the line so far is shown, to find the place again. */
const endOf = (line: string): string => {
  const last = line.split('\n').findLast((one) => one.trim() !== '') ?? '';
  return last.length > 40 ? `…${last.slice(-39)}` : last;
};

function refusal(message: string, hint: string): UserError {
  return new UserError('template', message, EXIT.failed, { hint });
}

// ── Values ───────────────────────────────────────────────────────────────────────────────────────

function wordsOf(value: unknown, where: string): string[] {
  return Array.isArray(value) ? value.map((item: unknown) => wordOf(item, where)) : [wordOf(value, where)];
}

function wordOf(value: unknown, where: string): string {
  switch (typeof value) {
    case 'string':
      return withoutNull(value, where);
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
  }
  if (value instanceof URL) return value.href;
  if (isResult(value)) return withoutNull(value.text(), where);
  const what = Array.isArray(value)
    ? 'a list in a list'
    : value === null
      ? 'null'
      : typeof value === 'object'
        ? kindOf(value)
        : typeof value;
  throw refusal(
    `${where} is ${what}, which cannot stand in a command`,
    `${what === 'a promise' ? 'Await it first' : 'Give a string, a number, a boolean, a URL, the result of a command, or a flat array of these'}.`,
  );
}

function withoutNull(text: string, where: string): string {
  if (!text.includes('\0')) return text;
  throw refusal(`${where} contains a null character, which no argument of a program can`, 'Hand it over by `input`, or in a file.');
}

const isResult = (value: unknown): value is { text(): string } =>
  typeof value === 'object' && value !== null && 'exitCode' in value && 'text' in value && typeof value.text === 'function';

function kindOf(value: object): string {
  if ('then' in value) return 'a promise';
  const name = value.constructor?.name;
  return name && name !== 'Object' ? `an object (${name})` : 'an object';
}

// ── A reader of bash, as far as it matters where a value stands ──────────────────────────────────

type Frame =
  /** Commands: at the top, in `( )`, `$( )`, `<( )` and backquotes. */
  | { readonly kind: 'commands'; readonly end: ')' | '`' | undefined }
  | { readonly kind: 'single' | 'ansi' | 'double' | 'comment' }
  | { readonly kind: 'parameter' }
  | { readonly kind: 'arithmetic' }
  | { readonly kind: 'here-document' };

interface HereDocument {
  readonly delimiter: string;
  readonly stripsTabs: boolean;
}

interface Reader {
  read(text: string): void;
  /** A value was put in here: it is part of a word. */
  readValue(): void;
  /** What keeps a value from being put in here. */
  surrounding(): { readonly what: string; readonly hint: string } | undefined;
}

function createReader(): Reader {
  const frames: Frame[] = [{ kind: 'commands', end: undefined }];
  const awaited: HereDocument[] = [];
  let isWordStart = true;
  /** The line of a here-document so far. */
  let documentLine = '';
  const top = (): Frame => frames.at(-1) ?? { kind: 'commands', end: undefined };

  function read(text: string): void {
    let at = 0;
    while (at < text.length) at += step(text, at);
  }

  /** Read on at `at`; how many characters were read. */
  function step(text: string, at: number): number {
    const frame = top();
    switch (frame.kind) {
      case 'single':
        return endsWith(text, at, "'");
      case 'ansi':
        return text[at] === '\\' ? 2 : endsWith(text, at, "'");
      case 'comment':
        if (text[at] !== '\n') return 1;
        frames.pop();
        return step(text, at);
      case 'here-document':
        return inDocument(text, at);
      case 'double':
        if (text[at] === '\\') return 2;
        if (text[at] === '"') return leave();
        return expansion(text, at) ?? 1;
      case 'parameter':
        if (text[at] === '\\') return 2;
        if (text[at] === '}') return leave();
        return quoteOrExpansion(text, at) ?? 1;
      case 'arithmetic':
        if (text.startsWith('))', at)) return leave(2);
        return expansion(text, at) ?? 1;
      case 'commands':
        return inCommands(text, at, frame.end);
      default:
        return frame satisfies never;
    }
  }

  function inCommands(text: string, at: number, end: ')' | '`' | undefined): number {
    const character = text[at];
    if (character === '\n') {
      isWordStart = true;
      if (awaited.length > 0) frames.push({ kind: 'here-document' });
      return 1;
    }
    if (character === '#' && isWordStart) {
      frames.push({ kind: 'comment' });
      return 1;
    }
    if (character !== undefined && character === end) return leave();
    if (character === '\\') {
      isWordStart = false;
      return 2;
    }
    if (text.startsWith('<<', at)) return hereDocument(text, at);
    if (text.startsWith('((', at) && isWordStart) return enter({ kind: 'arithmetic' }, 2);
    if (character === '(') return enter({ kind: 'commands', end: ')' }, 1);
    const read = quoteOrExpansion(text, at);
    if (read !== undefined) return read;
    isWordStart = /[\s;&|()<>]/.test(character ?? '');
    return 1;
  }

  function quoteOrExpansion(text: string, at: number): number | undefined {
    // Inside double quotes, `${…}` takes single quotes as they are.
    const isInDouble = top().kind === 'parameter' && frames.at(-2)?.kind === 'double';
    if (text[at] === '"') return enter({ kind: 'double' }, 1);
    if (text[at] === "'" && !isInDouble) return enter({ kind: 'single' }, 1);
    if (text.startsWith("$'", at) && !isInDouble) return enter({ kind: 'ansi' }, 2);
    return expansion(text, at);
  }

  function expansion(text: string, at: number): number | undefined {
    if (text.startsWith('$((', at)) return enter({ kind: 'arithmetic' }, 3);
    if (text.startsWith('$(', at)) return enter({ kind: 'commands', end: ')' }, 2);
    if (text.startsWith('${', at)) return enter({ kind: 'parameter' }, 2);
    if (text[at] === '`') return enter({ kind: 'commands', end: '`' }, 1);
    return undefined;
  }

  function hereDocument(text: string, at: number): number {
    isWordStart = true;
    if (text.startsWith('<<<', at)) return 3;
    const match = text.slice(at).match(/^<<(-?)[ \t]*(?:'([^'\n]*)'|"([^"\n]*)"|\\?([^\s;&|()<>'"`$\\]+))/);
    if (!match) return 2;
    awaited.push({ delimiter: match[2] ?? match[3] ?? match[4] ?? '', stripsTabs: match[1] === '-' });
    isWordStart = false;
    return match[0].length;
  }

  function inDocument(text: string, at: number): number {
    const end = text.indexOf('\n', at);
    documentLine += end === -1 ? text.slice(at) : text.slice(at, end);
    if (end === -1) return text.length - at;
    const [document] = awaited;
    if (document && (document.stripsTabs ? documentLine.replace(/^\t+/, '') : documentLine) === document.delimiter) {
      awaited.shift();
      if (awaited.length === 0) frames.pop();
    }
    documentLine = '';
    isWordStart = true;
    return end - at + 1;
  }

  function endsWith(text: string, at: number, end: string): number {
    return text[at] === end ? leave() : 1;
  }

  function enter(frame: Frame, length: number): number {
    frames.push(frame);
    isWordStart = frame.kind === 'commands';
    return length;
  }

  function leave(length = 1): number {
    frames.pop();
    isWordStart = false;
    return length;
  }

  function surrounding(): ReturnType<Reader['surrounding']> {
    const drop = 'Drop the quotes around `${…}`: values are quoted already.';
    const frame = top();
    switch (frame.kind) {
      case 'single':
      case 'ansi':
        return { what: 'single quotes', hint: drop };
      case 'double':
        return { what: 'double quotes', hint: drop };
      case 'parameter':
        return frames.at(-2)?.kind === 'double' ? { what: 'double quotes', hint: drop } : undefined;
      case 'here-document':
        return { what: 'a here-document', hint: 'Hand the text over by `$({ input: text })`.' };
      case 'comment':
        return { what: 'a comment', hint: 'Take it out of the comment, or drop the comment.' };
      default:
        return undefined;
    }
  }

  return {
    read,
    readValue: () => {
      isWordStart = false;
    },
    surrounding,
  };
}
