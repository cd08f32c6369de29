import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Exec } from 'taskwright';
import type { Compose } from './compose.ts';
import { openProject } from './compose.ts';
import type { ComposeFile, Layout, Selection } from './layout.ts';
import type { Choice, ComposeSettings, ComposeVariables } from './settings.ts';
import { brokerOf, composeSettings } from './settings.ts';

/** The compose project of a checkout: its files, variables and name follow from its layout. */
export interface InfrahubProject extends Compose {
  readonly project: string;
  readonly checkout: string;
  readonly settings: ComposeSettings;
  readonly layout: Layout;
  /** Services that are pulled: database, message queue, cache. */
  readonly dependencies: readonly string[];
}

/** Made anew for each call: no list is shared between two. Relative to the checkout, whatever folder the user stands in. */
export function composeFiles(choice: Choice, selection: Selection, env: ComposeVariables): string[] {
  const { checkout, layout } = choice;
  const settings = composeSettings(choice, env);
  const filled = (file: string): string =>
    file.replace('{database}', settings.INFRAHUB_DB_TYPE).replace('{broker}', brokerOf(layout, env).fileSuffix);
  const chosen = (file: ComposeFile): string | undefined => {
    if (typeof file === 'string') return filled(file);
    if ('localBuild' in file) return settings.IMAGE_VER.includes('local') ? file.localBuild : undefined;
    return existsSync(join(checkout, file.override)) ? file.override : file.otherwise;
  };
  return layout.compose.files[selection].map(chosen).filter((file) => file !== undefined);
}

export interface OpenOptions extends Choice {
  readonly selection: Selection;
  readonly env: ComposeVariables;
  readonly exec: Exec;
}

/** @throws {UserError} where docker, its engine or compose is missing */
export async function openInfrahub(options: OpenOptions): Promise<InfrahubProject> {
  const { checkout, layout, use, selection, env, exec } = options;
  const settings = composeSettings(options, env);
  const compose = await openProject({
    cwd: checkout,
    files: composeFiles(options, selection, env),
    project: settings.INFRAHUB_BUILD_NAME,
    options: [...(env.TERM === 'dumb' ? layout.compose.dumbTerminal : []), ...layout.compose.options[use]],
    env: { ...settings },
    docker: env,
    exec,
  });
  const dependencies = [layout.services.database.service, ...Object.keys(brokerOf(layout, env).ports)];
  return { ...compose, project: settings.INFRAHUB_BUILD_NAME, checkout, settings, layout, dependencies };
}
