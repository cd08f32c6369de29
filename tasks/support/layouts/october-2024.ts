import type { Layout, Part } from '../layout.ts';
import { january2024 } from './january-2024.ts';

const DEPENDENCIES = ['development/docker-compose-deps{broker}.yml', 'development/docker-compose-database-{database}.yml'];
const DEV_OVERRIDE = 'development/docker-compose.dev-override.yml';
const { main, sdk, backend, sync } = january2024.quality;
const ruffOnly = (part: Part): Part => ({ ...part, format: part.format.filter(({ argv }) => argv[0] !== 'autoflake') });
const PREBUILT = 'registry.opsmill.io/opsmill/infrahub';

/**
 * As of October 2024: a `dev` namespace beside `demo`, profiles, images from a registry, NATS as a
 * choice, tests that start their own services, ruff alone. What is not said here is as before.
 */
export const october2024: Layout = {
  ...january2024,
  name: 'October 2024',
  marks: ['pyproject.toml', 'development/docker-compose-deps.yml', 'development/docker-compose-deps-nats.yml'],
  compose: {
    files: {
      dependencies: [...DEPENDENCIES, { override: DEV_OVERRIDE }],
      everything: [
        ...DEPENDENCIES,
        'development/docker-compose.yml',
        { override: 'development/docker-compose.override.yml', otherwise: 'development/docker-compose.default.yml' },
        { localBuild: 'development/docker-compose.local-build.yml' },
      ],
      tests: [
        'development/docker-compose-deps{broker}.yml',
        'development/docker-compose-test-database-{database}.yml',
        'development/docker-compose-test-cache.yml',
        'development/docker-compose-test-message-queue.yml',
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
    options: { demo: ['--profile', 'demo'], dev: ['--profile', 'dev'], test: ['--profile', 'test'] },
    dumbTerminal: ['--ansi', 'never'],
    wait: ['--wait', '--wait-timeout', '{seconds}'],
  },
  services: { server: 'server', worker: 'task-worker', tests: 'infrahub-test', database: { service: 'database', port: 7687 } },
  brokers: {
    rabbitmq: { ...january2024.brokers.rabbitmq, image: 'rabbitmq:3.12.12-management' },
    nats: {
      fileSuffix: '-nats',
      image: 'nats:2.10.14-alpine',
      ports: { 'message-queue': [4222] },
      messageQueue: { service: 'message-queue', port: 4222 },
      cache: { service: 'message-queue', port: 4222 },
    },
  },
  built: ['server', 'task-worker'],
  databases: {
    ...january2024.databases,
    neo4j: { ...january2024.databases.neo4j, image: 'neo4j:5.16.0-enterprise' },
  },
  images: {
    server: {
      demo: { name: PREBUILT, version: 'stable' },
      dev: { name: PREBUILT, version: 'local' },
      test: { name: PREBUILT, version: 'local' },
    },
    cache: 'redis:7.2.4',
  },
  clientVariables: { username: 'INFRAHUB_USERNAME', password: 'INFRAHUB_PASSWORD', timeout: 'INFRAHUB_TIMEOUT' },
  python: { version: '3.12', range: '>=3.10 <3.13' },
  tests: { ...january2024.tests, needServices: false },
  example: {
    schema: 'models/base',
    loadSchema: ['models/base', '--wait', '30'],
    loadData: january2024.example.loadData,
    repository: {
      source: 'backend/tests/fixtures/repos/infrahub-demo-edge/initial__main',
      into: '/remote/infrahub-demo-edge',
      target: '/remote/infrahub-demo-edge',
    },
  },
  quality: { main: ruffOnly(main), sdk: ruffOnly(sdk), backend: ruffOnly(backend), sync: ruffOnly(sync) },
};
