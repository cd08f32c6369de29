import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from 'taskwright';
import { z } from 'zod';
import type { Database, Layout } from './layout.ts';
import { DATABASES } from './layout.ts';

/** The database of one call: compose file, `INFRAHUB_DB_TYPE` and image all follow from it. */
export const databaseInput = z.enum(DATABASES).default('neo4j').meta({ env: 'INFRAHUB_DB_TYPE', description: 'the graph database' });

/** Variables that change what compose is told, all optional. */
export const composeEnv = {
  INFRAHUB_IMAGE_NAME: z.string().optional(),
  INFRAHUB_IMAGE_VER: z.string().optional(),
  PYTHON_VER: z.string().optional(),
  INFRAHUB_BUILD_NAME: z.string().optional().describe('name of the compose project'),
  PYTEST_XDIST_WORKER_COUNT: z.int().min(1).optional(),
  CACHE_DOCKER_IMAGE: z.string().optional(),
  MESSAGE_QUEUE_DOCKER_IMAGE: z.string().optional(),
  NEO4J_DOCKER_IMAGE: z.string().optional(),
  MEMGRAPH_DOCKER_IMAGE: z.string().optional(),
  DATABASE_DOCKER_IMAGE: z.string().optional().describe('wins over the image of either database'),
  INVOKE_SUDO: z.boolean().optional().describe('run docker through sudo; absent: docker is asked'),
};

export type ComposeEnv = { readonly [Key in keyof typeof composeEnv]?: z.output<(typeof composeEnv)[Key]> };

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

export function composeSettings(checkout: string, layout: Layout, database: Database, env: ComposeEnv): ComposeSettings {
  const project = projectName(checkout, env);
  const python = env.PYTHON_VER ?? layout.python.version;
  const own = database === 'neo4j' ? env.NEO4J_DOCKER_IMAGE : env.MEMGRAPH_DOCKER_IMAGE;
  return {
    IMAGE_NAME: env.INFRAHUB_IMAGE_NAME ?? `opsmill/${project}-py${python}`,
    IMAGE_VER: env.INFRAHUB_IMAGE_VER ?? versionIn(checkout) ?? 'latest',
    PYTHON_VER: python,
    INFRAHUB_BUILD_NAME: project,
    NBR_WORKERS: String(env.PYTEST_XDIST_WORKER_COUNT ?? 1),
    CACHE_DOCKER_IMAGE: env.CACHE_DOCKER_IMAGE ?? layout.images.cache,
    MESSAGE_QUEUE_DOCKER_IMAGE: env.MESSAGE_QUEUE_DOCKER_IMAGE ?? layout.images.messageQueue,
    INFRAHUB_DB_TYPE: database,
    DATABASE_DOCKER_IMAGE: env.DATABASE_DOCKER_IMAGE ?? own ?? layout.images.database[database],
  };
}

const COMPOSE_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * The compose project: `INFRAHUB_BUILD_NAME`, else the folder's name as far as compose allows it.
 *
 * @throws {UserError} for a name that compose would refuse, before anything is done in it
 */
export function projectName(checkout: string, env: ComposeEnv): string {
  const folder = basename(checkout);
  const name = env.INFRAHUB_BUILD_NAME ?? folder.toLowerCase().replaceAll(/[^a-z0-9_]/g, '');
  if (COMPOSE_NAME.test(name)) return name;
  const from = env.INFRAHUB_BUILD_NAME === undefined ? `the folder's name, ${JSON.stringify(folder)}` : '`INFRAHUB_BUILD_NAME`';
  throw new UserError('project-name', `${JSON.stringify(name)} cannot name a compose project (from ${from})`, 2, {
    facts: ['expected lower-case letters, digits, hyphens and underscores, with a letter or digit first'],
    hint: 'Set `INFRAHUB_BUILD_NAME`, to `infrahub` say.',
  });
}

/** `version` of `[tool.poetry]` in `pyproject.toml`. */
function versionIn(checkout: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(checkout, 'pyproject.toml'), 'utf8');
  } catch {
    return undefined;
  }
  const section = text.match(/^\[tool\.poetry\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m)?.[1];
  return section?.match(/^version\s*=\s*["']([^"']+)["']/m)?.[1];
}
