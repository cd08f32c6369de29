import { insideTasks } from './inside.ts';
import { lifecycleTasks } from './lifecycle.ts';
import { servicesTask } from './services.ts';

/** The tasks of a namespace on the containers of a checkout. */
export const containerTasks = (use: 'demo' | 'dev') => ({ ...lifecycleTasks(use), ...insideTasks(use), services: servicesTask(use) });
