import { Writable } from 'node:stream';
import type { Answer, Ask } from '../engine.ts';
import { EXIT, UserError } from '../errors.ts';
import { spellingsOf } from '../flags.ts';
import type { Sink } from '../reporters/reporter.ts';
import type { Field } from '../schema.ts';

/** Questions on the terminal, before anything runs. They go to stderr: stdout is for results. */
export interface AskOptions {
  readonly yes: boolean;
  /** Somebody can answer: a terminal, not CI, not `--no-input`. */
  readonly canAsk: boolean;
  readonly input: NodeJS.ReadStream;
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
    const answer = await confirm({ message: question, initialValue: false, input, output: streamOf(stderr), signal });
    if (isCancel(answer)) throw stoppedAtQuestion();
    return answer ? 'yes' : 'no';
  };
}

/**
 * The texts of required inputs that were not given.
 *
 * @throws {UserError} at Ctrl-C
 */
export async function askForMissing(
  name: string,
  fields: readonly Field[],
  { input, stderr }: Pick<AskOptions, 'input' | 'stderr'>,
): Promise<ReadonlyMap<string, string>> {
  const { isCancel, password, select, text } = await import('@clack/prompts');
  const texts = new Map<string, string>();
  for (const field of fields) {
    const message = `${name} ${spellingsOf(field).long}${field.description === undefined ? '' : `: ${field.description}`}`;
    const common = { message, input, output: streamOf(stderr) };
    const answer =
      field.kind.type === 'enum'
        ? await select({ ...common, options: field.kind.values.map((value) => ({ value: String(value) })) })
        : field.secret
          ? await password(common)
          : await text(common);
    if (isCancel(answer)) throw stoppedAtQuestion();
    texts.set(field.key, answer);
  }
  return texts;
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
