import { fieldsOf, jsonSchemaOf, problemsOf } from './schema.ts';
import type { AnyTask, ErasedSpec } from './task.ts';
import { isCall, isTask, specOf } from './task.ts';
import { describeValue } from './util/describe.ts';
import { parseDurationMs } from './util/duration.ts';
import { nearest } from './util/nearest.ts';

/**
 * What is wrong with what tasks say (R3, R7, R29).
 *
 * One line each, naming the task. TypeScript tells authors most of it; a config may be JavaScript.
 */
export function checkDeclarations(entries: readonly { readonly name: string; readonly task: AnyTask }[]): string[] {
  const problems: string[] = [];
  for (const { name, task } of entries) {
    const spec = specOf(task);
    problems.push(...problemsOfSpec(spec).map((problem) => `\`${name}\`: ${problem}`));
  }
  return problems;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value !== '';
const isListOfText = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const isFlag: Check = (value) => typeof value === 'boolean';
const isFunction: Check = (value) => typeof value === 'function';
const isObject: Check = (value) => typeof value === 'object' && value !== null;
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
const isList: Check = (value) => Array.isArray(value);
const isDuration: Check = (value) => {
  try {
    return typeof value === 'string' && parseDurationMs(value) >= 0;
  } catch {
    return false;
  }
};
const orFunction =
  (check: Check): Check =>
  (value) =>
    typeof value === 'function' || check(value);

const isLock: Check = (value) => {
  if (Array.isArray(value)) return value.every((one) => !Array.isArray(one) && isLock(one));
  if (!isObject(value)) return isText(value);
  const { name, machine, ...rest } = value as Record<string, unknown>;
  return isText(name) && (machine === undefined || isFlag(machine)) && isEmpty(rest);
};

/** `times` tells how often more; 0 is never. */
const isRetry: Check = (value) => {
  if (!isObject(value)) return false;
  const { times, delay, factor, when, ...rest } = value as Record<string, unknown>;
  const isCount = Number.isSafeInteger(times) && Number(times) >= 0;
  const isFactor = factor === undefined || (typeof factor === 'number' && factor >= 1);
  return isCount && isFactor && (delay === undefined || isDuration(delay)) && (when === undefined || isFunction(when)) && isEmpty(rest);
};

const isService: Check = (value) => {
  if (!isObject(value)) return false;
  const { ready, adopt, restart, stop, ...rest } = value as Record<string, unknown>;
  const isRestart = restart === undefined || restart === 'on-failure' || restart === 'always' || isObject(restart);
  const areFunctions = [adopt, stop].every((one) => one === undefined || isFunction(one));
  return orFunction(isObject)(ready) && areFunctions && isRestart && isEmpty(rest);
};

/** All that a task may say (R3), what it may be, and that in words. */
const FIELDS: { readonly [F in keyof Required<ErasedSpec>]: readonly [check: Check, expected: string] } = {
  summary: [isText, 'a line of text'],
  description: [isText, 'a text'],
  examples: [isListOfText, 'a list of command lines'],
  group: [isText, 'a text'],
  hidden: [isFlag, 'true or false'],
  aliases: [isListOfText, 'a list of names'],
  id: [isText, 'a text'],
  input: [isObject, 'fields, or a `z.object`'],
  env: [isObject, 'fields, or a `z.object`'],
  output: [isObject, 'a schema'],
  dotenv: [isListOfText, 'a list of file names'],
  passEnv: [isListOfText, 'a list of names of variables'],
  passthrough: [isFlag, 'true or false'],
  requires: [orFunction(isList), 'a list of requirements, or a function that gives one'],
  provides: [orFunction(isList), 'a list of provisions, or a function that gives one'],
  confirm: [orFunction(isText), 'a question, or a function that gives one'],
  needs: [orFunction(isObject), 'a record or a list of calls, or a function that gives one'],
  after: [orFunction(isList), 'a list of tasks or calls, or a function that gives one'],
  post: [orFunction(isObject), 'a record or a list of calls, or a function that gives one'],
  lock: [orFunction(isLock), 'a name, { name, machine }, a list of these, or a function that gives one'],
  sources: [orFunction(isListOfText), 'a list of patterns, or a function that gives one'],
  generates: [orFunction(isListOfText), 'a list of patterns, or a function that gives one'],
  cache: [orFunction(isFlag), 'true or false, or a function that gives it'],
  upToDate: [isFunction, 'a function'],
  cwd: [orFunction(isText), 'a folder, or a function that gives one'],
  timeout: [orFunction(isDuration), 'a length of time such as "30s", or a function that gives one'],
  grace: [orFunction(isDuration), 'a length of time such as "30s", or a function that gives one'],
  retry: [orFunction(isRetry), '{ times, delay?, factor?, when? }, or a function that gives it'],
  interactive: [orFunction(isFlag), 'true or false, or a function that gives it'],
  pty: [orFunction(isFlag), 'true or false, or a function that gives it'],
  mayFail: [orFunction(isFlag), 'true or false, or a function that gives it'],
  service: [isService, '{ ready, adopt?, restart?, stop? }'],
  run: [isFunction, 'a function'],
};

function problemsOfSpec(spec: ErasedSpec): string[] {
  if (!isObject(spec)) return [`expected \`task({ summary, … })\`, got \`task(${describeValue(spec)})\``];
  const problems: string[] = [];
  if (spec.summary === undefined) problems.push('`summary` is missing: a line of text for lists');
  for (const [key, value] of Object.entries(spec)) {
    if (value === undefined) continue;
    const field = Object.hasOwn(FIELDS, key) ? FIELDS[key as keyof ErasedSpec] : undefined;
    if (!field) problems.push(`\`${key}\` is nothing that a task may say${didYouMean(nearest(key, Object.keys(FIELDS)))}`);
    else if (!field[0](value))
      problems.push(`\`${key}\`: expected ${field[1]}, got ${isTask(value) ? 'a task' : isCall(value) ? 'a call' : describeValue(value)}`);
  }
  if (problems.length > 0) return problems;
  for (const field of ['input', 'env'] as const) {
    problems.push(...problemsOf(spec[field]).map((problem) => (field === 'env' ? `in \`env\`, ${problem}` : problem)));
  }
  if (problems.length === 0) problems.push(...problemsOfParts(spec));
  return problems;
}

/** What cannot go together. */
function problemsOfParts(spec: ErasedSpec): string[] {
  const problems: string[] = [];
  if (spec.service && !spec.run) problems.push('`service` needs a `run` that starts it');
  if (spec.service && spec.retry) problems.push('`retry` cannot go with `service`: say `service: { restart }`');
  if (!spec.cache) return problems;
  if (spec.run && !spec.output) problems.push('`cache` needs an `output` schema to read kept values with (`z.void()` where there is none)');
  const secret = fieldsOf(spec.input).find((field) => field.secret);
  if (secret) problems.push(`\`cache\` cannot go with the secret input \`${secret.key}\`: secrets are never kept`);
  if (spec.output && holdsSecret(jsonSchemaOf(spec.output, 'output')))
    problems.push('`cache` cannot go with a secret in `output`: secrets are never kept');
  return problems;
}

function holdsSecret(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return ('secret' in schema && schema.secret === true) || Object.values(schema).some(holdsSecret);
}

function didYouMean(candidate: string | undefined): string {
  return candidate === undefined ? '' : `; did you mean \`${candidate}\`?`;
}
