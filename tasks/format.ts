import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { task } from 'taskwright';
import { z } from 'zod';
import { load } from './schema.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import { formatTools, usesAutoflake, yamllintTool } from './support/tools.ts';

const AUTOFLAKE = ['autoflake', '--recursive', '--verbose'];
const REMOVE = ['--remove-all-unused-imports', '--remove-unused-variables'];

export const format = task({
  summary: 'Format the Python code of the checkout.',
  description:
    'Autoflake where the checkout names it, then ruff, part by part. The first failing command ends it, and what was not done is said.',
  input: {
    infrahub: infrahubInput,
    parts: z
      .array(z.enum(['main', 'sdk', 'backend', 'sync']))
      .default(['main', 'sdk', 'backend', 'sync'])
      .meta({ variadic: true })
      .describe('which parts'),
    check: z.boolean().default(false).describe('change nothing, fail when something would change'),
  },
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope)), formatTools(checkoutOf(scope))],
  after: [load],
  async run({ input, cwd, exec, log }) {
    const { format: parts } = layoutOf(cwd);
    const wanted = parts.filter((part) => input.parts.includes(part.name));
    const withAutoflake = usesAutoflake(cwd);
    for (const [position, part] of wanted.entries()) {
      const missing = [...part.formatPaths, ...part.checkPaths].filter((path) => !existsSync(join(cwd, path)));
      if (missing.length > 0) {
        log.warn(`${part.name}: left out, the checkout has no ${missing.join(', ')}`);
        continue;
      }
      const config = ['--config', join(cwd, part.config)];
      try {
        if (withAutoflake)
          await exec([...AUTOFLAKE, input.check ? '--check' : '--in-place', ...REMOVE, ...part.autoflake.paths], {
            cwd: part.autoflake.cwd,
          });
        await exec(['ruff', 'format', ...(input.check ? ['--check'] : []), ...part.formatPaths, ...config]);
        await exec(['ruff', 'check', ...(input.check ? [] : ['--fix']), ...part.checkPaths, ...config]);
      } catch (error) {
        const left = wanted.slice(position + 1).map((later) => later.name);
        if (left.length > 0) log.warn(`not done: ${left.join(', ')}`);
        throw error;
      }
    }
  },
});

export const yamllint = task({
  summary: 'Lint the YAML files of the checkout.',
  input: { infrahub: infrahubInput },
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope)), yamllintTool],
  after: [format],
  async run({ exec }) {
    await exec(['yamllint', '.']);
  },
});
