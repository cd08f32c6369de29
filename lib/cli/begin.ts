import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ProjectPlace } from '../find-project.ts';
import { findProject } from '../find-project.ts';
import { wasLoaded } from '../loader/store.ts';
import { loadKept } from './code-cache.ts';
import { completionWords } from './completion/complete.ts';
import type { Host } from './host.ts';
import { processHost } from './host.ts';
import { whereToLook } from './look.ts';
import { isLater } from './optimize-later.ts';
import { leadingOptions } from './parse.ts';
import { start } from './start.ts';

/**
 * The command line of a process: by the project's own version of this library where it has one, from what is
 * kept where that is enough, else by all of it.
 *
 * @param keepThis  keeps what V8 made of this very file
 */
export function begin(keepThis: () => void, host: Host = processHost()): void {
  const place = placeOf(host);
  const own = place && ownBinary(host, place);
  if (own !== undefined) {
    process.argv[1] = own;
    createRequire(own)(own);
    return;
  }
  const code = start(host);
  if (code !== undefined) {
    process.exitCode = code;
    keepThis();
    return;
  }
  const { exports, keep } = loadKept(LIBRARY);
  const { main } = exports as typeof import('../bundle.ts');
  void main(host).then((ended) => {
    // What V8 makes of code under other flags it refuses later.
    if (!isLater()) {
      keepThis();
      keep();
    }
    // What a body left behind (a timer, a socket) does not keep the command line from ending.
    process.exit(ended);
  });
}

/** Beside this file, once it is built. */
const LIBRARY = join(import.meta.dirname, './lib.cjs');

/** That there is none is told by who looks again. */
function placeOf(host: Host): ProjectPlace | undefined {
  try {
    return findProject(whereToLook(host, leadingOptions(completionWords(host)?.slice(0, -1) ?? host.argv)));
  } catch {
    return undefined;
  }
}

/**
 * The version that the project asks for, where another was called (a global one): its package is found as an
 * `import` in the config would find it. It runs in this process, since a second start of Node costs as much as all the rest.
 */
function ownBinary(host: Host, { root, store, file }: ProjectPlace): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    const installed = packageAt(join(folder, 'node_modules', 'taskwright'));
    if (installed !== undefined) {
      const isOther = installed.folder !== HERE;
      // Code of a project that was never run is not run by the Tab key.
      const isWanted = isOther && (completionWords(host) === undefined || wasLoaded(store, file));
      return isWanted && installed.bin !== undefined ? join(installed.folder, installed.bin) : undefined;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

/** The folder of this package, links followed. */
const HERE = dirname(dirname(dirname(LIBRARY)));

function packageAt(folder: string): { readonly folder: string; readonly bin: string | undefined } | undefined {
  let real: string;
  try {
    real = realpathSync.native(folder);
  } catch {
    return undefined;
  }
  if (real === HERE) return { folder: real, bin: undefined };
  try {
    const { bin } = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8')) as { readonly bin?: { readonly tasks?: unknown } };
    return { folder: real, bin: typeof bin?.tasks === 'string' ? bin.tasks : undefined };
  } catch {
    return { folder: real, bin: undefined };
  }
}
