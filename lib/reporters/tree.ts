import { stripVTControlCharacters } from 'node:util';
import type { DefaultRenderer, Listr, ListrTaskObject } from 'listr2';
import type { EventOf } from '../event.ts';
import { afterOverwrites, cut, widthOf, withoutControls } from '../util/display.ts';
import { rememberingReporter } from './choose.ts';
import { afterwordOf, attemptText, durationText, lockText, markOf, paintFor, restartText, stoppingLine, whyText } from './paint.ts';
import type { Reporter, ReporterFactory, ReporterOptions, Screen, Sink } from './reporter.ts';
import type { RunLog } from './run-log.ts';
import { isToldAtEnd, renderSummary } from './summary.ts';

/**
 * For people at a terminal (R38, R39): what is running, with its last line; what is over goes up into the
 * scrollback; counts below.
 *
 * listr2 draws, and owns nothing else: a row lives from the start of its step to its end and awaits a
 * promise that our events settle. Rows are made when steps start, so that what is drawn costs as much as
 * what runs, and not as the plan.
 */
export const tree: ReporterFactory = (screen, options) =>
  rememberingReporter(screen, options, (log, start) => manyReporter(log, start, screen, options));

/** More steps than this, and only those that did not succeed get a line of their own. */
const MOST_LINES = 60;
const DRAW_EVERY_MS = 100;

interface Row {
  readonly step: string;
  readonly parent: string | undefined;
  readonly startedAt: number;
  lastLine: string;
  /** The beginning of a line that it put on stdout: there, it would be drawn over. */
  unfinished: string;
  /** A service that can be used. */
  isReady: boolean;
  readonly settle: () => void;
  readonly over: Promise<void>;
  task: ListrTaskObject<unknown, typeof DefaultRenderer, never> | undefined;
}

function manyReporter(log: RunLog, start: EventOf<'run-started'>, screen: Screen, options: ReporterOptions): Reporter {
  const { stdout, stderr } = screen;
  const paint = paintFor(stdout.colour);
  const rows = new Map<string, Row>();
  const counts = { total: start.plan.steps.length, over: 0, failed: 0 };
  const isLarge = start.plan.steps.length > MOST_LINES;
  const above: string[] = [];
  const live = drawLive({ rows, counts, stdout, paint, above, titleOf: log.titleOf });

  /** A line above the live rows, which stays. */
  const say = (line: string): void => {
    above.push(line);
    live.flushIfStill();
  };
  return {
    'step-added': () => {
      counts.total++;
    },
    'step-explained': ({ step, why }) => {
      if (options.why || options.verbose) say(`${paint.cyan('?')} ${log.titleOf(step)} ${paint.dim(whyText(why))}`);
    },
    'step-started': ({ step, time }) => {
      let settle = (): void => {};
      const over = new Promise<void>((resolve) => {
        settle = resolve;
      });
      const parent = log.viewOf(step)?.calledBy;
      const row: Row = { step, parent, startedAt: time, lastLine: '', unfinished: '', isReady: false, settle, over, task: undefined };
      rows.set(step, row);
    },
    output: ({ step, text }) => {
      const row = rows.get(step);
      // The last piece of a line is enough: it is drawn ten times a second at most.
      if (row) row.lastLine = lastLineOf(row.lastLine, text);
    },
    log: ({ step, text }) => {
      const row = rows.get(step);
      if (row) row.lastLine = lastLineOf('', text);
    },
    'command-started': ({ step, line, dry }) => {
      if (dry || options.echo || options.verbose) say(`${dry ? '' : paint.dim(`${log.titleOf(step)} $ `)}${line}`);
    },
    print: ({ step, text }) => {
      const row = rows.get(step);
      const whole = (row?.unfinished ?? '') + text;
      const end = row ? whole.lastIndexOf('\n') + 1 : whole.length;
      if (row) row.unfinished = whole.slice(end);
      if (end > 0) live.write(whole.slice(0, end));
    },
    notice: ({ step, text, isError }) =>
      say(`${isError ? paint.red('error:') : paint.yellow('!')} ${step === undefined ? '' : `${log.titleOf(step)}: `}${text}`),
    'lock-waiting': (event) => say(`${paint.yellow('…')} ${log.titleOf(event.step)} ${lockText(event)}`),
    'attempt-failed': (event) => say(`${paint.yellow('↻')} ${log.titleOf(event.step)} ${attemptText(event)}`),
    'service-restarting': (event) => {
      const row = rows.get(event.step);
      if (row) row.isReady = false;
      say(`${paint.yellow('↻')} ${log.titleOf(event.step)} ${restartText(event)}`);
    },
    'service-ready': ({ step }) => {
      const row = rows.get(step);
      if (row) row.isReady = true;
    },
    'step-ended': ({ step, outcome }) => {
      const row = rows.get(step);
      row?.settle();
      if (row && row.unfinished !== '') live.write(`${row.unfinished}\n`);
      const depth = depthOf(rows, step);
      rows.delete(step);
      counts.over++;
      if (outcome.status === 'failed') counts.failed++;
      const isWorthALine = !isToldAtEnd(outcome) && (!isLarge || outcome.status === 'failed');
      if (isWorthALine) say(`${'  '.repeat(depth)}${markOf(outcome, paint)} ${log.titleOf(step)} ${paint.dim(afterwordOf(outcome))}`);
    },
    'interactive-started': () => live.pause(),
    'interactive-ended': () => live.resume(),
    'run-stopping': ({ reason }) => say(paint.yellow(stoppingLine(reason))),
    'run-ended': (event) => {
      live.end();
      stderr.write(renderSummary(log, event, stderr, { wasShown: false, verbose: options.verbose }));
    },
    close: () => live.closed,
  };
}

