import { load } from './schema.ts';
import { formatTask } from './support/quality.ts';

/** What lies at the top of the checkout: its own tasks and models. */
export const format = formatTask('main', [load]);
