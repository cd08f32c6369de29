import type { Config } from '../config.ts';
import type { AnyFlags } from '../task.ts';
import type { Host } from './host.ts';
import { processHost } from './host.ts';
import { main } from './main.ts';

export interface CliOptions {
  /** What it is called, in help, hints and lines that run a step again. */
  readonly name: string;
  readonly version: string;
  readonly config: Config;
  /** The global flags that its tasks were made with: `withFlags({ … })`. */
  readonly flags?: AnyFlags;
  /** Where commands run and paths begin. Default: the folder the user stands in. */
  readonly root?: string;
}

export interface Cli {
  /**
   * Read the words, do what they ask, and resolve to the exit code, which is the caller's to use.
   *
   * @param argv  Default: the words of the process
   */
  readonly main: (argv?: readonly string[], host?: Omit<Host, 'argv' | 'program'>) => Promise<number>;
}

/**
 * A command line of one's own: these tasks under this name, with all that `tasks` can do but looking for a config.
 *
 * @example process.exitCode = await createCli({ name: 'acme', version: '1.0.0', config }).main()
 */
export function createCli({ name, version, config, flags, root }: CliOptions): Cli {
  return {
    main: (argv = process.argv.slice(2), host) =>
      main({ ...(host ?? processHost()), argv, program: { name, version, config, flags, root } }),
  };
}
