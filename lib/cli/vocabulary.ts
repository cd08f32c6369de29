import type { Vocabulary } from './parse.ts';
import type { Config } from '../config.ts';
import { buildRegistry } from '../registry.ts';

/**
 * The names that a command line may use: those of the config's tasks, with all of its modules loaded.
 *
 * @throws {ConfigError} with all that is wrong with the tasks
 */
export async function vocabularyOf(config: Config): Promise<Vocabulary> {
  return buildRegistry(config.tasks);
}
