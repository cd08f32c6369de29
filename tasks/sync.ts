import * as backend from './backend.ts';
import { load } from './schema.ts';
import { formatTask, lintTask } from './support/quality.ts';

/** infrahub-sync. */
export const format = formatTask('sync', [load, backend.format]);
export const lint = lintTask('sync');
