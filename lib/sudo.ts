import { CommandFailedError, EXIT, UserError } from './errors.ts';
import type { CommandOptions, CommandResult } from './runners/runner.ts';
import { runOf } from './shell.ts';
import type { Exec, TaskContext } from './task.ts';

export interface SudoOptions extends CommandOptions {
  /** As whom. Default: root. */
  readonly user?: string;
  /** Typed at sudo's prompt, never put on its command line. Without one, sudo asks on the terminal, where there is one. */
  readonly password?: string;
  /** Names of variables that the program is to see: sudo takes away most. */
  readonly keepEnv?: readonly string[];
}

/** Nobody else asks like this: asked again means that the password was refused. */
const PROMPT = '[taskwright] password for sudo: ';

/**
 * Run a program as root, or as another user, through sudo where that is needed.
 *
 * Whether it is needed, and asks for a password, is looked up once in a run. Who is root already runs it as
 * it is; who may use sudo freely is asked nothing.
 *
 * @example await sudo(context, ['systemctl', 'restart', 'app'], { password: context.env.SUDO_PASSWORD })
 * @throws {CommandFailedError} when the program fails, or sudo refuses the password
 * @throws {UserError} when a password is needed and nobody can be asked for it
 */
export async function sudo(
  { exec }: Pick<TaskContext, 'exec'>,
  argv: Parameters<Exec>[0],
  { user, password, keepEnv = [], ...options }: SudoOptions = {},
): Promise<CommandResult> {
  const need = needsIn(exec);
  if (user === undefined && (await need.isRoot())) return exec(argv, options);
  const who = [...(user === undefined ? [] : ['-u', user]), ...(keepEnv.length > 0 ? [`--preserve-env=${keepEnv.join(',')}`] : [])];
  if (password !== undefined) {
    const answer = { when: PROMPT, answer: `${password}\n`, refused: PROMPT, secret: true };
    return exec(['sudo', '-S', '-p', PROMPT, ...who, '--', ...argv], { ...options, respond: [answer, ...(options.respond ?? [])] });
  }
  if (await need.isFree(user)) return exec(['sudo', '-n', ...who, '--', ...argv], options);
  try {
    return await exec(['sudo', ...who, '--', ...argv], { ...options, interactive: options.interactive ?? true });
  } catch (error) {
    if (!(error instanceof CommandFailedError) || !/a (terminal|password) is required/.test(error.result.stderr)) throw error;
    throw new UserError('sudo-password', 'sudo needs a password here, and there is no terminal to ask for it', EXIT.failed, {
      hint: 'Give `password` from a secret variable, or set `SUDO_ASKPASS`.',
      cause: error,
    });
  }
}

interface Needs {
  readonly isRoot: () => Promise<boolean>;
  /** Whether sudo asks nothing to become `user`. */
  readonly isFree: (user: string | undefined) => Promise<boolean>;
}

const needsOfRuns = new WeakMap<object, Needs>();

function needsIn(exec: Exec): Needs {
  const run = runOf(exec);
  const known = needsOfRuns.get(run);
  if (known) return known;
  const look = { readOnly: true, quiet: true, nothrow: true };
  const answers = new Map<string, Promise<boolean>>();
  const once = (question: string, ask: () => Promise<boolean>): Promise<boolean> => {
    const answer = answers.get(question) ?? ask();
    answers.set(question, answer);
    return answer;
  };
  const needs: Needs = {
    isRoot: () => once('root', async () => (await exec(['id', '-u'], look)).text() === '0'),
    isFree: (user) =>
      once(`free ${user ?? ''}`, async () => (await exec(['sudo', '-n', ...(user === undefined ? [] : ['-u', user]), 'true'], look)).ok),
  };
  needsOfRuns.set(run, needs);
  return needs;
}