function depthOf(rows: ReadonlyMap<string, Row>, step: string): number {
  let depth = 0;
  for (let at = rows.get(step)?.parent; at !== undefined && rows.has(at); at = rows.get(at)?.parent) depth++;
  return depth;
}

function lastLineOf(before: string, text: string): string {
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  if (lines.length === 1) return (before + last).slice(-500);
  return (last.trim() === '' ? (lines.at(-2) ?? '') : last).slice(-500);
}

/** Nothing that moves the cursor, and what a progress bar shows now. */
const plainly = (line: string): string => withoutControls(afterOverwrites(stripVTControlCharacters(line))).trim();

// ── The live part ────────────────────────────────────────────────────────────────────────────────

interface Live {
  /** Put a result on stdout, above the live rows. */
  write(text: string): void;
  /** Where nothing is drawn, lines come out at once. */
  flushIfStill(): void;
  pause(): void;
  resume(): void;
  end(): void;
  /** The terminal is left as it was. */
  readonly closed: Promise<void>;
}

interface LiveOptions {
  readonly rows: ReadonlyMap<string, Row>;
  readonly counts: { readonly total: number; readonly over: number; readonly failed: number };
  readonly stdout: Sink;
  readonly paint: ReturnType<typeof paintFor>;
  readonly above: string[];
  readonly titleOf: (step: string) => string;
}

