import { defineConfig, mergeConfig } from 'vitest/config';
import unit from './vitest.config.ts';

/** The built command line with real tools. One file at a time: the demo's ports are fixed. */
export default mergeConfig(
  { ...unit, test: { ...unit.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['tests/integration/**/*.test.ts'],
      exclude: ['**/node_modules/**'],
      fileParallelism: false,
      testTimeout: 300_000,
      hookTimeout: 300_000,
    },
  }),
);
