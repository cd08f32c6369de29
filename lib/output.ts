import type { Json } from './event.ts';
import type { ErasedSpec } from './task.ts';

/** What a body returned, read by the `output` of its task. */
export function checkedOutput(
  spec: ErasedSpec,
  returned: unknown,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string; readonly facts: readonly string[] } {
  if (!spec.output) return { ok: true, value: returned };
  const parsed = spec.output.safeParse(returned);
  if (parsed.success) return { ok: true, value: parsed.data };
  return {
    ok: false,
    message: 'what it returned is not what its `output` accepts',
    facts: parsed.error.issues.map((issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`),
  };
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
