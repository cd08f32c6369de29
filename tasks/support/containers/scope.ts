import type { Exec, LockSpec, LogFunction, Requirement } from 'taskwright';
import { z } from 'zod';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from '../checkout.ts';
import { docker } from '../docker.ts';
import type { InfrahubProject } from '../infrahub-project.ts';
import { openInfrahub } from '../infrahub-project.ts';
import type { Database, Selection, Use } from '../layout.ts';
import type { Subject } from '../preconditions.ts';
import { composeFilesAreThere, projectHasName } from '../preconditions.ts';
import { serviceSchema } from '../services.ts';
import type { ComposeVariables } from '../settings.ts';
import { SETTINGS_FILES, composeEnv, databaseInput } from '../settings.ts';

/** What all tasks on the containers of a checkout have in common. */
export const common = { infrahub: infrahubInput, database: databaseInput };

/** Settings are read as the server reads them, so that tasks and server agree. */
export const inProject = { env: composeEnv, dotenv: SETTINGS_FILES, cwd: inCheckout } as const;

/** One task at a time changes the containers of a checkout, from whatever terminal. */
export const alone = { lock: (scope: Scope): LockSpec => ({ name: `containers of ${checkoutOf(scope)}`, machine: true }) } as const;

export const projectOutput = z.object({ project: z.string(), services: z.array(serviceSchema) });

export interface Scope {
  readonly input: { readonly infrahub?: string | undefined; readonly database?: Database | undefined };
  readonly invocationDir: string;
}

export interface Body extends Scope {
  readonly env: ComposeVariables;
  readonly exec: Exec;
  /** For what the user should know. */
  readonly log?: LogFunction;
}

export const subjectOf = (scope: Scope, use: Use, selection: Selection): Subject => ({
  checkout: checkoutOf(scope),
  use,
  selection,
  database: scope.input.database,
});

/** A checkout, docker, a name and the files: and what else the task asks for. */
export const requires =
  (use: Use, selection: Selection, more: readonly ((subject: Subject) => Requirement)[] = []) =>
  (scope: Scope): Requirement[] => {
    const subject = subjectOf(scope, use, selection);
    const { checkout: folder } = subject;
    return [checkout(folder), docker, projectHasName(folder), composeFilesAreThere(subject), ...more.map((one) => one(subject))];
  };

export function open(context: Body, use: Use, selection: Selection): Promise<InfrahubProject> {
  const folder = checkoutOf(context);
  for (const name of ['IMAGE_NAME', 'IMAGE_VER'] as const) {
    if (context.env[name] !== undefined) context.log?.warn(`${name} is set, and not read: the variable is INFRAHUB_${name}`);
  }
  return openInfrahub({
    checkout: folder,
    layout: layoutOf(folder),
    use,
    selection,
    database: context.input.database,
    env: context.env,
    exec: context.exec,
  });
}
