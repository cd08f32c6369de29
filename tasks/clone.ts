import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError, file, path, task, tool, writable } from 'taskwright';
import { z } from 'zod';
import { sandbox } from './sandbox.ts';

export const clone = task({
  summary: 'Clone Infrahub.',
  description: 'A folder that is a clone of the same origin already is left alone.',
  input: {
    url: z.string().min(1).default('git@github.com:opsmill/infrahub.git').describe('where from'),
    target: path().optional().meta({ positional: true }).describe('the new folder; default: infrahub, below the one you stand in'),
    submodules: z.boolean().default(false).describe('with submodules, which later versions need'),
    sandbox: z.boolean().default(false).meta({ hidden: true }).describe('of the miniature, which is made first'),
  },
  output: z.object({ checkout: z.string() }),
  needs: ({ input }) => ({ sandbox: input.sandbox ? sandbox() : undefined }),
  requires: (scope) => [
    tool('git', { remedy: 'Debian, Ubuntu: apt install git · macOS: brew install git' }),
    writable(dirname(targetOf(scope))),
  ],
  provides: (scope) => [file(targetOf(scope))],
  upToDate: async ({ input, invocationDir, look, root }) => {
    const target = targetOf({ input, invocationDir });
    if (!existsSync(join(target, '.git'))) return undefined;
    const origin = await look(['git', '-C', target, 'remote', 'get-url', 'origin'], { cwd: root });
    const isSame = origin.ok && origin.text() === input.url;
    return isSame ? { reason: `${target} is a clone of it already`, output: { checkout: target } } : undefined;
  },
  async run({ input, invocationDir, exec }) {
    const target = targetOf({ input, invocationDir });
    const inside = await readdir(target).catch(() => []);
    if (inside.length > 0) {
      throw new UserError('target-exists', `${target} is there and is no clone of ${input.url}`, 1, {
        hint: 'Name another folder: `tasks clone OTHER`.',
      });
    }
    await exec(['git', 'clone', ...(input.submodules ? ['--recurse-submodules'] : []), '--', input.url, target]);
    return { checkout: target };
  },
});

interface Scope {
  readonly input: { readonly target?: string | undefined };
  readonly invocationDir: string;
}

const targetOf = ({ input, invocationDir }: Scope): string => input.target ?? join(invocationDir, 'infrahub');
