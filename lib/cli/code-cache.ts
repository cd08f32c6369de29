import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Module, createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

/**
 * A CommonJS file of this package, compiled by V8 as far as earlier runs needed it. That is kept beside the file,
 * where it can be: whoever may write there may change the file as well.
 *
 * V8 itself looks at no more than the length of a text to see whether it is the same: the name of what is kept
 * says when the file was written. What a process that ran tasks has compiled takes the place of what one kept
 * that did not, and is never replaced by it.
 */
export function loadKept(file: string): { readonly exports: unknown; readonly keep: () => void } {
  const require = createRequire(file);
  const { mtimeMs, size } = statSync(file);
  const stem = `${file}-${process.version}-${mtimeMs.toString(36)}-${size.toString(36)}`;
  const [ofRun, ofAny] = [`${stem}.run.v8`, `${stem}.v8`];
  const isOfRun = existsSync(ofRun);
  const cachedData = readIfThere(isOfRun ? ofRun : ofAny);
  // The build leaves nothing but ASCII in it, which is read at once.
  const script = new Script(Module.wrap(readFileSync(file, 'latin1')), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  const module = new Module(file);
  module.filename = file;
  // Whoever imports it later gets the one that is running.
  require.cache[file] = module;
  (script.runInThisContext() as (...values: unknown[]) => void).call(module.exports, module.exports, require, module, file, dirname(file));
  module.loaded = true;
  const isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return {
    exports: module.exports,
    keep() {
      if (isKept && (isOfRun || !hasRun)) return;
      keep(file, hasRun ? ofRun : ofAny, script, hasRun ? ofAny : ofRun);
    },
  };
}

let hasRun = false;

/** This process runs tasks. */
export const noteRun = (): void => void (hasRun = true);

function keep(file: string, kept: string, script: Script, before: string): void {
  try {
    const aside = `${kept}.${process.pid}`;
    writeFileSync(aside, script.createCachedData());
    renameSync(aside, kept);
    rmSync(before, { force: true });
    // Of the same file as it was before, or for another Node.
    const folder = dirname(file);
    const others = readdirSync(folder).filter((name) => name.startsWith(`${basename(file)}-v`) && join(folder, name) !== kept);
    for (const name of others.slice(0, -OTHERS)) rmSync(join(folder, name), { force: true });
  } catch {
    // It costs the next run some milliseconds.
  }
}

/** For other Nodes that are used in turn. */
const OTHERS = 3;

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
