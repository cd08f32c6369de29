import { ConfigError } from './errors.ts';

/** What of a step says what it waits for. */
export interface Waiting {
  readonly needs: { readonly [name: string]: string | undefined };
  readonly after: readonly string[];
}

/** A step while it is put in order. */
interface Ordered extends Waiting {
  readonly id: string;
  readonly title: string;
  readonly after: string[];
}

/** All steps that `step` waits for directly. @internal */
export function waitsFor(step: Waiting): readonly string[] {
  const needs = Object.values(step.needs).filter((id) => id !== undefined);
  return step.after.length === 0 ? needs : [...needs, ...step.after];
}

/**
 * R14: what a target brings in waits for the target before it, unless that target waits for it.
 * Only steps without a predecessor of their own target need the edge; the others wait through them.
 */
export function addTargetOrder(
  segments: readonly { readonly drafts: readonly Ordered[]; readonly ends: readonly Ordered[] }[],
  all: ReadonlyMap<string, Ordered>,
): void {
  for (const [position, segment] of segments.entries()) {
    const previous = segments[position - 1];
    if (!previous) continue;
    const own = new Set(segment.drafts.map((draft) => draft.id));
    const first = segment.drafts.filter((draft) => !waitsFor(draft).some((id) => own.has(id)));
    for (const end of previous.ends) {
      const reached = reachableFrom(end, all);
      for (const draft of first) if (!reached.has(draft.id) && !draft.after.includes(end.id)) draft.after.push(end.id);
    }
  }
}

function reachableFrom(start: Ordered, all: ReadonlyMap<string, Ordered>): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start.id];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    const draft = all.get(id);
    if (draft) open.push(...waitsFor(draft));
  }
  return reached;
}

/** `created` with every step behind what it waits for, else in order of creation. */
export function inOrder<S extends Ordered>(created: readonly S[], all: ReadonlyMap<string, S>): S[] {
  const ordered: S[] = [];
  const wanted = new Set(created.map((draft) => draft.id));
  const state = new Map<string, 'open' | 'over'>();
  for (const start of created) {
    if (state.has(start.id)) continue;
    const path: { readonly draft: S; readonly rest: string[] }[] = [{ draft: start, rest: waitsFor(start).toReversed() }];
    state.set(start.id, 'open');
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const id = top.rest.pop();
      if (id === undefined) {
        state.set(top.draft.id, 'over');
        if (wanted.has(top.draft.id)) ordered.push(top.draft);
        path.pop();
        continue;
      }
      const next = all.get(id);
      if (!next || state.get(id) === 'over') continue;
      if (state.get(id) === 'open') {
        const from = path.findIndex((frame) => frame.draft.id === id);
        throw cycleError([...path.slice(from).map((frame) => frame.draft.title), next.title]);
      }
      state.set(id, 'open');
      path.push({ draft: next, rest: waitsFor(next).toReversed() });
    }
  }
  return ordered;
}

export function cycleError(path: readonly string[]): ConfigError {
  return new ConfigError('cycle', 'these tasks wait for each other', {
    facts: [path.join(' → ')],
    hint: 'Take one of the edges (`needs`, `after` or `post`) away.',
  });
}
