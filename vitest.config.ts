import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^taskwright$/, replacement: here('./lib/package.ts') },
      { find: /^taskwright\/testing$/, replacement: here('./lib/testing.ts') },
      { find: /^taskwright\/cli$/, replacement: here('./lib/cli/create-cli.ts') },
      { find: /^taskwright\/tasks$/, replacement: here('./tasks/index.ts') },
      { find: /^taskwright\/tasks\/(.*)$/, replacement: `${here('./tasks')}/$1.ts` },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/integration/**', 'tests/supervision/**', '**/node_modules/**'],
    setupFiles: ['tests/support/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
