import { containerTasks } from './support/containers/index.ts';

/** The demo: Infrahub in containers, and the services alone for a server that runs on this machine. */
export const {
  build,
  pull,
  debug,
  start,
  restart,
  stop,
  destroy,
  status,
  cliServer,
  cliGit,
  loadInfraSchema,
  loadInfraData,
  infraGitImport,
  infraGitCreate,
  dependencies: devStart,
  stopDependencies: devStop,
  waitHealthy,
  services,
} = containerTasks('demo');
