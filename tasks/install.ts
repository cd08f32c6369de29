import { join } from 'node:path';
import { file, task } from 'taskwright';
import { z } from 'zod';
import { override } from './override.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import { INSTALLED, PYTHON_VARIABLES, poetry, python } from './support/tools.ts';

export const install = task({
  summary: 'Install Infrahub into the environment of its checkout (poetry install).',
  input: { infrahub: infrahubInput, with: z.array(z.string()).default([]).describe('optional dependency groups') },
  passthrough: true,
  cwd: inCheckout,
  requires: (scope) => {
    const folder = checkoutOf(scope);
    const layout = layoutOf(folder);
    return [
      checkout(folder),
      poetry,
      python(layout),
      ...layout.install.map((name) => file(join(folder, name), { remedy: 'Is the checkout complete? `git status`' })),
    ];
  },
  provides: (scope) => [{ id: `${INSTALLED}:${checkoutOf(scope)}` }],
  after: [override],
  passEnv: PYTHON_VARIABLES,
  sources: ['pyproject.toml', 'poetry.lock', '*/pyproject.toml'],
  // The environment lies elsewhere, and may have been removed.
  async upToDate({ look, cwd }) {
    const there = await look(['poetry', 'env', 'info', '--path'], { cwd });
    return there.ok && there.text() !== '' ? 'installed from this lock file' : undefined;
  },
  async run({ input, exec, passthrough }) {
    const groups = input.with.flatMap((group) => ['--with', group]);
    await exec(['poetry', 'install', ...groups, ...passthrough], { env: { POETRY_NO_INTERACTION: '1' } });
  },
});
