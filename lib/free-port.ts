import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { currentStep } from './current-step.ts';
import { EXIT, UserError } from './errors.ts';
import { runtimeFolder, tryFileLock } from './util/file-lock.ts';
import { canListen } from './util/ports.ts';

/** Below what systems give out by themselves, so that no outgoing connection takes one meanwhile. */
const FIRST = 20_000;
const COUNT = 12_000;
const TRIES = 500;

/**
 * A port that nobody listens on, and that no other step of this user on this machine gets (R37): two runs
 * side by side get different ones. Held until the step that asked is over; outside of a step, until the
 * process ends.
 */
export async function freePort(): Promise<number> {
  const step = currentStep.getStore();
  const folder = join(runtimeFolder(process.env), 'ports');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const attempt = tryFileLock(join(folder, String(port)), { what: step?.name ?? 'a program', where: process.cwd() });
    if (attempt.kind === 'held') continue;
    if (await canListen(port)) {
      step?.onClose(attempt.release);
      return port;
    }
    attempt.release();
  }
  throw new UserError('no-free-port', `no port is free among ${FIRST}–${FIRST + COUNT - 1}`, EXIT.failed);
}
