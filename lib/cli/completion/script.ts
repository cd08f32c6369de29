import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShellName } from '../own-options.ts';

/**
 * The shells' part of completion: they hand the words of the line to `tasks __complete`, which answers from what is
 * kept of the config. The program is the one on the PATH, and never a path that was typed.
 */
const FILES: Readonly<Record<ShellName, string>> = { bash: 'bash.sh', zsh: 'zsh.zsh', fish: 'fish.fish', powershell: 'powershell.ps1' };

/** @param program  a binary of one's own; `tasks` and `taskwright` without it */
export function completionScript(shell: ShellName, program?: string): string {
  const text = readFileSync(join(import.meta.dirname, 'shells', FILES[shell]), 'utf8');
  if (program === undefined) return text;
  const prefix = `__${program.replaceAll(/\W/g, '_')}_`;
  return text
    .replaceAll('__taskwright_', () => prefix)
    .replaceAll(/'tasks', 'taskwright'/g, () => `'${program}'`)
    .replaceAll(/tasks,? taskwright/g, () => program)
    .replaceAll(/(?<![\w.-])(_?)tasks\b/g, (_, before: string) => before + program);
}
