import { kebab } from '../../util/kebab.ts';

/** A task to be written down, wherever it was found. */
export interface TaskSketch {
  /** As its source has it: `build:prod`, `docs.make`. For messages. */
  readonly from: string;
  /** Keys of namespaces, then its own. */
  readonly path: readonly string[];
  /** Answers to its namespace's name; at the root, to a bare `tasks`. */
  readonly isDefault: boolean;
  readonly summary: string;
  readonly description?: string | undefined;
  readonly aliases?: readonly string[];
  readonly hidden?: boolean;
  /** Of each input: its key, and its schema as code. */
  readonly inputs?: readonly (readonly [key: string, schema: string])[];
  /** Keys of the same namespace, which stand before it. */
  readonly needs?: readonly string[];
  readonly post?: readonly string[];
  readonly passthrough?: boolean;
  /** Lines of a comment above the body. */
  readonly remarks?: readonly string[];
  /** `run`, as code. */
  readonly run: string;
}

/** What was found, and what could not be taken over: one line each. */
export interface Findings {
  readonly tasks: readonly TaskSketch[];
  readonly notes: readonly string[];
}

/**
 * `build_prod`, `Build Prod`, `lint-fix` → `buildProd`, `buildProd`, `lintFix`; undefined where nothing is left. Its name
 * on a command line is that of the words with hyphens between them: `step-2` → `step_2`, since `step2` is another name.
 */
export function keyFor(name: string): string | undefined {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const [first = '', ...others] = words;
  const key = [
    first.slice(0, 1).toLowerCase() + first.slice(1),
    ...others.map((word) => (/^\p{N}/u.test(word) ? `_${word}` : word.slice(0, 1).toUpperCase() + word.slice(1))),
  ].join('');
  return key === '' ? undefined : key;
}

/** `default` is a word of ours: only the default of a namespace can have it for a key. */
export const ownKey = (key: string, isDefault: boolean): string => (key === 'default' && !isDefault ? 'defaultTask' : key);

/** Whether code can name a variable, or an input, like that. */
export const isIdentifier = (key: string): boolean => /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key);

/** One word, no flag, without the dots that part namespaces. */
export const isName = (alias: string): boolean => /^[^\s.=,-][^\s.=,]*$/u.test(alias);

/** The name that its keys give it on a command line. */
export const nameOf = (path: readonly string[]): string => path.map(kebab).join('.');

/** As TypeScript source in single quotes. */
export function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}
