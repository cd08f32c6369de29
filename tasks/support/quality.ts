import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyTask, Exec, LogFunction, Requirement } from 'taskwright';
import { task } from 'taskwright';
import { z } from 'zod';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './checkout.ts';
import { requires } from './containers/scope.ts';
import { openInfrahub } from './infrahub-project.ts';
import type { PartName, QualityCommand } from './layout.ts';
import type { ComposeVariables } from './settings.ts';
import { composeEnv } from './settings.ts';
import { PYTHON_VARIABLES, programOf, usesAutoflake } from './tools.ts';

/** Formatters and linters of a part of the code: from PATH, or in the container for tests. */
const common = {
  infrahub: infrahubInput,
  docker: z.boolean().default(false).describe('in the container for tests, with its tools'),
};

const CHANGE_NOTHING = z.boolean().default(false).describe('change nothing, fail when something would change');

/** Of the whole checkout: mypy follows the imports from one part to another. */
const PYTHON_FILES = ['**/*.{py,pyi,toml,cfg,ini}', '**/.pylintrc', 'poetry.lock'];

type What = 'format' | 'lint';

export function formatTask(part: PartName, after: readonly AnyTask[]) {
  return task({
    summary: `Format the Python code of ${WHERE[part]}.`,
    description: 'Autoflake where the checkout uses it, then ruff. The first failing command ends it.',
    input: { ...common, check: CHANGE_NOTHING },
    env: composeEnv,
    cwd: inCheckout,
    requires: (scope) => qualityRequires(scope, part, 'format'),
    after,
    passEnv: PYTHON_VARIABLES,
    // What rewrites files is quick, and what runs in the container has other tools each time.
    sources: ({ input }) => (input.check && !input.docker ? PYTHON_FILES : undefined),
    generates: [],
    run: (context) => runPart(context, part, 'format', context.input.check),
  });
}

export function lintTask(part: PartName) {
  return task({
    summary: `Lint the Python code of ${WHERE[part]}.`,
    description: 'Ruff, pylint and, where the checkout has it so, mypy. The first failing command ends it.',
    input: common,
    env: composeEnv,
    cwd: inCheckout,
    requires: (scope) => qualityRequires(scope, part, 'lint'),
    passEnv: PYTHON_VARIABLES,
    sources: ({ input }) => (input.docker ? undefined : PYTHON_FILES),
    generates: [],
    run: (context) => runPart(context, part, 'lint', true),
  });
}

const WHERE: Readonly<Record<PartName, string>> = {
  main: 'tasks/ and models/',
  sdk: 'the Python SDK',
  backend: 'the backend',
  sync: 'infrahub-sync',
};

interface Scope {
  readonly input: { readonly infrahub?: string | undefined; readonly docker: boolean };
  readonly invocationDir: string;
}

function commandsOf(folder: string, part: PartName, what: What): readonly QualityCommand[] {
  const commands = layoutOf(folder).quality[part][what];
  return usesAutoflake(folder) ? commands : commands.filter(({ argv }) => argv[0] !== 'autoflake');
}

/** All programs, before the first file is touched. */
function qualityRequires(scope: Scope, part: PartName, what: What): readonly Requirement[] {
  const folder = checkoutOf(scope);
  if (scope.input.docker) return requires('test', 'tests')(scope);
  const programs = new Set(commandsOf(folder, part, what).map(({ argv }) => argv[0]));
  return [checkout(folder), ...[...programs].map(programOf)];
}

interface Body extends Scope {
  readonly env: ComposeVariables;
  readonly exec: Exec;
  readonly log: LogFunction;
}

async function runPart(context: Body, part: PartName, what: What, changesNothing: boolean): Promise<void> {
  const { input, env, exec, log } = context;
  const folder = checkoutOf(context);
  const layout = layoutOf(folder);
  const missing = layout.quality[part].paths.filter((path) => !existsSync(join(folder, path)));
  if (missing.length > 0) return log.warn(`nothing to do: the checkout has no ${missing.join(', ')}`);

  const container = input.docker
    ? await openInfrahub({ checkout: folder, layout, use: 'test', selection: 'tests', database: undefined, env, exec })
    : undefined;
  // Inside the container the checkout has another path.
  const repository = container ? layout.source : folder;
  for (const { argv, check = argv, cwd = '.' } of commandsOf(folder, part, what)) {
    const words = (changesNothing ? check : argv).map((word) => word.replace('{repo}', () => repository));
    if (container) {
      const place = cwd === '.' ? [] : ['--workdir', `${layout.source}/${cwd}`];
      await container.run(['run', '--rm', ...place, layout.services.tests, ...words]);
    } else {
      await exec(words, { cwd: join(folder, cwd) });
    }
  }
}
