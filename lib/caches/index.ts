export { diskCache } from './disk.ts';
export type { DiskCache } from './disk.ts';
