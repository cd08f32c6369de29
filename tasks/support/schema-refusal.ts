import type { CommandResult } from 'taskwright';
import { UserError } from 'taskwright';

/**
 * A server's refusal of a schema is printed by `infrahubctl`, which exits with 0 all the same.
 *
 * @throws {UserError} with what the server said
 */
export function refuseIfRefused(said: CommandResult, server: string): void {
  const refusal = `${said.stdout}${said.stderr}`.match(/Unable to load the schema:[\s\S]*/)?.[0];
  if (refusal === undefined) return;
  throw new UserError('schema-refused', `${server} refused the schema`, 1, { facts: refusal.trim().split('\n').slice(1) });
}
