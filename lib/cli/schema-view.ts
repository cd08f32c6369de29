import type { Registry } from '../registry.ts';
import { jsonSchemaOf, objectOf } from '../schema.ts';
import type { AnyFlags } from '../task.ts';
import { specOf } from '../task.ts';

/** `--schema`: what every task takes and gives, as JSON Schema (R42). */
export function schemaDocument(registry: Registry, flags: AnyFlags | undefined): object {
  const tasks = registry.entries.map(({ name, task }) => {
    const { summary, input, output } = specOf(task);
    return [
      name,
      { summary, input: jsonSchemaOf(objectOf(input), 'input'), ...(output && { output: jsonSchemaOf(output, 'output') }) },
    ] as const;
  });
  return { version: 1, ...(flags && { flags: jsonSchemaOf(objectOf(flags.fields), 'input') }), tasks: Object.fromEntries(tasks) };
}
