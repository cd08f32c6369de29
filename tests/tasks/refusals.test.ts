import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { GivenCommand, Reply } from '../../lib/testing.ts';
import { testTask } from '../../lib/testing.ts';
import * as demo from '../../tasks/demo.ts';
import { install } from '../../tasks/install.ts';
import * as schema from '../../tasks/schema.ts';
import { sandboxFiles } from '../../tasks/support/sandbox/files.ts';
import { projectWith } from '../support/project.ts';

// What is refused before anything is done, and in which words. Programs are answered by a script.
function checkoutWith() {
  const checkout = projectWith(sandboxFiles, 'infrahub');
  // There, so that they are asked; what they answer is the script's.
  for (const program of ['docker', 'poetry', 'python3']) checkout.write(`bin/${program}`, '', { mode: 0o755 });
  return checkout;
}

type Answer = (command: GivenCommand) => Reply;

async function refusal(task: Parameters<typeof testTask>[0], input: object, commands: Answer, env: Record<string, string> = {}) {
  const given = { input, commands, env: { PATH: `${String(Object.values(input)[0])}/bin`, ...env }, preflight: true } as object;
  const error: unknown = await testTask(task, given).catch((caught: unknown) => caught);
  return error as { readonly exitCode: number; readonly facts: readonly string[] };
}

const status = demo.status as unknown as Parameters<typeof testTask>[0];

test.each<[string, Answer, string, string]>([
  ['no docker', () => ({ notFound: true }), '`docker` was not found on PATH', 'apt install docker.io'],
  [
    'no engine',
    () => ({ exitCode: 1, stderr: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n' }),
    'the Docker engine does not answer: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.',
    'systemctl start docker',
  ],
  [
    'no permission',
    () => ({ exitCode: 1, stderr: 'permission denied while trying to connect\n' }),
    'docker is there, and you are not permitted to use its engine',
    'usermod -aG docker',
  ],
  [
    'no compose plugin',
    (command) => (command.argv?.includes('compose') ? { exitCode: 1, stderr: "docker: 'compose' is not a docker command.\n" } : ''),
    'docker has no compose plugin: `docker compose version` failed',
    'docker-compose',
  ],
])('%s is one clear message with its remedy, exit 3 (R17)', async (name, commands, problem, remedy) => {
  const checkout = checkoutWith();

  const error = await refusal(status, { infrahub: checkout.root }, commands, { DOCKER_HOST: name });

  expect(error.exitCode).toBe(3);
  expect(error.facts[0]).toBe(problem);
  expect(error.facts[1]).toContain(remedy);
});

test('sudo is found out without a question, and its password is never asked for in between (D13, D14)', async () => {
  const checkout = checkoutWith();
  const { commands } = await testTask(demo.status, {
    input: { infrahub: checkout.root },
    env: { DOCKER_HOST: 'sudo' },
    commands: (command) => (command.argv?.[0] === 'docker' ? { exitCode: 1, stderr: 'permission denied\n' } : ''),
  });

  expect(commands[1]?.line).toBe('sudo -n docker ps --quiet');
  // Settings reach docker through sudo, which drops inherited variables.
  expect(commands.at(-1)?.argv?.slice(0, 3)).toEqual(['sudo', 'env', 'IMAGE_NAME=opsmill/infrahub-py3.11']);
});

test('no checkout, and a compose file that is missing, are told by name', async () => {
  const empty = projectWith({ 'bin/docker': '' });
  const nowhere = await refusal(status, { infrahub: empty.root }, () => '', { DOCKER_HOST: 'a' });
  expect(nowhere.facts[0]).toBe(`no checkout of Infrahub at ${empty.root}`);
  expect(nowhere.facts[1]).toContain('tasks clone');
  expect(nowhere.facts).toHaveLength(2);

  const checkout = projectWith({ 'bin/docker': '', 'pyproject.toml': '', 'development/docker-compose-deps.yml': '' });
  const incomplete = await refusal(status, { infrahub: checkout.root }, () => '', { DOCKER_HOST: 'b' });
  expect(incomplete.facts.join('\n')).toContain(
    'missing in the checkout: development/docker-compose-database-neo4j.yml, development/docker-compose.yml',
  );
});

test('poetry too old, and Python out of range, name what was found and what is wanted', async () => {
  const checkout = checkoutWith();
  const error = await refusal(install as unknown as Parameters<typeof testTask>[0], { infrahub: checkout.root }, (command) =>
    command.argv?.[0] === 'poetry' ? 'Poetry (version 1.0.10)\n' : 'Python 3.12.4\n',
  );

  expect(error.exitCode).toBe(3);
  expect(error.facts.filter((fact) => !fact.startsWith('  '))).toEqual([
    '`poetry`: found 1.0.10, wanted >=1.2',
    '`python3`: found 3.12.4, wanted >=3.8 <3.12',
  ]);
});

test('a schema file that is not there is told before the server is asked', async () => {
  const checkout = checkoutWith();
  mkdirSync(checkout.path('models'), { recursive: true });
  const error = await refusal(
    schema.load as unknown as Parameters<typeof testTask>[0],
    { infrahub: checkout.root, paths: ['models/nowhere.yml'], address: 'http://localhost:1' },
    () => '1.3.2\n',
  );

  expect(error.facts.join('\n')).toContain('nowhere.yml` does not exist');
});
