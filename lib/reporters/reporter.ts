import type { Event, EventOf, EventType } from '../event.ts';

/** A view of a run: a handler for each event it cares for. */
export type Reporter = { readonly [T in EventType]?: (event: EventOf<T>) => void } & {
  /** After the last event; resolves when all is on the screen. */
  readonly close?: () => Promise<void> | void;
  /** It may not run, for the reader to put right: no step has begun. The command line tells it as well. */
  readonly refused?: (error: Told) => void;
  /** A secret, in the clear, for a place that masks what others write; never for showing. Events are masked already. */
  readonly hide?: (secret: string) => void;
};

/** An error in the parts that it is told in. */
export interface Told {
  readonly message: string;
  readonly facts: readonly string[];
  readonly hint: string | undefined;
}

/** What a reporter writes on. Texts go out whole and in order; a closed stream swallows them. */
export interface Sink {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Of the terminal, now; 80 where there is none. */
  readonly columns: number;
  /** Of the terminal, now; 24 where there is none. */
  readonly rows: number;
  /** Whether escape codes for colour are wanted: terminal, `NO_COLOR`, `FORCE_COLOR`, `TERM=dumb`. */
  readonly colour: boolean;
}

export interface Screen {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ReporterOptions {
  /** Show each command before it runs (`--echo`). */
  readonly echo: boolean;
  /** Commands, reasons and full stacks. */
  readonly verbose: boolean;
  /** Why a step runs that could have been left alone (`--why`). */
  readonly why: boolean;
}

export type ReporterFactory = (screen: Screen, options: ReporterOptions) => Reporter;

/** Hand `event` to its handler, if there is one. */
export function tell(reporter: Reporter, event: Event): void {
  const handler = reporter[event.type] as ((event: Event) => void) | undefined;
  handler?.(event);
}
