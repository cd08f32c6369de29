import { EXIT } from './errors.ts';
import type { Outcome, RunCounts, RunEndReason, StopReason } from './event.ts';
import type { RunOptions } from './request.ts';
import type { Node } from './run-node.ts';
import { isSuccess } from './run-node.ts';

/** What a run comes to (R21). */
export interface Verdict {
  readonly exitCode: number;
  readonly reason: RunEndReason;
}

/** @param all  in the order of the plan: the first that failed gives its exit code */
export function verdictOf(
  all: readonly Node[],
  facts: {
    readonly options: RunOptions;
    /** A task asked for it. */
    readonly exitCode: number | undefined;
    readonly stopReason: StopReason | undefined;
    /** Whether anything of any target did. */
    readonly hasRunTarget: () => boolean;
    /** Errors that nobody waited for. */
    readonly strays: number;
  },
): Verdict {
  const { options, exitCode, stopReason } = facts;
  if (exitCode !== undefined) return { exitCode, reason: 'exit' };
  const stopped = stopReason && STOPPED[stopReason];
  if (stopped) return stopped;
  const failures = all.flatMap(({ outcome }) => (outcome?.status === 'failed' && !outcome.mayFail ? [outcome.failure] : []));
  const [first] = failures;
  if (first && options.warnOnly && failures.every((failure) => failure.kind === 'command')) return OK;
  if (first) return { exitCode: first.exitCode, reason: first.kind === 'timeout' || first.kind === 'refused' ? first.kind : 'failed' };
  const leftOut = all.some(({ outcome }) => outcome?.status === 'skipped' && outcome.because === 'unmet');
  if (options.skipUnmet && leftOut && !facts.hasRunTarget()) return { exitCode: EXIT.refused, reason: 'refused' };
  return facts.strays > 0 ? { exitCode: EXIT.failed, reason: 'failed' } : OK;
}

const OK: Verdict = { exitCode: EXIT.ok, reason: 'ok' };

/** Of the other reasons the failure behind them tells. */
const STOPPED: { readonly [R in StopReason]?: Verdict } = {
  SIGINT: { exitCode: EXIT.interrupted, reason: 'interrupted' },
  SIGTERM: { exitCode: EXIT.terminated, reason: 'terminated' },
  SIGHUP: { exitCode: EXIT.hungUp, reason: 'hung-up' },
  timeout: { exitCode: EXIT.timeout, reason: 'timeout' },
  abort: { exitCode: EXIT.interrupted, reason: 'aborted' },
};

/** Its body did, to whatever end. */
export function hasRun(node: Node): boolean {
  return isSuccess(node) || node.outcome?.status === 'failed' || (node.outcome?.status === 'skipped' && node.outcome.because === 'body');
}

export function countsOf(all: readonly Node[]): RunCounts {
  const of = (status: Outcome['status']): number => all.filter((node) => node.outcome?.status === status).length;
  return {
    total: all.length,
    done: of('done'),
    upToDate: of('up-to-date'),
    cached: of('cached'),
    failed: of('failed'),
    skipped: of('skipped'),
    stopped: of('stopped'),
  };
}
