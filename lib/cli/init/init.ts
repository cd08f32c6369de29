import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { namesInWords } from '../../util/describe.ts';
import type { InvokeScope } from './invoke.ts';
import { tasksOfInvoke } from './invoke.ts';
import { tasksOfScripts } from './scripts.ts';
import type { Findings } from './sketch.ts';
import { sourceOf } from './source.ts';

/** `--init`: a config and task files, from what a folder has (package.json scripts, Invoke), or a first task. */
export interface Initialised {
  /** Relative to the folder. */
  readonly files: readonly string[];
  /** What could not be taken over, or is not as it was. */
  readonly notes: readonly string[];
  readonly tasks: number;
  /** Packages that the folder's package.json does not name yet. */
  readonly missing: readonly string[];
}

/** @throws {ConfigError} when a file is there already: then nothing is written */
export async function initialise(scope: InvokeScope): Promise<Initialised> {
  const { folder } = scope;
  refuseIfThere(folder, ['tasks.config.ts', 'tasks.config.mts', 'tasks.config.js', 'tasks.config.mjs']);
  const manifest = manifestOf(folder);
  const invoke = hasInvokeTasks(folder) ? await tasksOfInvoke(scope) : undefined;
  const notes: string[] = [];
  if (hasInvokeTasks(folder) && !invoke) notes.push('there are tasks of Invoke, and `invoke --list` did not answer: they are left out');
  const scripts = tasksOfScripts(manifest.scripts, invoke ? ['npm'] : []);
  const found: Findings = {
    tasks: [...(invoke?.tasks ?? []), ...scripts.tasks],
    notes: [...notes, ...(invoke?.notes ?? []), ...scripts.notes],
  };
  const source = found.tasks.length > 0 ? sourceOf(found.tasks) : { files: [{ path: 'tasks.config.ts', text: FIRST_CONFIG }], notes: [] };
  const files = source.files.map((file) => file.path);
  refuseIfThere(folder, files);
  for (const file of source.files) {
    mkdirSync(dirname(join(folder, file.path)), { recursive: true });
    writeFileSync(join(folder, file.path), file.text, { flag: 'wx' });
  }
  return {
    files,
    notes: [...found.notes, ...source.notes],
    tasks: found.tasks.length,
    missing: ['taskwright', 'zod'].filter((name) => !manifest.packages.includes(name)),
  };
}

const hasInvokeTasks = (folder: string): boolean =>
  existsSync(join(folder, 'tasks.py')) || existsSync(join(folder, 'tasks', '__init__.py'));

function refuseIfThere(folder: string, files: readonly string[]): void {
  const there = files.filter((file) => existsSync(join(folder, file)));
  if (there.length === 0) return;
  throw new ConfigError('init-there', `${namesInWords(there)} ${there.length === 1 ? 'is' : 'are'} there already`, {
    facts: ['nothing was written'],
    hint: '`--init` begins a project; what is there is yours to change. Elsewhere: `tasks -C FOLDER --init`.',
  });
}

/** @throws {ConfigError} when it is no JSON */
function manifestOf(folder: string): { readonly scripts: Readonly<Record<string, unknown>>; readonly packages: readonly string[] } {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return { scripts: {}, packages: [] };
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError('init-manifest', `\`${file}\` is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const part = (key: string): Readonly<Record<string, unknown>> => {
    const value: unknown = typeof manifest === 'object' && manifest !== null ? (manifest as Record<string, unknown>)[key] : undefined;
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  };
  const own = typeof manifest === 'object' && manifest !== null && 'name' in manifest ? [String(manifest.name)] : [];
  return { scripts: part('scripts'), packages: [...own, ...Object.keys(part('dependencies')), ...Object.keys(part('devDependencies'))] };
}

const FIRST_CONFIG = `import { defineConfig, task } from 'taskwright';
import { z } from 'zod';

const hello = task({
  summary: 'Say hello.',
  input: { name: z.string().default('world').meta({ positional: true }).describe('whom to greet') },
  run: ({ input, $ }) => $\`echo hello, \${input.name}\`,
});

export default defineConfig({ tasks: { hello } });
`;

/** What was done, and what is next. */
export function renderInitialised({ files, notes, tasks, missing }: Initialised): string {
  return [
    ...files.map((file) => `wrote ${file}`),
    ...(tasks === 0
      ? ['nothing to take over was found: a first task was written']
      : [`${tasks} ${tasks === 1 ? 'task' : 'tasks'} taken over`]),
    ...notes.map((note) => `  note: ${note}`),
    'next:',
    ...(missing.length > 0 ? [`  npm install --save-dev ${missing.join(' ')}`] : []),
    '  npx tasks --list',
    ...(files.length > 1
      ? ['  in tsconfig.json, `"allowImportingTsExtensions": true` with `"noEmit": true` lets `tsc` check these files']
      : []),
    '',
  ].join('\n');
}
