import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from 'taskwright';
import { z } from 'zod';
import type { BrokerServices, Database, Layout, Use } from './layout.ts';
import { DATABASES } from './layout.ts';

/** The database of one call: compose file, `INFRAHUB_DB_TYPE` and image all follow from it. */
export const databaseInput = z
  .enum(DATABASES)
  .optional()
  .describe('the graph database; default: INFRAHUB_DB_TYPE, of the environment or the settings file, else neo4j');

/** Variables that change what compose is told, all optional. */
export const composeEnv = {
  INFRAHUB_IMAGE_NAME: z.string().optional().describe('name of the image of server and workers'),
  INFRAHUB_IMAGE_VER: z.string().optional().describe('and its version; default: that of the checkout'),
  PYTHON_VER: z.string().optional().describe('version of Python in that image'),
  INFRAHUB_BUILD_NAME: z.string().optional().describe('name of the compose project'),
  PYTEST_XDIST_WORKER_COUNT: z.int().min(1).optional().describe('processes of the tests in docker, and how many databases they get'),
  CACHE_DOCKER_IMAGE: z.string().optional().describe('image of the cache'),
  MESSAGE_QUEUE_DOCKER_IMAGE: z.string().optional().describe('image of the message queue'),
  INFRAHUB_DB_TYPE: z.enum(DATABASES).optional().describe('the graph database; `--database` wins'),
  NEO4J_DOCKER_IMAGE: z.string().optional().describe('image of the database, where it is neo4j'),
  MEMGRAPH_DOCKER_IMAGE: z.string().optional().describe('image of the database, where it is memgraph'),
  DATABASE_DOCKER_IMAGE: z.string().optional().describe('wins over the image of either database'),
  INFRAHUB_USE_NATS: z.boolean().optional().describe('NATS instead of RabbitMQ and Redis, where the checkout has it'),
  INVOKE_SUDO: z.boolean().optional().describe('run docker through sudo; absent: docker is asked'),
  DOCKER_HOST: z.string().optional().describe('the engine, where it is another machine'),
  TERM: z.string().optional().describe('the terminal; `dumb` takes colour from compose'),
  IMAGE_NAME: z.string().optional().describe('not read: INFRAHUB_IMAGE_NAME is'),
  IMAGE_VER: z.string().optional().describe('not read: INFRAHUB_IMAGE_VER is'),
};

/** Settings files of a checkout, which the tasks read as the server does (relative to the checkout). */
export const SETTINGS_FILES = ['.envrc', '.env'] as const;

/** Variables as a task has them, typed, or as a requirement sees them, as texts. */
export type ComposeVariables = { readonly [Name in keyof typeof composeEnv]?: string | number | boolean | undefined };

/** The nine variables that compose files read, in the order in which they are shown. */
export interface ComposeSettings {
  readonly IMAGE_NAME: string;
  readonly IMAGE_VER: string;
  readonly PYTHON_VER: string;
  readonly INFRAHUB_BUILD_NAME: string;
  readonly NBR_WORKERS: string;
  readonly CACHE_DOCKER_IMAGE: string;
  readonly MESSAGE_QUEUE_DOCKER_IMAGE: string;
  readonly INFRAHUB_DB_TYPE: Database;
  readonly DATABASE_DOCKER_IMAGE: string;
}

/** What a call works on. */
export interface Choice {
  readonly checkout: string;
  readonly layout: Layout;
  readonly use: Use;
  readonly database: Database | undefined;
}

export function composeSettings({ checkout, layout, use, database }: Choice, env: ComposeVariables): ComposeSettings {
  const project = projectName(checkout, env);
  const python = text(env.PYTHON_VER) ?? layout.python.version;
  const type = databaseOf(database, env);
  const ownImage = type === 'neo4j' ? env.NEO4J_DOCKER_IMAGE : env.MEMGRAPH_DOCKER_IMAGE;
  const image = layout.images.server[use];
  const words: Readonly<Record<string, string>> = { project, python, version: versionIn(checkout) ?? 'latest' };
  const filled = (pattern: string): string => pattern.replaceAll(/\{(\w+)\}/g, (placeholder, word: string) => words[word] ?? placeholder);
  return {
    IMAGE_NAME: text(env.INFRAHUB_IMAGE_NAME) ?? filled(image.name),
    IMAGE_VER: text(env.INFRAHUB_IMAGE_VER) ?? filled(image.version),
    PYTHON_VER: python,
    INFRAHUB_BUILD_NAME: project,
    NBR_WORKERS: text(env.PYTEST_XDIST_WORKER_COUNT) ?? '1',
    CACHE_DOCKER_IMAGE: text(env.CACHE_DOCKER_IMAGE) ?? layout.images.cache,
    MESSAGE_QUEUE_DOCKER_IMAGE: text(env.MESSAGE_QUEUE_DOCKER_IMAGE) ?? brokerOf(layout, env).image,
    INFRAHUB_DB_TYPE: type,
    DATABASE_DOCKER_IMAGE: text(env.DATABASE_DOCKER_IMAGE) ?? text(ownImage) ?? layout.databases[type].image,
  };
}

/** What was asked for, else what the variables say, else neo4j: tasks and server alike. */
export function databaseOf(asked: Database | undefined, env: ComposeVariables): Database {
  return asked ?? (env.INFRAHUB_DB_TYPE === 'memgraph' ? 'memgraph' : 'neo4j');
}

export function brokerOf(layout: Layout, env: ComposeVariables): BrokerServices {
  const { rabbitmq, nats } = layout.brokers;
  return nats && isYes(env.INFRAHUB_USE_NATS) ? nats : rabbitmq;
}

/** A variable that is yes or no, typed or still a text. */
export const isYes = (value: string | number | boolean | undefined): boolean => /^(true|yes|1)$/i.test(String(value ?? ''));

const text = (value: string | number | boolean | undefined): string | undefined =>
  value === undefined || value === '' ? undefined : String(value);

const COMPOSE_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * The compose project: `INFRAHUB_BUILD_NAME`, else the folder's name as far as compose allows it.
 *
 * @throws {UserError} for a name that compose would refuse, before anything is done in it
 */
export function projectName(checkout: string, env: ComposeVariables): string {
  const folder = basename(checkout);
  const given = text(env.INFRAHUB_BUILD_NAME);
  const name = given ?? folder.toLowerCase().replaceAll(/[^a-z0-9_]/g, '');
  if (COMPOSE_NAME.test(name)) return name;
  const from = given === undefined ? `the folder's name, ${JSON.stringify(folder)}` : '`INFRAHUB_BUILD_NAME`';
  throw new UserError('project-name', `${JSON.stringify(name)} cannot name a compose project (from ${from})`, 2, {
    facts: ['expected lower-case letters, digits, hyphens and underscores, with a letter or digit first'],
    hint: 'Set `INFRAHUB_BUILD_NAME`, to `infrahub` say.',
  });
}

/** `version` of `[tool.poetry]` in `pyproject.toml`. */
function versionIn(checkout: string): string | undefined {
  let toml: string;
  try {
    toml = readFileSync(join(checkout, 'pyproject.toml'), 'utf8');
  } catch {
    return undefined;
  }
  const section = toml.match(/^\[tool\.poetry\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m)?.[1];
  return section?.match(/^version\s*=\s*["']([^"']+)["']/m)?.[1];
}
