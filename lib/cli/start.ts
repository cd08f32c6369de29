import { UserError, renderUserError } from '../errors.ts';
import { findProject, freshKept } from '../find-project.ts';
import { readManifest } from '../manifest.ts';
import { completeFromKept, completionWords } from './completion/complete.ts';
import { completionScript } from './completion/script.ts';
import type { Host } from './host.ts';
import { invocationDirOf, list, tellNotices, whereToLook } from './look.ts';
import { ownVersion } from '../util/own-version.ts';
import { badLine, leadingOptions, parseArgv, saysAll } from './parse.ts';

/**
 * Answers what needs no config: from the manifest that an earlier load left, as long as nothing that the
 * config consists of has changed.
 *
 * That there is no such task or flag is not said here, and nothing is run: for these, and whatever else
 * is not certain, `main` loads the config.
 *
 * @returns the exit code; undefined when `main` is to answer
 */
export function start(host: Host): number | undefined {
  try {
    return answer(host);
  } catch (error) {
    // That there is no such folder is told by `main`.
    if (error instanceof UserError && error.code === 'no-config' && leadingOptions(host.argv).directory === undefined) {
      host.stderr.write(renderUserError(error));
      return error.exitCode;
    }
    // What is wrong is found, and told, once more.
    return undefined;
  }
}

function answer(host: Host): number | undefined {
  const words = completionWords(host);
  if (words) return completeFromKept(host, words) ? 0 : undefined;
  const leading = leadingOptions(host.argv);
  if (leading.version) {
    host.stdout.write(`${ownVersion()}\n`);
    return 0;
  }
  if (leading.completion) {
    host.stdout.write(completionScript(leading.completion));
    return 0;
  }
  if (leading.help || leading.init || saysSettings(host.env)) return undefined;
  const place = findProject(whereToLook(host, leading));
  const kept = freshKept(place.store, place.file);
  const manifest = kept && readManifest(place.store, kept.id);
  if (!manifest) return undefined;
  const { registry, shortFlags, quiet, hasMoreToSay } = manifest;
  const line = parseArgv(host.argv, registry, { invocationDir: invocationDirOf(host, leading), shortFlags });
  if (line.options.help || line.options.version || line.problems.some(({ code }) => code === 'unknown-task' || code === 'unknown-flag'))
    return undefined;
  const bad = badLine(line);
  // What else is wrong with the inputs of targets is told along with it.
  const isAllOfIt = line.targets.length === 0 || line.options.list || (line.namespaces.length === 0 && saysAll(line, hasMoreToSay));
  if (bad && !isAllOfIt) return undefined;
  if (bad) {
    host.stderr.write(renderUserError(bad));
    return bad.exitCode;
  }
  if (!line.options.list) return undefined;
  if (!quiet) tellNotices(host, [...place.notices, ...line.notices], line.options);
  return list(host, registry, line.options, line.subject);
}

/** What a variable says of our own options is read with the config. */
function saysSettings(env: Host['env']): boolean {
  for (const name in env) if (name.startsWith('TASKS_') && name !== 'TASKS_CACHE_DIR') return true;
  return false;
}
