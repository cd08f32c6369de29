import { findProject, freshKept } from '../../find-project.ts';
import { readKept } from '../../loader/store.ts';
import { readManifest } from '../../manifest.ts';
import type { Registry } from '../../registry.ts';
import { fieldsOf } from '../../schema.ts';
import { specOf } from '../../task.ts';
import type { Host } from '../host.ts';
import { whereToLook } from '../look.ts';
import { leadingOptions } from '../parse.ts';
import type { Answer } from './answer.ts';
import { answer } from './answer.ts';
import { keepTable } from './kept.ts';
import { completionTable } from './table.ts';

/** What a shell function calls: `__complete`, and the words of the line, the last of which is being typed. */
export function completionWords(host: Host): readonly string[] | undefined {
  return host.argv[0] === '__complete' ? host.argv.slice(1) : undefined;
}

/** From what is kept of the config. @returns false when it has to be loaded */
export function completeFromKept(host: Host, words: readonly string[]): boolean {
  const place = findProject(whereToLook(host, leadingOptions(words.slice(0, -1))));
  const kept = freshKept(place.store, place.file);
  const manifest = kept && readManifest(place.store, kept.id);
  if (!manifest) return false;
  const table = completionTable(manifest.registry);
  keepTable(place, kept, table);
  const found = answer(table, words);
  if (found.ask) return false;
  write(host, found);
  return true;
}

/** A config that was never run is not run by the Tab key. */
export function wasRun(host: Host, words: readonly string[]): boolean {
  const place = findProject(whereToLook(host, leadingOptions(words.slice(0, -1))));
  return readKept(place.store, place.file) !== undefined;
}

/** From the tasks themselves, their own functions included. */
export async function completeFromTasks(host: Host, words: readonly string[], registry: Registry): Promise<void> {
  const found = answer(completionTable(registry), words);
  if (!found.ask) return write(host, found);
  const { task, key, typed, before } = found.ask;
  const entry = registry.entries[task];
  const field = entry && fieldsOf(specOf(entry.task).input).find((candidate) => candidate.key === key);
  const values = (await field?.complete?.(typed)) ?? [];
  const fitting = values.filter((value) => value.startsWith(typed) && !/[\n\t]/.test(value));
  write(host, { files: false, candidates: fitting.map((value) => ({ value: before + value, about: '' })) });
}

function write(host: Host, { candidates, files }: Answer): void {
  const lines = candidates.map(({ value, about }) => `${value}\t${about}\n`);
  host.stdout.write(`${files ? ':files\n' : ''}${lines.join('')}`);
}
