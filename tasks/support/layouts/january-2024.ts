import type { Layout } from '../layout.ts';
import { ROOT_CONFIG, autoflake, mypy, pylint, ruffDiff, ruffFix, ruffFormat } from './quality.ts';

const DEPENDENCIES = ['development/docker-compose-deps.yml', 'development/docker-compose-database-{database}.yml'];
const DEV_OVERRIDE = 'development/docker-compose.dev-override.yml';
const SERVER_IMAGE = { name: 'opsmill/{project}-py{python}', version: '{version}' };

/** As of January 2024: `demo` namespace, one compose file a concern, autoflake and ruff. */
export const january2024: Layout = {
  name: 'January 2024',
  marks: ['pyproject.toml', 'development/docker-compose-deps.yml'],
  compose: {
    files: {
      dependencies: [...DEPENDENCIES, { override: DEV_OVERRIDE }],
      everything: [
        ...DEPENDENCIES,
        'development/docker-compose.yml',
        { override: 'development/docker-compose.override.yml', otherwise: 'development/docker-compose.default.yml' },
      ],
      tests: [
        'development/docker-compose-deps.yml',
        'development/docker-compose-test-database-{database}.yml',
        'development/docker-compose-test-cache.yml',
        'development/docker-compose-test.yml',
      ],
      scale: [
        ...DEPENDENCIES,
        'development/docker-compose-test-cache.yml',
        'development/docker-compose-test-scale.yml',
        { override: 'development/docker-compose-test-scale-override.yml' },
      ],
    },
    devOverride: { file: DEV_OVERRIDE, template: `${DEV_OVERRIDE}.tmp` },
    options: { demo: [], dev: [], test: [] },
    dumbTerminal: [],
    wait: [],
  },
  services: {
    server: 'infrahub-server',
    worker: 'infrahub-git',
    tests: 'infrahub-test',
    database: { service: 'database', port: 7687 },
  },
  brokers: {
    rabbitmq: {
      fileSuffix: '',
      image: 'rabbitmq:3.12-management',
      ports: { 'message-queue': [5672, 15672], cache: [6379] },
      messageQueue: { service: 'message-queue', port: 5672 },
      cache: { service: 'cache', port: 6379 },
    },
  },
  built: ['infrahub-git', 'infrahub-server'],
  ports: { database: [7687, 7474, 7444], server: [8000] },
  volumes: { database: 'database_data' },
  databases: {
    neo4j: { image: 'neo4j:5.14-community', dataFiles: ['dbms', 'transactions'] },
    memgraph: { image: 'memgraph/memgraph:2.13.0', dataFiles: ['auth', 'settings', 'snapshots', 'wal'] },
  },
  images: { server: { demo: SERVER_IMAGE, dev: SERVER_IMAGE, test: SERVER_IMAGE }, cache: 'redis:7.2' },
  clientVariables: { username: 'INFRAHUB_SDK_USERNAME', password: 'INFRAHUB_SDK_PASSWORD', timeout: 'INFRAHUB_SDK_TIMEOUT' },
  python: { version: '3.11', range: '>=3.8 <3.12' },
  install: ['pyproject.toml', 'poetry.lock', 'python_sdk'],
  settingsFile: '.envrc',
  tests: {
    unit: 'backend/tests/unit',
    core: 'backend/tests/unit/core',
    integration: 'backend/tests/integration',
    needServices: true,
    scale: { script: 'backend/tests/scale/main.py', schema: 'backend/tests/scale/schema.yml' },
  },
  example: {
    schema: 'models/infrastructure_base.yml',
    loadSchema: ['models/infrastructure_base.yml'],
    loadData: ['run', 'models/infrastructure_edge.py'],
    repository: {
      source: 'backend/tests/fixtures/repos/infrahub-demo-edge',
      into: '/remote/',
      target: '/remote/infrahub-demo-edge',
    },
  },
  source: '/source',
  quality: {
    main: {
      paths: ['tasks', 'models'],
      format: [autoflake(['tasks', 'models']), ruffFormat(['tasks', 'models/'], ROOT_CONFIG), ruffFix(['tasks'], ROOT_CONFIG)],
      lint: [],
    },
    sdk: {
      paths: ['python_sdk'],
      format: [
        autoflake(['.'], 'python_sdk'),
        ruffFormat(['python_sdk/'], 'python_sdk/pyproject.toml'),
        ruffFix(['python_sdk/'], 'python_sdk/pyproject.toml'),
      ],
      lint: [
        ruffDiff(['{repo}/python_sdk'], '{repo}/python_sdk/pyproject.toml', 'python_sdk'),
        pylint(['infrahub_sdk/'], 'python_sdk'),
        mypy('infrahub_sdk/', 'python_sdk'),
      ],
    },
    backend: {
      paths: ['backend'],
      format: [autoflake(['backend']), ruffFormat(['backend'], ROOT_CONFIG), ruffFix(['backend'], ROOT_CONFIG)],
      lint: [ruffDiff(['backend'], ROOT_CONFIG), pylint(['--ignore-paths', 'backend/tests', 'backend']), mypy('backend')],
    },
    sync: {
      paths: ['sync/infrahub-sync'],
      format: [
        autoflake(['sync/infrahub-sync']),
        ruffFormat(['sync/infrahub-sync'], ROOT_CONFIG),
        ruffFix(['sync/infrahub-sync'], ROOT_CONFIG),
      ],
      lint: [ruffDiff(['sync/infrahub-sync'], ROOT_CONFIG), pylint(['./sync/infrahub-sync/infrahub_sync'])],
    },
  },
};
