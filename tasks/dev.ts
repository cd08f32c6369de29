import { containerTasks } from './support/containers/index.ts';

/** The same for development: checkouts since October 2024 have a compose profile and images of their own for it. */
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
  dependencies: deps,
  waitHealthy,
  services,
} = containerTasks('dev');
