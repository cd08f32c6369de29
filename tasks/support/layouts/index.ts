import type { Layout } from '../layout.ts';
import { january2024 } from './january-2024.ts';
import { october2024 } from './october-2024.ts';

/** The first whose marks are all there counts: the newest, which has the most of them, stands first. */
export const LAYOUTS: readonly Layout[] = [october2024, january2024];

/** For a folder that is still to be cloned, and of which nothing is known. */
export const UNKNOWN: Layout = january2024;
