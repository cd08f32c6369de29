import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { task, tool, writable } from 'taskwright';
import { z } from 'zod';
import { sandboxFiles } from './support/sandbox/files.ts';

/** A miniature of Infrahub in `.sandbox/`, so that anyone can walk the guide. */
export interface SandboxPlaces {
  /** A bare repository with branches `main` and `develop`. */
  readonly origin: string;
  /** Where the guide clones it to. The folder's name names the compose project. */
  readonly checkout: string;
  readonly storage: string;
}

export function sandboxPlaces(root: string): SandboxPlaces {
  const folder = join(root, '.sandbox');
  return { origin: join(folder, 'origin.git'), checkout: join(folder, 'infrahub-sandbox'), storage: join(folder, 'storage') };
}

const version = createHash('sha256').update(JSON.stringify(sandboxFiles)).digest('hex');
const versionFile = (root: string): string => join(root, '.sandbox', 'version');

export const sandbox = task({
  summary: 'Make a miniature of Infrahub in .sandbox/, with an origin to clone from.',
  hidden: true,
  output: z.object({ origin: z.string(), checkout: z.string() }),
  requires: ({ root }) => [tool('git', { remedy: 'Debian, Ubuntu: apt install git · macOS: brew install git' }), writable(root)],
  upToDate: async ({ root }) => {
    const there = await readFile(versionFile(root), 'utf8').catch(() => undefined);
    const { origin, checkout } = sandboxPlaces(root);
    return there === version && existsSync(origin) ? { reason: 'it is there already', output: { origin, checkout } } : undefined;
  },
  async run({ root, exec, log, dryRun }) {
    const { origin, checkout } = sandboxPlaces(root);
    if (dryRun) {
      log(`would make a miniature of Infrahub in ${dirname(origin)}`);
      return { origin, checkout };
    }
    // An older miniature is of no use to anybody: its checkout was cloned from an origin that goes too.
    await Promise.all([origin, checkout].map((path) => rm(path, { recursive: true, force: true })));
    await mkdir(dirname(origin), { recursive: true });
    await writeFile(join(dirname(origin), '.gitignore'), '*\n');
    const seed = await mkdtemp(join(dirname(origin), 'seed-'));
    try {
      for (const [path, text] of Object.entries(sandboxFiles)) {
        await mkdir(dirname(join(seed, path)), { recursive: true });
        await writeFile(join(seed, path), text);
      }
      // Nothing of the user's own git settings (signing, hooks, a default branch) is wanted here.
      const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
      const git = (...words: string[]) =>
        exec(['git', '-c', 'user.name=taskwright', '-c', 'user.email=taskwright@localhost', ...words], { cwd: seed, env, quiet: true });
      await git('init', '--initial-branch', 'main');
      await git('add', '--all');
      await git('commit', '--message', 'A miniature of Infrahub');
      await git('branch', 'develop');
      const bare = `${seed}.git`;
      await git('clone', '--bare', seed, bare);
      await rename(bare, origin);
    } finally {
      await rm(seed, { recursive: true, force: true });
    }
    await writeFile(versionFile(root), version);
    log(`made ${origin}`);
    return { origin, checkout };
  },
});
