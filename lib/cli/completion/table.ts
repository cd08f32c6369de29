import { spellingsOf, takesNoWord } from '../../flags.ts';
import type { Registry } from '../../registry.ts';
import type { Field, FieldKind } from '../../schema.ts';
import { fieldsOf } from '../../schema.ts';
import { specOf } from '../../task.ts';
import { OWN_FIELDS } from '../own-options.ts';

/**
 * All that completion has to know, as lines of columns that a shell's `awk` reads without Node. One
 * algorithm reads it in both places; see `script.ts` and `answer.ts`.
 *
 *     W  word  task  about              a word that finds a task, and is offered (`w`: is not)
 *     N  namespace                      without a default task
 *     F  task  --flag  takes  values about    offered (`f`: is not); task `-`: our own
 *     B  task  field  required  values  what a bare word may fill, in order
 *
 * `takes` is `word` for a flag whose value may stand beside it, `attached` for one after `=` only.
 * `values` are parted by `\x1f`; `@files` asks the shell, `@own` asks the task's own function.
 */
export function completionTable(registry: Registry): string {
  const rows: string[][] = [];
  const index = new Map(registry.entries.map((entry, at) => [entry, String(at)]));
  for (const [word, entry] of registry.words) {
    const spec = specOf(entry.task);
    rows.push([spec.hidden ? 'w' : 'W', word, index.get(entry) ?? '', spec.summary]);
  }
  for (const namespace of registry.namespaces) if (!registry.find(namespace)) rows.push(['N', namespace]);
  for (const field of OWN_FIELDS) rows.push(...flagRows('-', field));
  for (const entry of registry.entries) {
    const task = index.get(entry) ?? '';
    const fields = fieldsOf(specOf(entry.task).input);
    for (const field of fields) rows.push(...flagRows(task, field));
    for (const field of bareFields(fields)) rows.push(['B', task, field.key, field.required ? 'required' : '', valuesOf(field)]);
  }
  return rows.map((row) => `${row.map(plain).join('\t')}\n`).join('');
}

function flagRows(task: string, field: Field): string[][] {
  const { long, negated, short } = spellingsOf(field);
  const takes = field.kind.type === 'boolean-or-string' ? 'attached' : takesNoWord(field.kind) ? '' : 'word';
  const about = field.description ?? '';
  const kind = field.hidden ? 'f' : 'F';
  return [
    [kind, task, long, takes, takes === '' ? '' : valuesOf(field), about, field.key],
    ...(negated !== undefined && field.default === true ? [[kind, task, negated, '', '', about, field.key]] : []),
    ...(short === undefined ? [] : [['f', task, short, takes, takes === '' ? '' : valuesOf(field), about, field.key]]),
  ];
}

/** As the grammar fills them (R9). */
function bareFields(fields: readonly Field[]): Field[] {
  const isScalar = ({ kind }: Field): boolean => !takesNoWord(kind) && kind.type !== 'array' && kind.type !== 'key-value';
  return [
    ...fields.filter((field) => field.required && isScalar(field)),
    ...fields.filter((field) => !field.required && field.positional && isScalar(field)),
    ...fields.filter((field) => field.variadic),
  ];
}

function valuesOf({ kind, complete, secret, key }: Field): string {
  if (secret) return '';
  if (complete) return '@own';
  return valuesOfKind(kind.type === 'array' ? kind.item : kind) || (OWN_PATHS.includes(key) ? '@files' : '');
}

/** Of our own options. */
const OWN_PATHS = ['directory', 'file'];

function valuesOfKind(kind: FieldKind): string {
  if (kind.type === 'enum') return kind.values.map((value) => plain(String(value))).join('\u001f');
  if (kind.type === 'boolean') return ['true', 'false'].join('\u001f');
  return kind.type === 'path' ? '@files' : '';
}

/** One line, no column more than there is, and nothing that a terminal would act on. */
// oxlint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/[\u0000-\u001e\u007f-\u009f]+/g, ' ');
