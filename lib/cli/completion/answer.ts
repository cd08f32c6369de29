import type { Bare, Complete, Flag, Page, Values, Vocabulary } from './vocabulary.ts';

/** What can stand where the cursor is. */
export interface Answer {
  /** Of the word that is typed: what stands before each candidate, a flag and its `=`. */
  readonly before: string;
  readonly candidates: readonly Candidate[];
  /** The shell completes names of files. */
  readonly files: boolean;
  /** A function of the config has the say about what is typed. */
  readonly ask?: { readonly complete: Complete; readonly typed: string };
}

export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/**
 * What may be typed next, for the words of a line, the last of which is being typed (R8–R10).
 */
export function answer(vocabulary: Vocabulary, words: readonly string[]): Answer {
  const typed = words.at(-1) ?? '';
  let task: Page | undefined;
  let given = new Set<string>();
  /** Of the flag whose value the next word is. */
  let pending: Values | undefined;

  const flagOf = (spelling: string): Flag | undefined => {
    const is = (flag: Flag): boolean => flag.spelling === spelling;
    return task?.flags.find(is) ?? vocabulary.own.flags.find(is) ?? (task ? undefined : vocabulary.shared().flags.find(is));
  };
  const bareOf = (isName: boolean): Bare | undefined =>
    task?.bares.find(({ kind, key }) => kind === 'rest' || (!given.has(key) && (kind === 'must' || !isName)));
  const isNumber = (word: string): boolean => /^-\.?[0-9]/.test(word) && !task?.flags.some(({ spelling }) => spelling === word.slice(0, 2));

  for (const word of words.slice(0, -1)) {
    const isValue = pending !== undefined && !word.startsWith('--');
    pending = undefined;
    if (isValue) continue;
    if (word === '--') return { before: '', candidates: [], files: true };
    if (word.startsWith('--')) {
      const flag = flagOf(word.split('=', 1)[0] ?? '');
      if (flag) given.add(flag.key);
      if (flag?.takes === 'word' && !word.includes('=')) pending = flag.values;
    } else if (/^-./.test(word) && !isNumber(word)) readShorts(word);
    else readBare(word);
  }

  /** `-abc`, `-j4`, `-j=4`, `-j` and its value. */
  function readShorts(word: string): void {
    for (let letter = 1; letter < word.length; letter++) {
      const flag = flagOf(`-${word[letter] ?? ''}`);
      if (!flag) return;
      given.add(flag.key);
      const rest = word.slice(letter + 1);
      if (rest === '' && flag.takes === 'word') pending = flag.values;
      if (rest.startsWith('=') || flag.takes !== 'nothing') return;
    }
  }

  function readBare(word: string): void {
    const found = vocabulary.find(word);
    const bare = bareOf(found !== undefined);
    if (bare) given.add(bare.key);
    else if (found?.page) {
      task = found.page;
      given = new Set();
    }
  }

  if (pending !== undefined && !typed.startsWith('--')) return fitting(pending, typed);
  const equals = typed.indexOf('=');
  if (typed.startsWith('--') && equals > 0) {
    return fitting(flagOf(typed.slice(0, equals))?.values ?? [], typed.slice(equals + 1), typed.slice(0, equals + 1));
  }
  if (typed.startsWith('-')) return { before: '', candidates: offeredFlags(vocabulary, task, typed), files: false };
  const bare = bareOf(false);
  const values = bare ? fitting(bare.values, typed) : NOTHING;
  if (bare?.kind === 'must' || task?.bares.some(({ kind }) => kind === 'rest') || values.ask) return values;
  const names = vocabulary.words(typed).map(({ word, about }) => ({ value: word, about }));
  return { ...values, candidates: [...values.candidates, ...names] };
}

const NOTHING: Answer = { before: '', candidates: [], files: false };

function fitting(values: Values, typed: string, before = ''): Answer {
  if (values === 'files') return { before, candidates: [], files: true };
  if (typeof values === 'function') return { before, candidates: [], files: false, ask: { complete: values, typed } };
  const candidates = values.filter((value) => value.startsWith(typed)).map((value) => ({ value, about: '' }));
  return { before, candidates, files: false };
}

/** After a task its own come first: ours only once more than `--` is typed, or where it has none that fits. */
function offeredFlags(vocabulary: Vocabulary, task: Page | undefined, typed: string): Candidate[] {
  const fits = ({ spelling, offered }: Flag): boolean =>
    spelling.startsWith(typed) && (offered === 'always' || (offered === 'leading' && !task));
  const [first, second] = task ? [task, vocabulary.own] : [vocabulary.own, vocabulary.shared()];
  const taken = new Set(first.flags.map(({ spelling }) => spelling));
  const offered = first.flags.filter(fits);
  if (!task || typed.length > 2 || offered.length === 0)
    offered.push(...second.flags.filter((flag) => fits(flag) && !taken.has(flag.spelling)));
  return offered.map(({ spelling, about }) => ({ value: spelling, about }));
}
