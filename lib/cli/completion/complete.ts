import { UserError } from '../../errors.ts';
import { findProject, freshKept } from '../../find-project.ts';
import type { ShortFlags } from '../../flags.ts';
import { readKept } from '../../loader/store.ts';
import { readManifest } from '../../manifest.ts';
import type { Registry } from '../../registry.ts';
import type { Field } from '../../schema.ts';
import type { Host } from '../host.ts';
import { whereToLook } from '../look.ts';
import { leadingOptions } from '../parse.ts';
import type { Answer } from './answer.ts';
import { answer } from './answer.ts';
import { bareVocabulary, isPlain, vocabularyOf } from './vocabulary.ts';

/** What a shell function calls: `__complete`, and the words of the line, the last of which is being typed. */
export function completionWords(host: Host): readonly string[] | undefined {
  return host.argv[0] === '__complete' ? host.argv.slice(1) : undefined;
}

/** From what is kept of the config; where there is none, our own options. @returns false when it has to be loaded */
export function completeFromKept(host: Host, words: readonly string[]): boolean {
  const place = placeOf(host, words);
  if (!place) {
    write(host, answer(bareVocabulary(), words));
    return true;
  }
  const kept = freshKept(place.store, place.file);
  const manifest = kept && readManifest(place.store, kept.id);
  if (!manifest) return false;
  const found = answer(vocabularyOf(manifest.registry, manifest.shortFlags), words);
  if (found.ask) return false;
  write(host, found);
  return true;
}

/** A config that was never run is not run by the Tab key. */
export function wasRun(host: Host, words: readonly string[]): boolean {
  if (host.program) return true;
  const place = placeOf(host, words);
  return place !== undefined && readKept(place.store, place.file) !== undefined;
}

function placeOf(host: Host, words: readonly string[]): ReturnType<typeof findProject> | undefined {
  try {
    return findProject(whereToLook(host, leadingOptions(words.slice(0, -1))));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/**
 * From the tasks themselves, their own functions included.
 *
 * @param load  what it prints is no answer; neither is what it does not say in time
 */
export async function completeFromTasks(
  host: Host,
  words: readonly string[],
  load: () => Promise<{ readonly registry: Registry; readonly shortFlags: ShortFlags | undefined; readonly globals: readonly Field[] }>,
): Promise<void> {
  const found = await undisturbed(async () => {
    const { registry, shortFlags, globals } = await load();
    const first = answer(vocabularyOf(registry, shortFlags, globals), words);
    if (!first.ask) return first;
    const { complete, typed } = first.ask;
    const values: readonly unknown[] = await inTime(async () => complete(typed));
    const fitting = values.map(String).filter((value) => value.startsWith(typed) && isPlain(value));
    return { ...first, candidates: fitting.map((value) => ({ value, about: '' })) };
  });
  write(host, found);
}

const PATIENCE_MS = 2000;
const LIMIT_MS = 5000;

/** Without what it writes to stdout; and a config that never gives control back is ended with the process. */
async function undisturbed<T>(work: () => Promise<T>): Promise<T> {
  const { Worker } = await import('node:worker_threads');
  const watch = new Worker(`setTimeout(() => process.kill(process.pid, 'SIGKILL'), ${LIMIT_MS})`, { eval: true });
  watch.unref();
  const own = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  try {
    return await work();
  } finally {
    process.stdout.write = own;
    await watch.terminate();
  }
}

/** Nobody waits long for the Tab key. What is not known by then, or fails, is nothing. */
async function inTime(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => (timer = setTimeout(() => resolve([]), PATIENCE_MS)));
  return Promise.race([work().catch(() => []), late]).finally(() => clearTimeout(timer));
}

/** A line for each candidate: the word, a tab, and what it is. `:files` and what stands before them: the shell's own, of files. */
function write(host: Host, { before, candidates, files }: Answer): void {
  const lines = candidates.map(({ value, about }) => `${before}${value}\t${about}\n`);
  host.stdout.write(`${files ? `:files${before}\n` : ''}${lines.join('')}`);
}
