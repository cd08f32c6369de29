import { runTargets } from '../../lib/api.ts';
import { defineConfig } from '../../lib/config.ts';
import { UserError } from '../../lib/errors.ts';
import type { EventOf } from '../../lib/event.ts';
import * as infrahub from '../../tasks/index.ts';
import type { TestProject } from './project.ts';
import type { StandIns } from './stand-ins.ts';

/** The shipped tasks, asked for as on a command line, with stand-ins for all programs. */
export const shippedConfig = defineConfig({ tasks: infrahub });

export interface Walked {
  readonly exitCode: number;
  /** Notes, log lines and what bodies printed. */
  readonly said: string;
  /** All that is wrong, in words: refusals, wrong words, failures. */
  readonly wrong: string;
  readonly outputs: readonly unknown[];
}

export interface WalkOptions {
  readonly root: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function walk(argv: readonly string[], programs: StandIns, { root, env = {}, signal }: WalkOptions): Promise<Walked> {
  const said: string[] = [];
  const wrong: string[] = [];
  const onEnd = ({ outcome }: EventOf<'step-ended'>): void => {
    if (outcome.status === 'failed') wrong.push(outcome.failure.message, ...(outcome.failure.facts ?? []), outcome.failure.hint ?? '');
  };
  try {
    const result = await runTargets(shippedConfig, argv, {
      root,
      env: { ...programs.env, ...env },
      confirm: true,
      signals: false,
      ...(signal && { signal }),
      onEvent: (event) => {
        if (event.type === 'log' || event.type === 'print' || event.type === 'notice') said.push(event.text);
        if (event.type === 'step-ended') onEnd(event);
      },
    });
    return { exitCode: result.exitCode, said: said.join('\n'), wrong: wrong.join('\n'), outputs: result.outputs };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const text = [error.message, ...error.facts, error.hint ?? ''].join('\n');
    return { exitCode: error.exitCode, said: said.join('\n'), wrong: text, outputs: [] };
  }
}

/** The checkout first, so that no flag has to name it again. */
export const at = (checkout: TestProject, ...argv: string[]): string[] => ['--infrahub', checkout.root, ...argv];
