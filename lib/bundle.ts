/** All of lib/ as the build puts it into one file: the package's entries are doors to it, and so is the command line. */
export { main } from './cli/main.ts';
export * as library from './index.ts';
export * as testing from './testing.ts';
export * as cli from './cli/create-cli.ts';
export { useZod } from './zod.ts';
