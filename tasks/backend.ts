import { task } from 'taskwright';
import { z } from 'zod';
import { load } from './schema.ts';
import * as sdk from './sdk.ts';
import { checkout, checkoutOf, inCheckout, infrahubInput, layoutOf } from './support/checkout.ts';
import { common, inProject, open, requires } from './support/containers/scope.ts';
import type { Layout } from './support/layout.ts';
import { sayingWhy } from './support/pytest.ts';
import { formatTask, lintTask } from './support/quality.ts';
import { installed, poetry } from './support/tools.ts';

/** The backend: its code, its tests in docker, its tests of scale. */
export const format = formatTask('backend', [load, sdk.format]);
export const lint = lintTask('backend');

/** What a test report names itself by, handed into the container where the run is one of CI. */
const CI_VARIABLES = [
  'GITHUB_ACTION',
  'GITHUB_REF_NAME',
  'GITHUB_BASE_REF',
  'GITHUB_HEAD_REF',
  'GITHUB_REPOSITORY',
  'GITHUB_RUN_ATTEMPT',
  'GITHUB_SHA',
  'GITHUB_RUN_ID',
  'GITHUB_RUN_NUMBER',
  'BUILDKITE_BRANCH',
  'BUILDKITE_COMMIT',
  'BUILDKITE_ANALYTICS_TOKEN',
  'BUILDKITE_ANALYTICS_BRANCH',
];
const isNo = (word: string): boolean => /^(|n|no|f|false|off|0)$/i.test(word);

const testTask = (summary: string, pathOf: (tests: Layout['tests']) => string) =>
  task({
    summary,
    description: 'Starts database, cache and message queue for tests in the same compose project, as many as there are workers.',
    input: common,
    ...inProject,
    env: { ...inProject.env, GITHUB_ACTION: z.string().optional().describe('set by GitHub: its variables go into the container') },
    passthrough: true,
    requires: requires('test', 'tests'),
    async run(context) {
      const { env, passthrough, log } = context;
      const compose = await open(context, 'test', 'tests');
      const { settings, layout } = compose;
      const handed = isNo(env.GITHUB_ACTION ?? '') ? [] : CI_VARIABLES.flatMap((name) => ['-e', name]);
      const pytest = ['pytest', '-n', settings.NBR_WORKERS, '-v', '--cov=infrahub', pathOf(layout.tests)];
      const neo4j = settings.INFRAHUB_DB_TYPE === 'neo4j' ? ['--neo4j'] : [];
      await sayingWhy(compose.run(['run', '--rm', ...handed, layout.services.tests, ...pytest, ...neo4j, ...passthrough]), log);
    },
  });

export const testUnit = testTask('Run the unit tests in docker.', (tests) => tests.unit);
export const testCore = testTask('Run the unit tests of the core in docker.', (tests) => tests.core);
export const testIntegration = testTask('Run the integration tests in docker.', (tests) => tests.integration);

export const testScaleEnvStart = task({
  summary: 'Start the containers for the tests of scale.',
  input: common,
  ...inProject,
  requires: requires('test', 'scale'),
  async run(context) {
    await (await open(context, 'test', 'scale')).run(['up', '-d']);
  },
});

export const testScaleEnvDestroy = task({
  summary: 'Remove the containers and volumes of the tests of scale.',
  input: common,
  ...inProject,
  requires: requires('test', 'scale'),
  async run(context) {
    await (await open(context, 'test', 'scale')).run(['down', '--remove-orphans', '--volumes']);
  },
});

export const testScale = task({
  summary: 'Run the tests of scale.',
  description: 'On this machine, in the environment of the checkout, against the containers of `backend.test-scale-env-start`.',
  examples: ['backend.test-scale-env-start backend.test-scale --stager infrahub_core --amount 100'],
  input: {
    infrahub: infrahubInput,
    stager: z.string().optional().describe('what fills the database'),
    amount: z.int().min(1).optional().describe('how much of it'),
    test: z.string().optional().describe('which test'),
  },
  passthrough: true,
  cwd: inCheckout,
  requires: (scope) => [checkout(checkoutOf(scope)), poetry, installed(checkoutOf(scope))],
  after: [testScaleEnvStart],
  async run({ input, cwd, exec, passthrough }) {
    const { script, schema } = layoutOf(cwd).tests.scale;
    const choices = [
      ...(input.stager === undefined ? [] : ['--stager', input.stager]),
      ...(input.amount === undefined ? [] : ['--amount', input.amount]),
      ...(input.test === undefined ? [] : ['--test', input.test]),
    ];
    await exec(['poetry', 'run', 'python', script, ...choices, '--schema', schema, ...passthrough]);
  },
});
