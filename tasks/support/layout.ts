/**
 * Where things are in a checkout of Infrahub, and what they are called: one typed description for each
 * layout the project has had. The tasks read it; another layout is another description.
 */
export type Database = 'neo4j' | 'memgraph';
export const DATABASES = ['neo4j', 'memgraph'] as const satisfies readonly Database[];

/** What the containers are for: `demo` and `dev` are namespaces of tasks, `test` is for tests in docker. */
export type Use = 'demo' | 'dev' | 'test';

/** Which compose files. */
export type Selection = 'dependencies' | 'everything' | 'tests' | 'scale';

/** What stands between server and workers. */
export type Broker = 'rabbitmq' | 'nats';

/**
 * A compose file, relative to the checkout. `{database}` and `{broker}` stand for those chosen.
 * `override`: where that file is there, else `otherwise`. `localBuild`: where the image is a local one.
 */
export type ComposeFile = string | { readonly override: string; readonly otherwise?: string } | { readonly localBuild: string };

/** A service's port inside its container. */
export interface ServicePort {
  readonly service: string;
  readonly port: number;
}

export interface Layout {
  readonly name: string;
  /** Files that only a checkout of this layout has all of, relative to it. */
  readonly marks: readonly string[];
  readonly compose: {
    /** In the order of `-f`. */
    readonly files: Readonly<Record<Selection, readonly ComposeFile[]>>;
    /** Laid over the dependencies when it is there: publishes their ports to a local server. */
    readonly devOverride: { readonly file: string; readonly template: string };
    /** Words after `docker compose`, by use. */
    readonly options: Readonly<Record<Use, readonly string[]>>;
    /** And where the terminal is a dumb one. */
    readonly dumbTerminal: readonly string[];
    /** Words after `up -d` when it is to wait. `{seconds}` is the limit. */
    readonly wait: readonly string[];
  };
  /** Names of the services, by what they do. */
  readonly services: {
    readonly server: string;
    readonly worker: string;
    readonly tests: string;
    readonly database: ServicePort;
  };
  readonly brokers: { readonly rabbitmq: BrokerServices } & Readonly<Partial<Record<Broker, BrokerServices>>>;
  /** Services with a Dockerfile of the checkout; the others are pulled. */
  readonly built: readonly string[];
  /** Ports on this machine, by service. */
  readonly ports: {
    /** With the dev override, beside those of the broker. */
    readonly database: readonly number[];
    readonly server: readonly number[];
  };
  /** Without the project's name in front. */
  readonly volumes: { readonly database: string };
  readonly databases: Readonly<Record<Database, DatabaseDescription>>;
  readonly images: {
    /** `{project}`, `{python}` and `{version}` (of `pyproject.toml`, else `latest`) stand for themselves. */
    readonly server: Readonly<Record<Use, { readonly name: string; readonly version: string }>>;
    readonly cache: string;
  };
  /** What the server calls the user's own settings, `INFRAHUB_SDK_USERNAME` say. */
  readonly clientVariables: { readonly username: string; readonly password: string; readonly timeout: string };
  readonly python: { readonly version: string; readonly range: string };
  /** Files and folders that `poetry install` needs. */
  readonly install: readonly string[];
  readonly settingsFile: string;
  readonly tests: {
    readonly unit: string;
    readonly core: string;
    readonly integration: string;
    /** Of the unit tests, outside docker: whether services must run already. */
    readonly needServices: boolean;
    readonly scale: { readonly script: string; readonly schema: string };
  };
  /** The example of the guide. Paths in the checkout, but for `target`, which is in the worker's container. */
  readonly example: {
    readonly schema: string;
    /** Words after `infrahubctl schema load`. */
    readonly loadSchema: readonly string[];
    /** Words after `infrahubctl`. */
    readonly loadData: readonly string[];
    readonly repository: { readonly source: string; readonly into: string; readonly target: string };
  };
  /** Where the checkout is in the containers. */
  readonly source: string;
  readonly quality: Readonly<Record<PartName, Part>>;
}

export interface BrokerServices {
  /** What `{broker}` stands for. */
  readonly fileSuffix: string;
  readonly image: string;
  /** Ports on this machine with the dev override, by service. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  readonly messageQueue: ServicePort;
  readonly cache: ServicePort;
}

export interface DatabaseDescription {
  readonly image: string;
  /** What it keeps at the top of its data, and the other does not. */
  readonly dataFiles: readonly string[];
}

export type PartName = 'main' | 'sdk' | 'backend' | 'sync';

/** A part of the code, with the commands that format and lint it. */
export interface Part {
  /** Files and folders without which there is nothing to do. */
  readonly paths: readonly string[];
  readonly format: readonly QualityCommand[];
  readonly lint: readonly QualityCommand[];
}

/** `{repo}` stands for the absolute path of the checkout, wherever the command runs. */
export interface QualityCommand {
  readonly argv: readonly [string, ...string[]];
  /** The same, changing nothing and failing where something would change. Absent: `argv` changes nothing. */
  readonly check?: readonly [string, ...string[]];
  /** In the checkout. Default: its root. */
  readonly cwd?: string;
}
