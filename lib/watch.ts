import type { RunHandle } from './run.ts';
import type { FolderWatch } from './util/watch-folders.ts';

/**
 * Run, wait for a change, run again (R36).
 *
 *              run is over               something changed
 *   running ───────────────► waiting ─────────────────────────► running …
 *      │ ▲
 *      └─┘ a change that comes too late for a step: what it outdates is stopped, and a round follows
 *
 * Each round is a run of the whole plan: what has not changed is left alone. A failing round waits for
 * the next change like any other.
 */
export interface WatchScope {
  /** The config read again, and the plan made; rejects as a first start would. */
  readonly load: () => Promise<Watched>;
  /** Folders in which a load looked that failed. */
  readonly looked: () => readonly string[];
  readonly folders: FolderWatch;
  /** Resolves when the user wants to end it, with the exit code. */
  readonly stopped: Promise<number>;
  readonly tell: (text: string) => void;
  /** What loading threw; the next change may mend it. */
  readonly complain: (error: unknown) => void;
}

/** A plan that is watched. */
export interface Watched {
  /** What counts, as it is now. */
  look(): Look;
  /** Never rejects. @param onStart called as the run begins */
  run(onStart: (run: RunHandle) => void): Promise<void>;
}

export interface Look {
  /** Digests by step, and of code by path. */
  readonly steps: ReadonlyMap<string, { readonly digest: string; readonly files: Readonly<Record<string, string>> }>;
  readonly code: ReadonlyMap<string, string>;
  readonly folders: ReadonlySet<string>;
}

interface Round {
  /** Sources changed too late for a step. */
  readonly isOutdated: boolean;
  readonly codeChanged: boolean;
  /** Files that changed while there was nothing left to do but to stay in the foreground. */
  readonly changed: readonly string[];
}

/** As often as that a step whose sources change while it runs is run again without another change. */
const REPEATS = 2;
const ENDLESS = 'sources change each time it runs: waiting for the next change';

export async function watchPlan(scope: WatchScope): Promise<number> {
  const { folders, tell } = scope;
  const user: { exitCode: number | undefined } = { exitCode: undefined };
  const stopped = scope.stopped.then((code) => {
    user.exitCode = code;
  });
  let watched = await scope.load();
  let seen = lookUntilStill(watched, folders);
  let repeats = 0;
  while (user.exitCode === undefined) {
    const round = await runRound(repeats < REPEATS);
    if (user.exitCode !== undefined) break;
    if (round.changed.length > 0) tell(`changed: ${listed(round.changed)}`);
    if (round.isOutdated && !round.codeChanged && round.changed.length === 0 && repeats < REPEATS) {
      repeats++;
      continue;
    }
    repeats = 0;
    if (round.codeChanged) await reload();
    else if (round.changed.length === 0) {
      if (round.isOutdated) tell(ENDLESS);
      await waitForChange();
    }
  }
  return user.exitCode;

  /**
   * One run; changes meanwhile are looked at as they come.
   *
   * @param mayRepeat  else what its own steps change outdates nothing any more
   */
  async function runRound(mayRepeat: boolean): Promise<Round> {
    let handle: RunHandle | undefined;
    let outdated: readonly string[] = [];
    let codeChanged = false;
    let changed: readonly string[] = [];
    let begun = (): void => {};
    const idle = new Promise<void>((done) => {
      begun = () => void handle?.idle.then(done);
    }).then(() => 'idle' as const);
    const over = watched
      .run((run) => {
        handle = run;
        begun();
      })
      .then(() => 'over' as const);
    const ways: Promise<'over' | 'idle'>[] = [over, idle];
    for (let news: 'over' | 'idle' | 'changed' = 'changed'; news !== 'over';) {
      news = await Promise.race([...ways, folders.changed().then(() => 'changed' as const)]);
      const now = lookUntilStill(watched, folders);
      const changes = changesBetween(seen, now);
      seen = now;
      // From when it is idle on, what its own steps have changed is seen.
      const isOwn = ways.length > 1;
      if (news === 'idle') ways.length = 1;
      if (changes.code.length > 0) {
        codeChanged = true;
        handle?.outdate('all');
      } else if (changes.steps.length > 0) {
        const cameTooLate = isOwn && !mayRepeat ? true : (handle?.outdate(changes.steps) ?? true);
        if (cameTooLate) outdated = [...outdated, ...changes.steps];
      }
      if (!isOwn) changed = [...changed, ...changes.code, ...changes.files];
      if (news !== 'idle' || codeChanged) continue;
      // What came too late before would be waited for in vain now.
      if (outdated.length > 0 && mayRepeat) handle?.outdate(outdated);
      else {
        if (outdated.length > 0) handle?.notice(ENDLESS);
        handle?.notice(whatIsWatched());
      }
    }
    return { isOutdated: outdated.length > 0, codeChanged, changed };
  }

  function whatIsWatched(): string {
    return `watching ${seen.folders.size} ${seen.folders.size === 1 ? 'folder' : 'folders'}, ${filesIn(seen)} files; Ctrl-C ends`;
  }

  async function waitForChange(): Promise<void> {
    tell(whatIsWatched());
    while (user.exitCode === undefined) {
      await Promise.race([stopped, folders.changed()]);
      if (user.exitCode !== undefined) return;
      const now = lookUntilStill(watched, folders);
      const { files, code, steps } = changesBetween(seen, now);
      seen = now;
      if (code.length === 0 && steps.length === 0) continue;
      tell(`changed: ${listed([...code, ...files])}`);
      if (code.length > 0) await reload();
      return;
    }
  }

  /** A config that is broken is mended in time, or the user ends it. */
  async function reload(): Promise<void> {
    while (user.exitCode === undefined) {
      try {
        watched = await scope.load();
        seen = lookUntilStill(watched, folders);
        return;
      } catch (error) {
        // Mended before it was watched, it would be waited for in vain.
        if (folders.follow([...seen.folders, ...scope.looked()])) continue;
        scope.complain(error);
        tell('watching for the next change; Ctrl-C ends');
        await Promise.race([stopped, folders.changed()]);
      }
    }
  }
}

/** Looking and watching in turn, until what was seen was watched by then: no change falls in between. */
function lookUntilStill(watched: Watched, folders: FolderWatch): Look {
  let look = watched.look();
  while (folders.follow(look.folders)) look = watched.look();
  return look;
}

function changesBetween(
  before: Look,
  now: Look,
): { readonly steps: readonly string[]; readonly files: readonly string[]; readonly code: readonly string[] } {
  const steps = [...now.steps].filter(([id, { digest }]) => before.steps.get(id)?.digest !== digest).map(([id]) => id);
  const files = new Set(steps.flatMap((id) => differing(before.steps.get(id)?.files ?? {}, now.steps.get(id)?.files ?? {})));
  return { steps, files: [...files], code: differing(Object.fromEntries(before.code), Object.fromEntries(now.code)) };
}

function differing(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((path) => before[path] !== now[path]);
}

function filesIn(look: Look): number {
  return new Set([...look.code.keys(), ...[...look.steps.values()].flatMap(({ files }) => Object.keys(files))]).size;
}

const MOST_NAMES = 5;

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
