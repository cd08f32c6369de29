import { sandboxFiles } from '../../tasks/support/sandbox/files.ts';
import type { TestProject } from './project.ts';
import { projectWith } from './project.ts';

/** Checkouts that have all the files a layout may have, with nothing in those that only stand-ins read. */
const COMPOSE_FILES = [
  'docker-compose-deps.yml',
  'docker-compose-database-neo4j.yml',
  'docker-compose-database-memgraph.yml',
  'docker-compose.yml',
  'docker-compose.default.yml',
  'docker-compose.dev-override.yml.tmp',
  'docker-compose-test.yml',
  'docker-compose-test-database-neo4j.yml',
  'docker-compose-test-database-memgraph.yml',
  'docker-compose-test-cache.yml',
  'docker-compose-test-scale.yml',
];

const empty = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`development/${name}`, 'services: {}\n']));

const autoflaked = `${sandboxFiles['pyproject.toml']}\n[tool.poetry.group.dev.dependencies]\nautoflake = "*"\n`;

export const januaryFiles: Readonly<Record<string, string>> = {
  ...sandboxFiles,
  ...empty(COMPOSE_FILES),
  'pyproject.toml': autoflaked,
  'models/infrastructure_edge.py': '',
};

export const octoberFiles: Readonly<Record<string, string>> = {
  ...sandboxFiles,
  ...empty([...COMPOSE_FILES, 'docker-compose-deps-nats.yml', 'docker-compose-test-message-queue.yml', 'docker-compose.local-build.yml']),
};

export type LayoutName = 'January 2024' | 'October 2024';

export function checkoutOf(layout: LayoutName, name = 'infrahub'): TestProject {
  return projectWith(layout === 'January 2024' ? januaryFiles : octoberFiles, name);
}
