import { UserError, task } from 'taskwright';
import { z } from 'zod';
import type { InfrahubProject } from '../infrahub-project.ts';
import { parsedJson } from '../json.ts';
import { serverRuns } from '../preconditions.ts';
import { refuseIfRefused } from '../schema-refusal.ts';
import { servicesOf } from '../services.ts';
import { common, inProject, open, requires } from './scope.ts';

/** What is done inside the containers of the server and its workers, or with the server they run. */
export function insideTasks(use: 'demo' | 'dev') {
  const working = requires(use, 'everything', [serverRuns]);

  const shellIn = (what: 'server' | 'worker', summary: string) =>
    task({
      summary,
      description: 'In the running container; where none runs, in a new one that is removed afterwards.',
      input: common,
      ...inProject,
      requires: requires(use, 'everything'),
      interactive: true,
      async run(context) {
        const compose = await open(context, use, 'everything');
        const service = compose.layout.services[what];
        const isRunning = (await servicesOf(compose)).some((one) => one.service === service && one.state === 'running');
        await compose.run(isRunning ? ['exec', service, 'bash'] : ['run', '--rm', service, 'bash'], { interactive: true });
      },
    });
  const cliServer = shellIn('server', 'Open a shell in the container of the server.');
  const cliGit = shellIn('worker', 'Open a shell in the container of a worker.');

  const inWorker = (compose: InfrahubProject, words: readonly string[]) =>
    compose.run(['run', '--rm', compose.layout.services.worker, ...words]);

  const loadInfraSchema = task({
    summary: 'Load the example schema into the server of the containers, and restart it.',
    input: common,
    ...inProject,
    requires: working,
    async run(context) {
      const compose = await open(context, use, 'everything');
      const said = await inWorker(compose, ['infrahubctl', 'schema', 'load', ...compose.layout.example.loadSchema]);
      refuseIfRefused(said, 'the server of the containers');
      await compose.run(['restart', compose.layout.services.server]);
    },
  });

  const loadInfraData = task({
    summary: 'Load the example data into the server of the containers.',
    input: common,
    ...inProject,
    requires: working,
    after: [loadInfraSchema],
    async run(context) {
      const compose = await open(context, use, 'everything');
      await inWorker(compose, ['infrahubctl', ...compose.layout.example.loadData]);
    },
  });

  const infraGitImport = task({
    summary: 'Make a git repository of the example in the containers, for the server to import.',
    input: common,
    ...inProject,
    requires: working,
    after: [loadInfraData],
    async run(context) {
      const compose = await open(context, use, 'everything');
      const { worker } = compose.layout.services;
      const { source, into, target } = compose.layout.example.repository;
      const there = await compose.look(['exec', worker, 'test', '-d', `${target}/.git`]);
      if (there.ok && !context.dryRun) return context.log(`${target} is a repository already`);
      await inWorker(compose, ['cp', '-r', source, into]);
      for (const words of [
        ['init', '--initial-branch', 'main'],
        ['add', '.'],
        ['commit', '-m', 'first'],
      ]) {
        await compose.run(['exec', '--workdir', target, worker, 'git', ...words]);
      }
    },
  });

  const infraGitCreate = task({
    summary: 'Tell the server of that repository.',
    description:
      "One GraphQL request. The token is the server's admin token: what `INFRAHUB_SECURITY_INITIAL_ADMIN_TOKEN` was at its first start, or what the compose files of the checkout say.",
    examples: [`${use}.infra-git-create --name demo-edge`],
    input: {
      name: z.string().min(1).default('demo-edge').describe('of the repository, in Infrahub'),
      location: z.string().min(1).default('/remote/infrahub-demo-edge').describe('where the workers find it'),
      address: z.url().default('http://localhost:8000').meta({ env: 'INFRAHUB_ADDRESS' }).describe('the server'),
      token: z.string().min(1).meta({ secret: true, env: 'INFRAHUB_API_TOKEN' }).describe('an API token of it'),
    },
    after: [infraGitImport],
    async run({ input, signal, log, dryRun }) {
      const { name, location, address, token } = input;
      const url = `${address.replace(/\/$/, '')}/graphql`;
      if (dryRun) return log(`would POST ${url} CoreRepositoryCreate ${JSON.stringify({ name, location })}`);
      await createRepository({ url, token, variables: { name, location }, signal });
      log(`${name} is known to the server at ${address}`);
    },
  });

  return { cliServer, cliGit, loadInfraSchema, loadInfraData, infraGitImport, infraGitCreate };
}

const MUTATION =
  'mutation($name: String!, $location: String!) { CoreRepositoryCreate(data: { name: { value: $name }, location: { value: $location } }) { ok } }';

const answerSchema = z.object({
  data: z.object({ CoreRepositoryCreate: z.object({ ok: z.boolean() }).nullish() }).nullish(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

interface Creation {
  readonly url: string;
  readonly token: string;
  readonly variables: { readonly name: string; readonly location: string };
  readonly signal: AbortSignal;
}

const ANSWER_WITHIN_MS = 30_000;

/** @throws {UserError} for a server that does not answer, refuses, answers with errors or with something else */
async function createRepository({ url, token, variables, signal }: Creation): Promise<void> {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-infrahub-key': token },
    body: JSON.stringify({ query: MUTATION, variables }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  };
  const failed = (problem: string, facts: readonly string[] = [], hint?: string): UserError =>
    new UserError('infra-git-create', problem, 1, { facts, ...(hint !== undefined && { hint }) });

  let response: Response;
  let text: string;
  try {
    response = await fetch(url, request);
    text = await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
    const { cause, message } = error as Error & { readonly cause?: { readonly message?: string; readonly code?: string } };
    throw failed(`${url} does not answer: ${cause?.message || cause?.code || message}`, [], 'Does it run? `tasks demo.start --wait`');
  }
  const isRefused = response.status === 401 || response.status === 403;
  if (!response.ok) {
    const hint = isRefused ? 'Is it the admin token of this server? `--token`, INFRAHUB_API_TOKEN.' : undefined;
    throw failed(`${url} answered ${response.status} ${response.statusText}`.trim(), text.trim().split('\n').slice(0, 5), hint);
  }
  const answer = answerSchema.safeParse(parsedJson(text));
  if (!answer.success) throw failed(`${url} answered with something that is no GraphQL answer`, [text.slice(0, 200)]);
  const { data, errors = [] } = answer.data;
  if (errors.length > 0) {
    throw failed(
      `the server refused repository ${variables.name}`,
      errors.map((one) => one.message),
    );
  }
  if (data?.CoreRepositoryCreate?.ok !== true) throw failed(`the server did not create repository ${variables.name}`, [text.slice(0, 200)]);
}
