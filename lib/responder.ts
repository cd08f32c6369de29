import { stripVTControlCharacters } from 'node:util';
import { EXIT, UserError } from './errors.ts';
import type { Response } from './runners/runner.ts';

/**
 * Answers the prompts of a program by what it says (R27): each prompt once, also when it comes in pieces.
 *
 *   asked ──when──► answered ──refused──► the command has failed
 *     ▲                │
 *     └────── when ────┘   (asked again: answered again)
 *
 * Pure: it reads texts and says what is to be typed.
 */
export interface Responder {
  /** What is to be typed after this piece, in order; and the response that was refused, if one was. */
  push(stream: 'stdout' | 'stderr', text: string): { readonly answers: readonly string[]; readonly refused: Response | undefined };
}

/** A prompt is not longer than this: what lies further back is looked at no more. */
const KEPT_CHARACTERS = 16 * 1024;

/** An escape code of which the rest is still to come. */
// oxlint-disable-next-line no-control-regex -- escape codes are what it finds
const CUT_CODE = /\u001B(?:\[[\d;?]*)?$/;

/** @throws {UserError} for a pattern that also fits where nothing is */
export function createResponder(responses: readonly Response[]): Responder {
  const rules = responses.map((response) => ({
    response,
    when: patternOf(response.when),
    refused: response.refused === undefined ? undefined : patternOf(response.refused),
    isUsed: false,
  }));
  const pending = { stdout: '', stderr: '' };

  /** The first that fits; where two begin at one place a refusal counts, since its text may be the prompt itself. */
  function earliest(
    text: string,
  ): { readonly rule: (typeof rules)[number]; readonly isRefusal: boolean; readonly end: number } | undefined {
    const found = rules.flatMap((rule) => [
      ...(rule.isUsed && rule.refused ? placesOf(rule.refused, text).map((place) => ({ rule, isRefusal: true, ...place })) : []),
      ...placesOf(rule.when, text).map((place) => ({ rule, isRefusal: false, ...place })),
    ]);
    return found.toSorted((a, b) => a.start - b.start || Number(b.isRefusal) - Number(a.isRefusal))[0];
  }

  return {
    push(stream, text) {
      const answers: string[] = [];
      const all = pending[stream] + text;
      const cutCode = CUT_CODE.exec(all)?.[0] ?? '';
      let rest = stripVTControlCharacters(all.slice(0, all.length - cutCode.length));
      for (let found = earliest(rest); found; found = earliest(rest)) {
        if (found.isRefusal) return { answers, refused: found.rule.response };
        found.rule.isUsed = true;
        answers.push(found.rule.response.answer);
        rest = rest.slice(found.end);
      }
      pending[stream] = rest.slice(-KEPT_CHARACTERS) + cutCode;
      return { answers, refused: undefined };
    },
  };
}

function placesOf(pattern: RegExp, text: string): readonly { readonly start: number; readonly end: number }[] {
  const match = pattern.exec(text);
  return match ? [{ start: match.index, end: match.index + match[0].length }] : [];
}

function patternOf(what: string | RegExp): RegExp {
  // Without `g` and `y`, whose places would be remembered from one look to the next.
  const pattern =
    typeof what === 'string'
      ? new RegExp(what.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      : new RegExp(what.source, what.flags.replaceAll(/[gy]/g, ''));
  if (pattern.test(''))
    throw new UserError('bad-respond', `\`respond\`: ${String(what)} also fits where nothing is said`, EXIT.failed, {
      hint: 'Write the text of the prompt.',
    });
  return pattern;
}
