/** What can stand where the cursor is. */
export interface Answer {
  readonly candidates: readonly { readonly value: string; readonly about: string }[];
  /** The shell completes names of files. */
  readonly files: boolean;
  /** A function of the config has the say: of which task, and which input, about what is typed. */
  readonly ask?: { readonly task: number; readonly key: string; readonly typed: string; readonly before: string };
}

const NOTHING: Answer = { candidates: [], files: false };

/**
 * Read `table` for the words of a line, the last of which is being typed. The same, rule for rule, is
 * done by the `awk` program of the shell functions.
 */
export function answer(table: string, words: readonly string[]): Answer {
  const rows = table.split('\n').map((line) => line.split('\t'));
  const tasks = new Map<string, string>();
  const flags = new Map<string, readonly string[]>();
  for (const row of rows) {
    if (/^[Ww]$/.test(row[0] ?? '')) tasks.set(row[1] ?? '', row[2] ?? '');
    if (/^[Ff]$/.test(row[0] ?? '')) flags.set(`${row[1]} ${row[2]}`, row);
  }
  const typed = words.at(-1) ?? '';
  let task = '-';
  let given = new Set<string>();
  let pending: readonly string[] | undefined;
  const flagOf = (spelling: string): readonly string[] | undefined => flags.get(`${task} ${spelling}`) ?? flags.get(`- ${spelling}`);
  const bareOf = (): readonly string[] | undefined =>
    rows.find((row) => row[0] === 'B' && row[1] === task && (row[3] === 'required' || row[4] !== undefined) && !given.has(row[2] ?? ''));

  for (const word of words.slice(0, -1)) {
    if (pending) {
      pending = undefined;
      continue;
    }
    if (word === '--') return { candidates: [], files: true };
    if (word.length > 1 && word.startsWith('-')) {
      const [spelling = '', ...value] = word.split('=');
      const flag = flagOf(spelling);
      if (flag) given.add(flag[6] ?? '');
      if (flag?.[3] === 'word' && value.length === 0) pending = flag;
      continue;
    }
    const bare = bareOf();
    const found = tasks.get(word);
    if (bare && (bare[3] === 'required' || found === undefined)) given.add(bare[2] ?? '');
    else if (found !== undefined) {
      task = found;
      given = new Set();
    }
  }
  if (pending) return valuesFrom(pending[4] ?? '', typed, '', pending[1] ?? '', pending[6] ?? '');
  const equals = typed.indexOf('=');
  if (typed.startsWith('--') && equals > 0) {
    const flag = flagOf(typed.slice(0, equals));
    const before = typed.slice(0, equals + 1);
    return flag?.[3] ? valuesFrom(flag[4] ?? '', typed.slice(equals + 1), before, flag[1] ?? '', flag[6] ?? '') : NOTHING;
  }
  if (typed.startsWith('-')) {
    const offered = rows.filter((row) => row[0] === 'F' && (row[1] === task || row[1] === '-') && row[2]?.startsWith(typed));
    return { files: false, candidates: offered.map((row) => ({ value: row[2] ?? '', about: row[5] ?? '' })) };
  }
  const bare = bareOf();
  const values = bare ? valuesFrom(bare[4] ?? '', typed, '', bare[1] ?? '', bare[2] ?? '') : NOTHING;
  if (bare?.[3] === 'required' || values.ask) return values;
  const names = rows.filter((row) => (row[0] === 'W' || row[0] === 'N') && row[1]?.startsWith(typed));
  return { files: values.files, candidates: [...values.candidates, ...names.map((row) => ({ value: row[1] ?? '', about: row[3] ?? '' }))] };
}

function valuesFrom(values: string, typed: string, before: string, task: string, key: string): Answer {
  if (values === '@files') return { candidates: [], files: true };
  if (values === '@own') return { ...NOTHING, ask: { task: Number(task), key, typed, before } };
  const fitting = values === '' ? [] : values.split('\u001f').filter((value) => value.startsWith(typed));
  return { files: false, candidates: fitting.map((value) => ({ value: before + value, about: '' })) };
}
