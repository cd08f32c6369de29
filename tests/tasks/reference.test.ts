import { expect, test } from 'vitest';
import { programOrder } from '../../lib/api.ts';
import { planOrder } from '../../lib/carry-out.ts';
import { targetsOf } from '../../lib/cli/parse.ts';
import { specOf } from '../../lib/task.ts';
import { shippedConfig } from '../support/shipped.ts';
import { tasksPage } from '../support/tasks-page.ts';
import { wordsOf } from '../support/pages.ts';

test('the page of the shipped tasks says what their declarations say; `tasks repo.docs` writes it anew', async () => {
  await expect(await tasksPage()).toMatchFileSnapshot('../../docs/reference/tasks.md');
});

test('every example of a shipped task can be planned, and is one of that task', async () => {
  const env = { INFRAHUB_API_TOKEN: 'a token' };
  const order = await programOrder([], { config: shippedConfig, env });
  const entries = order.registry?.entries ?? [];
  const examples = entries.flatMap(({ name, task }) => (specOf(task).examples ?? []).map((example) => ({ name, example })));
  expect(examples.length).toBeGreaterThan(20);
  for (const { name, example } of examples) {
    const { plan } = await planOrder({ ...order, targets: targetsOf(wordsOf(example), order).targets });
    expect([example, plan.steps.map((step) => step.name)]).toEqual([example, expect.arrayContaining([name])]);
  }
});
