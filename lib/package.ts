import * as zod from 'zod';
import { useZod } from './zod.ts';

useZod(zod);

/** What `import 'taskwright'` gives to programs. A config gets `index.ts`, with the zod that it is loaded with. */
export * from './index.ts';
