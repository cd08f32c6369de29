/**
 * Where things are in a checkout of Infrahub, and what they are called: one typed description for each
 * layout the project has had. The tasks read it; another layout is another description.
 */
export type Database = 'neo4j' | 'memgraph';
export const DATABASES = ['neo4j', 'memgraph'] as const satisfies readonly Database[];

export interface Layout {
  readonly name: string;
  /** Files that only a checkout of this layout has all of, relative to it. */
  readonly marks: readonly string[];
  readonly compose: {
    /** In the order of `-f`. `{database}` stands for the database chosen. */
    readonly dependencies: readonly string[];
    /** Laid over the dependencies when it is there: publishes their ports to a local server. */
    readonly devOverride: string;
    readonly devOverrideTemplate: string;
    readonly server: string;
    /** One of the two follows the server's: the override where it is there. */
    readonly override: string;
    readonly withoutOverride: string;
  };
  /** Ports on this machine, by service. */
  readonly ports: {
    readonly dependencies: Readonly<Record<string, readonly number[]>>;
    readonly server: Readonly<Record<string, readonly number[]>>;
  };
  /** Without the project's name in front. */
  readonly volumes: readonly string[];
  readonly images: {
    readonly cache: string;
    readonly messageQueue: string;
    readonly database: Readonly<Record<Database, string>>;
  };
  readonly python: { readonly version: string; readonly range: string };
  /** Files and folders that `poetry install` needs. */
  readonly install: readonly string[];
  readonly unitTests: string;
  readonly settingsFile: string;
  readonly schemaExample: string;
  /** What is formatted, in order. `cwd` is where autoflake runs. */
  readonly format: readonly FormatPart[];
}

export interface FormatPart {
  readonly name: 'main' | 'sdk' | 'backend' | 'sync';
  readonly autoflake: { readonly cwd: string; readonly paths: readonly string[] };
  readonly formatPaths: readonly string[];
  readonly checkPaths: readonly string[];
  /** The configuration of ruff, relative to the checkout. */
  readonly config: string;
}

/** As of January 2024: `demo` namespace, one compose file a concern, autoflake and ruff. */
export const january2024: Layout = {
  name: 'January 2024',
  marks: ['pyproject.toml', 'development/docker-compose-deps.yml'],
  compose: {
    dependencies: ['development/docker-compose-deps.yml', 'development/docker-compose-database-{database}.yml'],
    devOverride: 'development/docker-compose.dev-override.yml',
    devOverrideTemplate: 'development/docker-compose.dev-override.yml.tmp',
    server: 'development/docker-compose.yml',
    override: 'development/docker-compose.override.yml',
    withoutOverride: 'development/docker-compose.default.yml',
  },
  ports: {
    dependencies: { database: [7687, 7474, 7444], 'message-queue': [5672, 15672], cache: [6379] },
    server: { 'infrahub-server': [8000] },
  },
  volumes: ['database_data', 'database_logs', 'git_data', 'git_remote_data', 'storage_data'],
  images: {
    cache: 'redis:7.2',
    messageQueue: 'rabbitmq:3.12-management',
    database: { neo4j: 'neo4j:5.14-community', memgraph: 'memgraph/memgraph:2.13.0' },
  },
  python: { version: '3.11', range: '>=3.8 <3.12' },
  install: ['pyproject.toml', 'poetry.lock', 'python_sdk'],
  unitTests: 'backend/tests/unit',
  settingsFile: '.envrc',
  schemaExample: 'models/infrastructure_base.yml',
  format: [
    {
      name: 'main',
      autoflake: { cwd: '.', paths: ['tasks', 'models'] },
      formatPaths: ['tasks', 'models/'],
      checkPaths: ['tasks'],
      config: 'pyproject.toml',
    },
    {
      name: 'sdk',
      autoflake: { cwd: 'python_sdk', paths: ['.'] },
      formatPaths: ['python_sdk/'],
      checkPaths: ['python_sdk/'],
      config: 'python_sdk/pyproject.toml',
    },
    {
      name: 'backend',
      autoflake: { cwd: '.', paths: ['backend'] },
      formatPaths: ['backend'],
      checkPaths: ['backend'],
      config: 'pyproject.toml',
    },
    {
      name: 'sync',
      autoflake: { cwd: '.', paths: ['sync/infrahub-sync'] },
      formatPaths: ['sync/infrahub-sync'],
      checkPaths: ['sync/infrahub-sync'],
      config: 'pyproject.toml',
    },
  ],
};

/** The layouts, newest knowledge last; the first whose marks are there counts. */
export const LAYOUTS: readonly Layout[] = [january2024];
