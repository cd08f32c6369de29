export { dryRunner } from './dry.ts';
export { localRunner } from './local.ts';
