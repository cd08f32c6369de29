import { dirname, relative, resolve, sep } from 'node:path';
import type { Order, PlannedOrder } from '../carry-out.ts';
import { carryOut, planOrder, strayText } from '../carry-out.ts';
import { captureConsole } from '../body.ts';
import type { Earlier } from '../earlier.ts';
import type { Ask } from '../engine.ts';
import { EXIT, UsageError, UserError, renderUserError } from '../errors.ts';
import { createFileDigests } from '../file-digests.ts';
import { createFileLists } from '../file-lists.ts';
import { fileSetOf } from '../fingerprint.ts';
import { createEarlier } from '../earlier.ts';
import type { RunHandle } from '../run.ts';
import { localRunner } from '../runners/local.ts';
import { createStanding } from '../standing.ts';
import { fieldOf, specOf } from '../task.ts';
import { realFileSystem } from '../util/file-system.ts';
import { watchFolders } from '../util/watch-folders.ts';
import type { Look, Watched } from '../watch.ts';
import { watchPlan } from '../watch.ts';
import type { Host } from './host.ts';

/** The order of a command line; made anew for each round, since a reporter shows one run. */
export type MakeOrder = () => Promise<Order>;

/**
 * `--watch`: the order of a command line, again and again.
 *
 * @param load  reads the config as it is now
 */
export async function watchLine(host: Host, load: (onFailure: (paths: readonly string[]) => void) => Promise<MakeOrder>): Promise<number> {
  const answers = new Map<string, ReturnType<Ask>>();
  const tell = (text: string): void => host.stderr.write(`${text}\n`);
  const folders = watchFolders((folder, error) =>
    tell(
      `note: ${folder} cannot be watched: ${error instanceof Error ? error.message : String(error)}${isLimit(error) ? ' (see fs.inotify.max_user_watches)' : ''}`,
    ),
  );
  let looked: readonly string[] = [];
  let stop: (code: number) => void = () => {};
  const stopped = new Promise<number>((done) => {
    stop = done;
  });
  const hurried = new AbortController();
  const standing = createStanding(localRunner, hurried.signal);
  let isStopped = false;
  /** While a run is on, it hears of strays by itself. */
  let isRunning = false;
  let root = '';
  const letGo = [
    host.onSignal((signal) => {
      if (isStopped) hurried.abort();
      isStopped = true;
      stop(signal === 'SIGTERM' ? EXIT.terminated : signal === 'SIGHUP' ? EXIT.hungUp : EXIT.interrupted);
    }),
    host.onStray((error) => {
      if (!isRunning) tell(`error: ${standing.mask(strayText(error, root))}`);
    }),
    // Services say something between two rounds as well.
    captureConsole(),
  ];
  try {
    return await watchPlan({
      load: async () => {
        looked = [];
        const make = await load((paths) => {
          looked = paths;
        });
        const order = await make();
        const planned = await planOrder(order);
        ({ root } = order);
        await standing.keepOnly(planned.plan.steps);
        return watchedOrder(order, planned, host, async (earlier, onRun) => {
          const next = await make();
          if (isStopped) return;
          isRunning = true;
          try {
            await carryOut({ ...next, standing, ask: once(next.ask, answers), earlier, onRun });
          } finally {
            isRunning = false;
          }
        });
      },
      folders,
      looked: () => looked.filter((path) => !path.includes(`${sep}node_modules${sep}`)).map((path) => dirname(path)),
      stopped,
      tell,
      complain: (error) => host.stderr.write(error instanceof UserError ? renderUserError(error) : `${String(error)}\n`),
    });
  } finally {
    folders.close();
    if (standing.names.length > 0) tell(`stopping ${standing.names.join(', ')}`);
    await standing.close();
    for (const one of letGo) one();
  }
}

const isLimit = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EMFILE');

/** A question is put once, whatever round asks it (R36). */
const once =
  (ask: Ask, answers: Map<string, ReturnType<Ask>>): Ask =>
  (question, signal) => {
    const known = answers.get(question) ?? ask(question, signal);
    answers.set(question, known);
    return known;
  };

function watchedOrder(
  order: Order,
  { plan, planner }: PlannedOrder,
  host: Host,
  run: (earlier: Earlier, onRun: (handle: RunHandle) => void) => Promise<void>,
): Watched {
  const sourced = plan.steps.flatMap((step) => {
    const { task, value, flags } = planner.bindingOf(step);
    const scope = { input: value, flags, root: order.root, invocationDir: order.invocationDir };
    const { sources, cwd } = specOf(task);
    const patterns = fieldOf(sources, scope);
    return patterns ? [{ id: step.id, patterns, cwd: resolve(order.root, fieldOf(cwd, scope) ?? '') }] : [];
  });
  if (sourced.length === 0) {
    throw new UsageError('nothing-to-watch', 'nothing in this plan declares `sources`: there is nothing to watch', {
      hint: 'Say in `sources` what a task reads.',
    });
  }
  const digests = createFileDigests({ fs: realFileSystem, now: Date.now });
  const lists = createFileLists(realFileSystem);
  const earlier = createEarlier();

  function look(): Look {
    digests.forget();
    lists.forget();
    const steps = new Map<string, { digest: string; files: Readonly<Record<string, string>> }>();
    const folders = new Set<string>();
    for (const { id, patterns, cwd } of sourced) {
      const paths = lists.of(cwd, patterns, 'sources').map((path) => resolve(cwd, path));
      for (const path of paths) folders.add(dirname(path));
      const files = Object.fromEntries(paths.map((path) => [relative(order.root, path), digests.of(path) ?? 'gone']));
      steps.set(id, { digest: fileSetOf(files).digest, files });
    }
    const code = new Map<string, string>();
    for (const path of order.keeping?.loaded?.().keys() ?? []) {
      code.set(relative(order.root, path), digests.of(path) ?? 'gone');
      folders.add(dirname(path));
    }
    return { steps, code, folders: new Set([...folders, ...lists.folders]) };
  }

  return {
    look,
    async run(onStart) {
      try {
        await run(earlier, onStart);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        host.stderr.write(renderUserError(error));
      }
    },
  };
}