function drawLive({ rows, counts, stdout, paint, above, titleOf }: LiveOptions): Live {
  let isOver = false;
  let isPaused = false;
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let draw: { readonly clear: () => void; readonly now: () => void } | undefined;

  const flush = (): void => {
    if (above.length === 0) return;
    const lines = above.splice(0);
    draw?.clear();
    stdout.write(`${lines.join('\n')}\n`);
  };

  /** Lines of the live part, top to bottom, never more than the screen. */
  function linesNow(render: (row: Row, level: number) => string[]): string[] {
    const room = Math.max(0, stdout.rows - 2);
    const width = Math.max(10, stdout.columns - 1);
    const ordered = inTreeOrder(rows);
    const withOutput = ordered.length * 2 <= room;
    const shown = ordered.slice(0, ordered.length > room ? Math.max(0, room - 1) : room);
    const lines = shown.flatMap(({ row, level }) => {
      // A row that has only just begun is not enabled yet in listr2's eyes.
      const [drawn = `${'  '.repeat(level)}… ${titleOf(row.step)}`] = render(row, level);
      const title = fit(drawn, width);
      const last =
        withOutput && plainly(row.lastLine) !== '' ? [paint.dim(cut(`${'  '.repeat(level + 1)}› ${plainly(row.lastLine)}`, width))] : [];
      return [title, ...last];
    });
    const hidden = ordered.length - shown.length;
    if (hidden > 0 && room > 0) lines.push(paint.dim(cut(`  … and ${hidden} more`, width)));
    return [...lines, cut(countsLine(), width)];
  }

  /** Colours cost no room; where it does not fit, they go. */
  function fit(line: string, width: number): string {
    const plain = stripVTControlCharacters(line);
    return widthOf(plain) <= width ? line : cut(plain, width);
  }

  function countsLine(): string {
    const waiting = counts.total - counts.over - rows.size;
    const parts = [
      `${counts.over} over`,
      ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
      `${rows.size} running`,
      ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ];
    return parts.join(', ');
  }

  const closed = (async (): Promise<void> => {
    const listr2 = await import('listr2');
    if (isOver) return flush();
    const { DefaultRenderer: Base, Listr: List, ListrLogger, ProcessOutput } = listr2;
    const stream = streamOf(stdout);
    const logger = new ListrLogger({
      useIcons: true,
      processOutput: new ProcessOutput(stream, streamOf(stdout), { leaveEmptyLine: false }),
    });

    /** A row of listr2's own, made when its step starts; drawn by the one renderer below. */
    function taskOf(row: Row): NonNullable<Row['task']> {
      if (row.task) return row.task;
      const list = new List<unknown, 'silent', 'silent'>([{ title: titleOf(row.step), task: () => row.over }], {
        renderer: 'silent',
        exitOnError: false,
        registerSignalListeners: false,
      });
      list.run().catch(() => {});
      const [task] = list.tasks;
      if (!task) throw new Error('listr2 made no row');
      row.task = task as unknown as NonNullable<Row['task']>;
      return row.task;
    }

    class Windowed extends Base {
      static override nonTTY = true;
      #lastDraw = 0;

      override update(): void {
        const now = Date.now();
        if (isPaused || isOver || now - this.#lastDraw < DRAW_EVERY_MS) return;
        this.#lastDraw = now;
        flush();
        super.update();
      }

      override create(): string {
        if (isOver) return '';
        return linesNow((row, level) => {
          const task = taskOf(row);
          const elapsed = Date.now() - row.startedAt;
          const state = row.isReady ? ' ready' : '';
          task.title = `${titleOf(row.step)}${state}${elapsed >= 1000 ? ` ${durationText(elapsed)}` : ''}`;
          // Declared private, and yet what a subclass is for: the lines of given rows.
          return (this as unknown as { renderer(tasks: unknown[], level: number): string[] }).renderer([task], level);
        }).join('\n');
      }
    }
    const updaterOf = (renderer: DefaultRenderer): { (text: string): void; clear(): void } =>
      (renderer as unknown as { updater: { (text: string): void; clear(): void } }).updater;

    const root: Listr<unknown, typeof Base> = new List(
      [
        {
          title: 'run',
          task: () => finished,
        },
      ],
      {
        renderer: Windowed as unknown as typeof Base,
        rendererOptions: { logger, clearOutput: true, formatOutput: 'truncate' },
        exitOnError: false,
        registerSignalListeners: false,
      },
    );
    const running = root.run();
    const renderer = (root as unknown as { renderer: DefaultRenderer }).renderer;
    draw = {
      clear: () => updaterOf(renderer)?.clear(),
      now: () => renderer.update(),
    };
    await running;
    draw = undefined;
    flush();
  })();

  return {
    write(text) {
      flush();
      draw?.clear();
      stdout.write(text);
    },
    flushIfStill() {
      if (!draw || isPaused) flush();
    },
    pause() {
      flush();
      isPaused = true;
      draw?.clear();
    },
    resume() {
      isPaused = false;
    },
    end() {
      // What is drawn is taken away at once; the end is told below it by the summary.
      draw?.clear();
      flush();
      isOver = true;
      finish();
    },
    closed,
  };
}

/** A called step stands below its caller. */
function inTreeOrder(rows: ReadonlyMap<string, Row>): { readonly row: Row; readonly level: number }[] {
  const ordered: { readonly row: Row; readonly level: number }[] = [];
  const children = new Map<string, Row[]>();
  const tops: Row[] = [];
  for (const row of rows.values()) {
    if (row.parent !== undefined && rows.has(row.parent)) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
    else tops.push(row);
  }
  const visit = (row: Row, level: number): void => {
    ordered.push({ row, level });
    for (const child of children.get(row.step) ?? []) visit(child, level + 1);
  };
  for (const row of tops) visit(row, 0);
  return ordered;
}

/** Our stream as listr2 wants one: only what it writes and measures by. */
function streamOf(sink: Sink): NodeJS.WriteStream {
  const stream = {
    write: (text: string): boolean => {
      sink.write(text);
      return true;
    },
    get columns() {
      return sink.columns;
    },
    get rows() {
      return sink.rows;
    },
    isTTY: true,
    on: () => stream,
    once: () => stream,
    off: () => stream,
    removeListener: () => stream,
  };
  return stream as unknown as NodeJS.WriteStream;
}
