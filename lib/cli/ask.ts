import { Writable } from 'node:stream';
import type { Answer, Ask } from '../engine.ts';
import { EXIT, UserError } from '../errors.ts';
import { spellingsOf } from '../flags.ts';
import type { Sink } from '../reporters/reporter.ts';
import type { Field, FieldKind } from '../schema.ts';

/** Questions on the terminal, before anything runs. They go to stderr: stdout is for results. */
export interface AskOptions {
  readonly yes: boolean;
  /** Somebody can answer: a terminal, not CI, not `--no-input`. */
  readonly canAsk: boolean;
  /** Opened when a question is put: a stream costs more than a run needs to begin. */
  readonly input: () => NodeJS.ReadStream;
  readonly stderr: Sink;
}

export function createAsk({ yes, canAsk, input, stderr }: AskOptions): Ask {
  return async (question, signal): Promise<Answer> => {
    if (yes) {
      stderr.write(`? ${question} yes (--yes)\n`);
      return 'yes';
    }
    if (!canAsk) return 'no-terminal';
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: question, initialValue: false, input: input(), output: streamOf(stderr), signal });
    if (isCancel(answer)) throw stoppedAtQuestion();
    return answer ? 'yes' : 'no';
  };
}

/** What somebody types for an input of a task. `refuse` says what is wrong with it, and it is asked again. */
export type AskForText = (task: string, field: Field, refuse: (typed: string) => string | undefined) => Promise<string>;

/** Its function throws a {@link UserError} at Ctrl-C. */
export function createAskForText({ input, stderr }: Pick<AskOptions, 'input' | 'stderr'>): AskForText {
  return async (task, field, refuse) => {
    const { isCancel, multiselect, password, select, text } = await import('@clack/prompts');
    const { kind } = field;
    const message = `${task} ${spellingsOf(field).long}${field.description === undefined ? '' : `: ${field.description}`}`;
    const common = { message, input: input(), output: streamOf(stderr) };
    const choices = (values: readonly (string | number)[]) => values.map((value) => ({ value: String(value) }));
    const validate = (typed: string | undefined): string | undefined => refuse(typed ?? '');
    let answer: string | readonly string[] | symbol;
    if (kind.type === 'enum') answer = await select({ ...common, options: choices(kind.values) });
    else if (kind.type === 'array' && kind.item.type === 'enum') {
      answer = await multiselect({ ...common, options: choices(kind.item.values), required: true });
    } else if (field.secret) answer = await password({ ...common, validate });
    else answer = await text({ ...common, placeholder: howToType(kind), validate });
    if (isCancel(answer)) throw stoppedAtQuestion();
    return typeof answer === 'string' ? answer : JSON.stringify(answer);
  };
}

function howToType(kind: FieldKind): string {
  switch (kind.type) {
    case 'array':
      return 'one or more, with commas between';
    case 'key-value':
      return 'NAME=value, more with commas between';
    case 'date':
      return 'such as 2026-11-24';
    case 'url':
      return 'such as https://example.org/';
    case 'json':
      return 'JSON';
    default:
      return '';
  }
}

/** One of the tasks, found by typing a part of its name or of what it does. */
export async function pickTask(
  tasks: readonly { readonly name: string; readonly summary: string }[],
  { input, stderr }: Pick<AskOptions, 'input' | 'stderr'>,
): Promise<string> {
  const { autocomplete, isCancel } = await import('@clack/prompts');
  const answer = await autocomplete({
    message: 'Which task?',
    placeholder: 'type to search',
    options: tasks.map(({ name, summary }) => ({ value: name, label: name, hint: summary })),
    filter: (search, option) => `${option.label ?? ''} ${option.hint ?? ''}`.toLowerCase().includes(search.toLowerCase()),
    maxItems: Math.max(3, stderr.rows - 6),
    input: input(),
    output: streamOf(stderr),
  });
  if (isCancel(answer)) throw stoppedAtQuestion();
  return answer;
}

/** The terminal gives its keys one by one while a question stands, so Ctrl-C does not come as a signal. */
const stoppedAtQuestion = (): UserError => new UserError('interrupted', 'stopped at a question: nothing has run', EXIT.interrupted);

function streamOf(sink: Sink): Writable {
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      sink.write(chunk);
      done();
    },
  });
  return Object.assign(stream, { isTTY: sink.isTTY, columns: sink.columns, rows: sink.rows });
}
