import { access, chmod, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { UserError, dotenv, path, task } from 'taskwright';
import { z } from 'zod';
import { switch as switchBranch } from './git.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput } from './support/checkout.ts';
import { GUIDE_VARIABLES, guideTexts, guideValues, guideVariables, renderSettings } from './support/guide-settings.ts';
import { DATABASES } from './support/layout.ts';

/** The settings file of the guide: write it, check it, show it. */
const inHome = (...names: string[]): string => join(homedir(), ...names);

export const init = task({
  summary: 'Write the settings file of the guide, with a random admin token.',
  description:
    'Readable by its owner only. A file that differs is left alone, unless `--force`: it may hold the token of a database that exists.',
  input: {
    infrahub: infrahubInput,
    // The guide's own choice; tasks without a settings file use neo4j.
    database: z.enum(DATABASES).default('memgraph').describe('the graph database'),
    storage: path().optional().describe('folder of the server for files; default: Development/infrahub-storage in your home'),
    file: z.enum(['.envrc', '.env']).default('.envrc').describe('which file'),
    force: z.boolean().default(false).describe('write over a file that differs'),
  },
  output: z.object({ file: z.string() }),
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope))],
  provides: ({ input }) => [dotenv(input.file)],
  after: [switchBranch],
  upToDate: async ({ input, invocationDir }) => {
    const file = join(checkoutOf({ input, invocationDir }), input.file);
    const before = await readFile(file, 'utf8').catch(() => undefined);
    if (before === undefined || input.force) return undefined;
    const storage = input.storage ?? inHome('Development', 'infrahub-storage');
    const ours = renderSettings({ ...guideValues({ database: input.database, storage }), ...tokenIn(before) });
    return before === ours ? { reason: `${input.file} is as it would be written`, output: { file } } : undefined;
  },
  async run({ input, invocationDir, log, dryRun }) {
    const file = join(checkoutOf({ input, invocationDir }), input.file);
    const storage = input.storage ?? inHome('Development', 'infrahub-storage');
    if (dryRun) {
      log(`would write ${file}`);
      return { file };
    }
    const before = await readFile(file, 'utf8').catch(() => undefined);
    if (before !== undefined && !input.force) {
      throw new UserError('differs', `${file} is there and differs from what would be written`, 1, {
        hint: 'Keep it, and look at it with `tasks env.check`; or write over it: `--force`.',
      });
    }
    await writeFile(file, renderSettings(guideValues({ database: input.database, storage })), { mode: 0o600 });
    await chmod(file, 0o600);
    await mkdir(storage, { recursive: true });
    log(`wrote ${file}`);
    return { file };
  },
});

/** The token of the file, so that equal means equal but for what is random. */
function tokenIn(text: string): { readonly INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN?: string } {
  const token = text.match(/^export INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN=([0-9a-f]{32})$/m)?.[1];
  return token === undefined ? {} : { INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN: token };
}

const reading = { infrahub: infrahubInput };
const settingsFiles = ['.envrc', '.env'];

export const check = task({
  summary: 'Check the nine settings of the guide, all problems in one report.',
  input: reading,
  // Types and presence of the variables are checked before anything runs, by their schema.
  env: guideVariables,
  dotenv: settingsFiles,
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope))],
  after: [init],
  async run({ env, log, cwd, originOf }) {
    const storage = env.INFRAHUB_STORAGE_LOCAL_PATH;
    const isFolder = await stat(storage).then(
      (one) => one.isDirectory(),
      () => false,
    );
    const isWritable =
      isFolder &&
      (await access(storage, constants.W_OK).then(
        () => true,
        () => false,
      ));
    if (!isWritable) {
      throw new UserError('settings', `INFRAHUB_STORAGE_LOCAL_PATH: ${storage} ${isFolder ? 'cannot be written' : 'is no folder'}`, 1, {
        hint: `Make it (\`mkdir -p ${storage}\`), or name another.`,
      });
    }
    const origins = new Set(GUIDE_VARIABLES.map((name) => shortOrigin(originOf(name), cwd)));
    log(`all ${GUIDE_VARIABLES.length} settings are right (from ${[...origins].join(', ')})`);
  },
});

export const show = task({
  summary: 'Show each setting of the guide, its value and where it came from.',
  input: reading,
  env: guideTexts,
  dotenv: settingsFiles,
  output: z.object({ settings: z.array(z.object({ name: z.string(), value: z.string().nullable(), origin: z.string().nullable() })) }),
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope))],
  after: [init],
  run({ env, cwd, originOf, print }) {
    const settings = GUIDE_VARIABLES.map((name) => {
      const isSecret = guideVariables[name].meta()?.secret === true;
      const value = env[name];
      return {
        name,
        value: value === undefined ? null : isSecret ? '***' : value,
        origin: originOf(name) === undefined ? null : shortOrigin(originOf(name), cwd),
      };
    });
    const width = Math.max(...GUIDE_VARIABLES.map((name) => name.length));
    print(
      settings
        .map(({ name, value, origin }) => `${name.padEnd(width)}  ${value ?? '(not set)'}${origin === null ? '' : `  (${origin})`}\n`)
        .join(''),
    );
    return { settings };
  },
});

const shortOrigin = (origin: string | undefined, cwd: string): string => {
  if (origin === undefined || origin === 'environment') return origin ?? 'nowhere';
  const near = relative(cwd, origin);
  return near.startsWith('..') ? origin : near;
};
