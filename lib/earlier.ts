import type { Step } from './plan.ts';
import { stableText } from './util/stable-text.ts';

/** What steps gave in earlier rounds of a watched plan: one that declares no sources runs again only for its needs (R36). */
export interface Earlier {
  of(step: Step, needs: Readonly<Record<string, string>>): { readonly value: unknown; readonly gives: string } | undefined;
  keep(step: Step, needs: Readonly<Record<string, string>>, end: { readonly value: unknown; readonly gives: string }): void;
  forget(step: Step): void;
}

export function createEarlier(): Earlier {
  const kept = new Map<string, { readonly needs: string; readonly value: unknown; readonly gives: string }>();
  const keyOf = (step: Step): string => stableText([step.name, step.input, step.passthrough, step.round]);
  return {
    of(step, needs) {
      const known = kept.get(keyOf(step));
      return known?.needs === stableText(needs) ? known : undefined;
    },
    keep: (step, needs, { value, gives }) => void kept.set(keyOf(step), { needs: stableText(needs), value, gives }),
    forget: (step) => void kept.delete(keyOf(step)),
  };
}
