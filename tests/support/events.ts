import type { Event, Outcome, StepView } from '../../lib/event.ts';
import type { Reporter, ReporterFactory } from '../../lib/reporters/reporter.ts';
import { tell } from '../../lib/reporters/reporter.ts';

/** Events as a run gives them, for playing to a reporter. */
export const step = (id: string, extra: Partial<StepView> = {}): StepView => ({
  id,
  name: id,
  title: id,
  input: {},
  needs: {},
  after: [],
  rerun: `tasks ${id}`,
  ...extra,
});

export const started = (steps: readonly StepView[], extra: Partial<Extract<Event, { type: 'run-started' }>> = {}): Event => ({
  type: 'run-started',
  time: 0,
  version: 1,
  plan: { version: 1, steps, targets: [] },
  jobs: 8,
  dryRun: false,
  solo: false,
  ...extra,
});
export const begun = (id: string): Event => ({ type: 'step-started', time: Date.now(), step: id });
export const says = (
  id: string,
  text: string,
  extra: { readonly command?: number; readonly stream?: 'stdout' | 'stderr' } = {},
): Event => ({
  type: 'output',
  time: 0,
  step: id,
  command: 1,
  stream: 'stdout',
  text,
  ...extra,
});
export const ended = (id: string, outcome: Outcome): Event => ({ type: 'step-ended', time: 0, step: id, outcome });
export const done: Outcome = { status: 'done', ms: 5 };
export const failed: Extract<Outcome, { status: 'failed' }> = {
  status: 'failed',
  ms: 5,
  failure: { kind: 'command', message: '`make` exited with code 2', exitCode: 2 },
  tail: 'last line',
};
export const finished = (counts: Partial<Extract<Event, { type: 'run-ended' }>['counts']>, exitCode = 0): Event => ({
  type: 'run-ended',
  time: 0,
  exitCode,
  reason: exitCode === 0 ? 'ok' : 'failed',
  counts: { total: 0, done: 0, upToDate: 0, cached: 0, failed: 0, skipped: 0, stopped: 0, ...counts },
  ms: 1200,
});

/** Play events to a reporter; `out` and `err` are what it wrote in a pipe. */
export function shownBy(factory: ReporterFactory, env: Readonly<Record<string, string>> = {}) {
  const said = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    write: (text: string) => {
      said[name] += text;
    },
    isTTY: false,
    columns: 80,
    rows: 24,
    colour: false,
  });
  const reporter: Reporter = factory({ stdout: sink('out'), stderr: sink('err'), env }, { echo: false, verbose: false, why: false });
  return { said, reporter, play: (...events: readonly Event[]) => events.forEach((event) => tell(reporter, event)) };
}
