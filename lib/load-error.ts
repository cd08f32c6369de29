import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, relative, resolve, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConfigError, UserError } from './errors.ts';
import { describeValue } from './util/describe.ts';
import { userFrames } from './util/frames.ts';
import { nearest } from './util/nearest.ts';

export interface LoadPlace {
  readonly file: string;
  readonly root: string;
}

/**
 * What went wrong while a config was loaded, in one message for the user: where a file is not valid, what
 * it imports that is not there, or what it threw.
 */
export function explainLoadError(error: unknown, place: LoadPlace): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof FileSyntaxError) return syntaxError(error, place);
  return missingModule(error, place) ?? thrownWhileLoading(error, place);
}

/** Carried through the loader to {@link explainLoadError}, which knows the root. */
export class FileSyntaxError extends Error {
  readonly file: string;
  /** Both from 1. */
  readonly place: { readonly line: number; readonly column: number };
  readonly source: string;

  constructor(file: string, message: string, place: { readonly line: number; readonly column: number }, source: string) {
    super(message);
    this.file = file;
    this.place = place;
    this.source = source;
  }
}

function syntaxError({ file, message, place: { line, column }, source }: FileSyntaxError, { root }: LoadPlace): ConfigError {
  const text = source.split(/\r?\n/)[line - 1] ?? '';
  const number = String(line);
  // Tabs stay tabs, so that the caret stands under what it means.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return new ConfigError('config-syntax', `\`${nameOf(file, root)}\` is not valid`, {
    facts: [
      `${nameOf(file, root)}:${line}:${column}: ${asClause(message)}`,
      `${number} | ${text}`,
      `${' '.repeat(number.length)} | ${indent}^`,
    ],
  });
}

function asClause(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.$/, '');
}

function missingModule(error: unknown, { file, root }: LoadPlace): ConfigError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return undefined;
  const wanted = error.message.match(/Cannot find (?:module|package) '([^']+)'/)?.[1];
  if (wanted === undefined) return undefined;
  const importer = error.message.match(/^- (.+)$/m)?.[1] ?? error.message.match(/imported from (.+)$/m)?.[1] ?? file;
  const isPath = /^[./]|^[A-Za-z]:\\/.test(wanted);
  const name = isPath ? wanted : wanted.split('/', wanted.startsWith('@') ? 2 : 1).join('/');
  const hint = isPath ? nearestFile(wanted, importer) : `Install it: \`npm install --save-dev ${name}\`.`;
  return new ConfigError('config-import', `\`${nameOf(importer, root)}\` imports \`${wanted}\`, which was not found`, {
    facts: [placeOfImport(importer, wanted, root)].filter((fact) => fact !== undefined),
    hint,
    cause: error,
  });
}

function nearestFile(wanted: string, importer: string): string | undefined {
  try {
    const folder = dirname(resolve(dirname(importer), wanted));
    const candidate = nearest(basename(wanted), readdirSync(folder));
    return candidate === undefined
      ? undefined
      : `Did you mean \`${wanted.slice(0, wanted.length - basename(wanted).length)}${candidate}\`?`;
  } catch {
    return undefined;
  }
}

function placeOfImport(importer: string, wanted: string, root: string): string | undefined {
  try {
    const lines = readFileSync(importer, 'utf8').split(/\r?\n/);
    const index = lines.findIndex((line) => line.includes(`'${wanted}'`) || line.includes(`"${wanted}"`));
    return index === -1 ? undefined : `${nameOf(importer, root)}:${index + 1}: ${lines[index]?.trim()}`;
  } catch {
    return undefined;
  }
}

function thrownWhileLoading(error: unknown, { file, root }: LoadPlace): ConfigError {
  const isError = error instanceof Error;
  const thrown = isError ? `${error.name}: ${error.message}` : `thrown: ${describeValue(error)}`;
  // An import of what a module does not export is `undefined` here, and found out when it is called.
  const notExported = isError ? error.message.match(/^\(0 , \w+\.(\w+)\) is not a function$/)?.[1] : undefined;
  const facts = notExported === undefined ? thrown : `${notExported} is not a function`;
  return new ConfigError('config-threw', `\`${nameOf(file, root)}\` could not be loaded`, {
    facts: [facts, ...(isError ? framesOfConfig(error.stack ?? '', root) : [])],
    hint: notExported === undefined ? undefined : `Is \`${notExported}\` exported by what it is imported from?`,
    cause: error,
  });
}

/** The loader's own frames, inside this library. */
const LOADER = join(import.meta.dirname, './load.');

/** The user's frames down to the config, without what loads it. Without columns, which are those of the compiled file. */
function framesOfConfig(stack: string, root: string): string[] {
  const lines = stack.split('\n');
  const end = lines.findIndex((line) => line.includes(LOADER) || line.includes(pathToFileURL(LOADER).href));
  return userFrames(lines.slice(0, end === -1 ? undefined : end).join('\n'), root).map((frame) => frame.replace(/:\d+(?=\)?$)/, ''));
}

function nameOf(file: string, root: string): string {
  const near = relative(root, file);
  return near.startsWith('..') ? file : near;
}
