import { defineConfig, mergeConfig } from 'vitest/config';
import unit from './vitest.config.ts';

/** The built command line with real processes, ended in every way: too long for `npm test`. */
export default mergeConfig(
  { ...unit, test: { ...unit.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['tests/supervision/**/*.test.ts'],
      exclude: ['**/node_modules/**'],
      maxConcurrency: 4,
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  }),
);
