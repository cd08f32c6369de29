import type { z } from 'zod';
import { namesInWords } from './describe.ts';

/**
 * What is wrong with a value, as zod found it, in our words: "expected at most 9". What a schema says in words of its own
 * is the author's, and is asked first; for the rest zod's own words stand.
 */
export const inOurWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'date') return `expected a date not before ${dateOf(issue.minimum)}`;
      return `expected ${issue.exact ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least'} ${amount(issue.minimum, issue.origin)}`;
    case 'too_big':
      if (issue.origin === 'date') return `expected a date not after ${dateOf(issue.maximum)}`;
      return `expected ${issue.exact ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most'} ${amount(issue.maximum, issue.origin)}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return `expected ${formatted(issue)}`;
    case 'unrecognized_keys':
      return `there is no ${namesInWords(issue.keys)} in it`;
    default:
      return undefined;
  }
};

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  date: 'a date',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  void: 'nothing',
  undefined: 'nothing',
  never: 'nothing',
};

function amount(limit: number | bigint | Date, origin: string): string {
  const what = UNITS[origin];
  return what === undefined ? String(limit) : `${String(limit)} ${Number(limit) === 1 ? what : `${what}s`}`;
}

const dateOf = (limit: number | bigint | Date): string => new Date(Number(limit)).toISOString();

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'value', set: 'value', map: 'value', file: 'byte' };

function formatted(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  if (issue.format === 'starts_with') return `a text that begins with ${JSON.stringify(issue['prefix'])}`;
  if (issue.format === 'ends_with') return `a text that ends with ${JSON.stringify(issue['suffix'])}`;
  if (issue.format === 'includes') return `a text with ${JSON.stringify(issue['includes'])} in it`;
  if (issue.format === 'regex') return `a text that fits ${issue.pattern ?? 'its pattern'}`;
  return FORMATS[issue.format] ?? `a text of the format ${issue.format}`;
}

const FORMATS: Readonly<Record<string, string>> = {
  email: 'an email address',
  url: 'a URL',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  date: 'a date such as 2026-11-24',
  datetime: 'a time such as 2026-11-24T08:00:00Z',
};
