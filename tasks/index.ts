/** Infrahub's tasks, as a namespace of a config: `defineConfig({ tasks: { infrahub } })` or all of them by name. */
export { clone } from './clone.ts';
export * as demo from './demo.ts';
export { doctor } from './doctor.ts';
export * as env from './env.ts';
export { format, yamllint } from './format.ts';
export * as git from './git.ts';
export { guide } from './guide.ts';
export { install } from './install.ts';
export { override } from './override.ts';
export { sandboxDown } from './sandbox-down.ts';
export { sandbox } from './sandbox.ts';
export * as schema from './schema.ts';
export { server } from './server.ts';
export * as test from './test.ts';
