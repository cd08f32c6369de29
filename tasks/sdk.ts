import * as main from './main.ts';
import { load } from './schema.ts';
import { formatTask, lintTask } from './support/quality.ts';

/** The Python SDK. */
export const format = formatTask('sdk', [load, main.format]);
export const lint = lintTask('sdk');
