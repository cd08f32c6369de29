import * as zod from 'zod';
import { useZod } from '../../lib/zod.ts';

/** Files of lib/ get the zod that the tests import, as a program's do. */
useZod(zod);
