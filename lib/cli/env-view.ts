import type { Colors } from 'picocolors/types.js';
import type { Environment } from '../environment.ts';
import type { JsonObject } from '../event.ts';
import type { Registry } from '../registry.ts';
import { fieldsOf } from '../schema.ts';
import { specOf } from '../task.ts';
import { twoColumns } from './layout.ts';

/** `--env`: each variable that files or tasks name, and where its value came from (R30). Secrets are `***`. */
export interface VariableRow {
  readonly name: string;
  readonly value: string | undefined;
  /** `environment`, or the file. */
  readonly origin: string | undefined;
  readonly usedBy: readonly string[];
}

export function variableRows(environment: Environment, registry: Registry): VariableRow[] {
  const users = new Map<string, Set<string>>();
  const secrets = new Set<string>();
  const note = (variable: string, task: string, isSecret: boolean): void => {
    users.set(variable, (users.get(variable) ?? new Set()).add(task));
    if (isSecret) secrets.add(variable);
  };
  for (const { name, task } of registry.entries) {
    for (const field of fieldsOf(specOf(task).env)) note(field.key, name, field.secret);
    for (const field of fieldsOf(specOf(task).input)) if (field.env !== undefined) note(field.env, name, field.secret);
  }
  const fromFiles = Object.keys(environment.variables).filter((name) => (environment.originOf(name) ?? 'environment') !== 'environment');
  const looksSecret = (name: string): boolean => secrets.has(name) || /TOKEN|SECRET|PASSWORD|CREDENTIAL|(^|_)KEY$/i.test(name);
  return [...new Set([...users.keys(), ...fromFiles])].toSorted().map((name) => {
    const value = environment.variables[name];
    return {
      name,
      value: value !== undefined && looksSecret(name) ? '***' : value,
      origin: environment.originOf(name),
      usedBy: [...(users.get(name) ?? [])],
    };
  });
}

export function renderVariables(rows: readonly VariableRow[], paint: Colors, width: number | undefined): string {
  if (rows.length === 0) return 'no file and no task names a variable\n';
  const lines = rows.map(({ name, value, origin, usedBy }): [string, string] => [
    paint.cyan(name),
    `${value === undefined ? paint.dim('not set') : value === '' ? paint.dim('(empty)') : value}${origin === undefined ? '' : paint.dim(`  from ${origin}`)}${usedBy.length > 0 ? paint.dim(`  for ${usedBy.join(', ')}`) : ''}`,
  ]);
  return `${twoColumns(lines, 0, width).join('\n')}\n`;
}

export function variablesJson(rows: readonly VariableRow[]): JsonObject {
  return {
    version: 1,
    variables: rows.map(({ name, value, origin, usedBy }) => ({ name, value: value ?? null, origin: origin ?? null, usedBy })),
  };
}
