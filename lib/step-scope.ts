import { isAbsolute, resolve } from 'node:path';
import type { Environment } from './environment.ts';
import { createEnvironments } from './environment.ts';
import type { Planner, Step } from './plan.ts';
import type { CommandResult, Runner } from './runners/runner.ts';
import { createMasker } from './secrets.ts';
import { bindShell } from './shell.ts';
import type { InputScope, RequirementScope } from './task.ts';
import { specOf } from './task.ts';

/** Where a step runs and which variables it sees. */
export interface StepScope {
  readonly cwd: string;
  readonly environment: Environment;
  /** For the functions of a declaration that may look around: `requires`, `confirm`, `upToDate`. */
  readonly looking: RequirementScope;
}

export interface StepScopes {
  /** The same as {@link StepScopes.read}, where it can be told at once. */
  known(step: Step): StepScope | undefined;
  /** As of now: files of variables are read again, since earlier steps may have written them. */
  read(step: Step): Promise<StepScope>;
  /** Without its files of variables: for looking around where these cannot be read. */
  readWithoutFiles(step: Step): Promise<StepScope>;
  /** Absolute paths of the files of variables that `step` reads. */
  dotenvFilesOf(step: Step): readonly string[];
  inputScopeOf(step: Step): InputScope<unknown>;
  cwdOf(step: Step): string;
  /** A body begins or is over: what files of variables say may change while one runs. */
  touch(change: 1 | -1): void;
  /** Aborts when nothing is to be looked at any more. */
  readonly signal: AbortSignal;
}

export interface StepScopesOptions {
  readonly planner: Planner;
  readonly runner: Runner;
  readonly root: string;
  readonly invocationDir: string;
  /** The real environment. */
  readonly base: Readonly<Record<string, string | undefined>>;
  /** Files of variables of the config, absolute. */
  readonly dotenvFiles: readonly string[];
  readonly signal: AbortSignal;
}

export function createStepScopes(options: StepScopesOptions): StepScopes {
  const { planner, root, invocationDir } = options;

  const inputScopeOf = (step: Step): InputScope<unknown> => planner.bindingOf(step).scope;

  function cwdOf(step: Step): string {
    const { cwd } = specOf(planner.bindingOf(step).task);
    const wanted = typeof cwd === 'function' ? cwd(inputScopeOf(step)) : cwd;
    return wanted === undefined ? root : resolve(root, wanted);
  }

  function dotenvFilesOf(step: Step): readonly string[] {
    const own = specOf(planner.bindingOf(step).task).dotenv ?? [];
    if (own.length === 0) return options.dotenvFiles;
    const cwd = cwdOf(step);
    return [...options.dotenvFiles, ...own.map((file) => (isAbsolute(file) ? file : resolve(cwd, file)))];
  }

  const read = (step: Step): Promise<StepScope> => readWith(step, dotenvFilesOf(step));

  const environments = createEnvironments(options.base);
  /** Of each folder: most steps stand in the same one, and see the same variables. */
  const scopes = new Map<string, StepScope>();

  async function readWith(step: Step, files: readonly string[]): Promise<StepScope> {
    const cwd = cwdOf(step);
    const environment = await environments.read(files, (argv, where) =>
      look(options.runner, argv, { cwd: where?.cwd ?? cwd, env: options.base, signal: options.signal }),
    );
    return scopeIn(cwd, environment);
  }

  function known(step: Step): StepScope | undefined {
    const environment = environments.known(dotenvFilesOf(step));
    return environment && scopeIn(cwdOf(step), environment);
  }

  function scopeIn(cwd: string, environment: Environment): StepScope {
    const last = scopes.get(cwd);
    if (last?.environment === environment) return last;
    const scope: StepScope = {
      cwd,
      environment,
      looking: {
        root,
        invocationDir,
        cwd,
        env: environment.variables,
        signal: options.signal,
        look: (argv, where) =>
          look(options.runner, argv, {
            cwd: where?.cwd ?? cwd,
            env: environment.variables,
            timeoutMs: where?.timeoutMs,
            signal: options.signal,
          }),
      },
    };
    scopes.set(cwd, scope);
    return scope;
  }

  return {
    known,
    read,
    readWithoutFiles: (step) => readWith(step, []),
    dotenvFilesOf,
    inputScopeOf,
    cwdOf,
    touch: environments.touch,
    signal: options.signal,
  };
}

/** Run a command that only looks: silent, never throws, bounded in time. */
export async function look(
  runner: Runner,
  argv: readonly string[],
  where: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<CommandResult> {
  const silent = bindShell({
    run: {},
    runner,
    cwd: where.cwd,
    env: where.env,
    graceMs: 1000,
    timeoutMs: where.timeoutMs ?? 30_000,
    warnOnly: true,
    foreground: false,
    interactive: false,
    hasTerminal: false,
    pty: undefined,
    onNotice: () => {},
    onTerminal: () => {},
    colour: false,
    columns: undefined,
    dryRun: false,
    masking: createMasker(),
    onStart: () => {},
    onOutput: () => {},
    onEnd: () => {},
  });
  const end = (): void => silent.end('SIGTERM');
  where.signal?.addEventListener('abort', end, { once: true });
  if (where.signal?.aborted) end();
  const result = await silent.exec(argv, { quiet: true, nothrow: true });
  await silent.close();
  where.signal?.removeEventListener('abort', end);
  return result;
}
