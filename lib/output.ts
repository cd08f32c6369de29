import type { Json } from './event.ts';
import { built } from './schema.ts';
import type { ErasedSpec } from './task.ts';
import { describeValue } from './util/describe.ts';
import { inOurWords } from './util/issue-words.ts';

/** What a body returned, read by the `output` of its task. */
export function checkedOutput(
  spec: ErasedSpec,
  returned: unknown,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string; readonly facts: readonly string[] } {
  if (!spec.output) return { ok: true, value: returned };
  const parsed = built(spec.output).safeParse(returned, { error: inOurWords });
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    message: 'what it returned is not what its `output` accepts',
    facts: parsed.error.issues.map(
      (issue) =>
        `${issue.path.length > 0 ? `\`${issue.path.join('.')}\`: ` : ''}${issue.message}${issue.code === 'invalid_type' ? `, got ${kindOf(valueAt(returned, issue.path))}` : ''}`,
    ),
  };
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  // What is looked into is an object by then, or there is nothing to be found.
  return path.reduce<unknown>((inner, key) => (inner as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[key], value);
}

/** Without the value, which may be a secret. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'number' || typeof value === 'bigint' ? 'a number' : describeValue(value);
}

/** For events: the output as JSON, where it is one. */
export function asJson(value: unknown): { readonly output?: Json } {
  if (value === undefined) return {};
  try {
    const text = JSON.stringify(value);
    return text === undefined ? {} : { output: JSON.parse(text) as Json };
  } catch {
    return {};
  }
}
