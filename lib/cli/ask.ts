import type { Answer, Ask } from '../engine.ts';
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
  return async (question): Promise<Answer> => {
    if (yes) {
      stderr.write(`? ${question} yes (--yes)\n`);
      return 'yes';
    }
    if (!canAsk) return 'no-terminal';
    const { confirm, isCancel } = await import('@clack/prompts');
    const answer = await confirm({ message: question, initialValue: false, input, output: process.stderr });
    // The end of input and Ctrl-C are a no.
    return !isCancel(answer) && answer ? 'yes' : 'no';
  };
}

/** The texts of required inputs that were not given; `undefined` when the user would rather not say. */
export async function askForMissing(
  name: string,
  fields: readonly Field[],
  input: NodeJS.ReadStream,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { isCancel, password, select, text } = await import('@clack/prompts');
  const texts = new Map<string, string>();
  for (const field of fields) {
    const message = `${name} ${spellingsOf(field).long}${field.description === undefined ? '' : `: ${field.description}`}`;
    const common = { message, input, output: process.stderr };
    const answer =
      field.kind.type === 'enum'
        ? await select({ ...common, options: field.kind.values.map((value) => ({ value: String(value) })) })
        : field.secret
          ? await password(common)
          : await text(common);
    if (isCancel(answer)) return undefined;
    texts.set(field.key, answer);
  }
  return texts;
}
