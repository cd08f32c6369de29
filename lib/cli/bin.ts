#!/usr/bin/env node
import { join } from 'node:path';
import { loadKept } from './code-cache.ts';

// Once it is built this is `lib/bin.cjs`: CommonJS, since Node begins that sooner.
const { exports, keep } = loadKept(join(import.meta.dirname, 'start.cjs'));
(exports as typeof import('./begin.ts')).begin(keep);
