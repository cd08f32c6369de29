import type { Order } from './carry-out.ts';
import { dotenvFilesOf, planOrder } from './carry-out.ts';
import type { Ingredients } from './fingerprint.ts';
import { fingerprintOf } from './fingerprint.ts';
import { freshRun, isIncremental } from './incremental.ts';
import { openKept } from './kept.ts';
import { checkedOutput } from './output.ts';
import type { Step } from './plan.ts';
import { createStepScopes } from './step-scope.ts';
import { specOf } from './task.ts';
import { digestOf } from './util/digest.ts';
import { stableText } from './util/stable-text.ts';

/** What would become of a step, and why (R34). */
export interface Explained {
  readonly id: string;
  readonly title: string;
  readonly status: 'would-run' | 'up-to-date' | 'cached';
  readonly why: readonly string[];
  readonly fingerprint?: string;
  /** All that it depends on: names, and values or digests. */
  readonly ingredients?: Ingredients;
}

/** Look at each step of the plan of `order`, run none, change nothing. */
export async function explainOrder(order: Order, keeping: NonNullable<Order['keeping']>): Promise<readonly Explained[]> {
  const { plan, planner, nameOf } = await planOrder(order);
  const scopes = createStepScopes({
    planner,
    runner: order.runner,
    root: order.root,
    invocationDir: order.invocationDir,
    base: order.env,
    dotenvFiles: dotenvFilesOf(order.config, order.root),
    signal: order.signal ?? new AbortController().signal,
  });
  const kept = openKept(keeping, { planner, scopes, root: order.root, options: order.options, nameOf, onTrouble: order.complain });
  const gives = new Map<string, string>();
  const running = new Set<string>();
  const explained: Explained[] = [];

  async function explain(step: Step): Promise<Omit<Explained, 'id' | 'title'>> {
    const spec = specOf(planner.bindingOf(step).task);
    const scope = await scopes.read(step);
    const needs = Object.entries(step.needs).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const digests = Object.fromEntries(needs.map(([key, id]) => [key, gives.get(id) ?? freshRun()]));
    const facts = {
      cwd: scope.cwd,
      variables: scope.environment.variables,
      needs: digests,
      isTarget: step.target !== undefined,
      isLook: true,
    };
    if (!spec.run) {
      gives.set(step.id, digestOf(stableText(digests)));
      const first = needs.filter(([, id]) => running.has(id));
      return first.length > 0 ? { status: 'would-run', why: ['a group of its needs'] } : { status: 'up-to-date', why: [] };
    }
    if (spec.service) gives.set(step.id, await kept.serviceDigest(step, facts));
    const decision = await kept.decide(step, facts);
    const { ingredients } = decision.attempt;
    const known = ingredients && { fingerprint: fingerprintOf(ingredients), ingredients };
    const before = needs
      .filter(([, id]) => running.has(id) && !specOf(planner.bindingOf(id).task).service)
      .map(([key]) => `need ${key} runs first, and may give something else`);
    const own = spec.upToDate && (await spec.upToDate({ ...scope.looking, ...scopes.inputScopeOf(step) }));
    if (decision.kind === 'left' && (!spec.upToDate || own) && before.length === 0) {
      const checked = checkedOutput(spec, decision.value);
      if (checked.ok) {
        gives.set(step.id, decision.gives(checked.value));
        return { status: decision.from === undefined ? 'up-to-date' : 'cached', why: [], ...known };
      }
      return { status: 'would-run', why: ['what it gave last time is not what its `output` accepts now'], ...known };
    }
    if (decision.kind === 'left')
      return { status: 'would-run', why: before.length > 0 ? before : ['its own `upToDate` does not hold'], ...known };
    const isSkippable = isIncremental(spec, scopes.inputScopeOf(step));
    if (isSkippable) return { status: 'would-run', why: decision.attempt.why.map((line) => unknownNeed(line, before)), ...known };
    if (own) {
      gives.set(step.id, kept.givesUntouched(decision.attempt, typeof own === 'string' ? undefined : own.output));
      return { status: 'up-to-date', why: [typeof own === 'string' ? own : own.reason] };
    }
    return { status: 'would-run', why: [spec.upToDate ? 'its own `upToDate` does not hold' : 'it declares no `sources`, and always runs'] };
  }

  for (const step of plan.steps) {
    const found = await explain(step);
    if (found.status === 'would-run') running.add(step.id);
    explained.push({ id: step.id, title: step.title, ...found });
  }
  return explained;
}

/** What a need gives that has not run yet is not known: it did not re-run without a value. */
function unknownNeed(line: string, before: readonly string[]): string {
  const [, need] = line.match(/^need (\S+) re-ran without a value$/) ?? [];
  return before.find((text) => text.startsWith(`need ${need} runs first`)) ?? line;
}

export function explainJson(steps: readonly Explained[]): object {
  return { version: 1, steps };
}
