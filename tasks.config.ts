import { defineConfig, task } from 'taskwright';
import * as infrahub from 'taskwright/tasks';
import { z } from 'zod';

// The shipped tasks keep their plain names; the chores of this repository stand under `repo`.
const code = ['lib/**', 'tasks/**', 'tests/**', 'bench/**', '.ci/**', '*.ts', '*.json', '.*.json'];
const build = task({
  summary: 'Compile lib/ and tasks/ to dist/.',
  sources: ['lib/**', 'tasks/**', '.ci/build.mjs', 'tsconfig*.json', 'package*.json'],
  generates: ['dist/**'],
  run: ({ exec }) => exec(['node', '.ci/build.mjs']),
});
const types = task({ summary: 'Check the types.', sources: code, generates: [], run: ({ exec }) => exec(['npx', 'tsc']) });
const lint = task({
  summary: 'Lint, with types.',
  sources: code,
  generates: [],
  run: ({ exec }) => exec(['npx', 'oxlint', '--type-aware', '--deny-warnings']),
});
const format = task({
  summary: 'Format the code.',
  input: { check: z.boolean().default(false).describe('change nothing, fail when something would change') },
  sources: ['**'],
  generates: [],
  run: ({ input, exec }) => exec(['npx', 'oxfmt', ...(input.check ? ['--check'] : []), '.']),
});
const unused = task({
  summary: 'Find exports and dependencies that nothing uses.',
  sources: code,
  generates: [],
  run: ({ exec }) => exec(['npx', 'knip']),
});
const test = task({
  summary: 'Run the tests.',
  input: { files: z.array(z.string()).default([]).meta({ variadic: true }).describe('only these') },
  passthrough: true,
  sources: [...code, 'docs/**', '*.md', '.github/**'],
  generates: [],
  run: ({ input, passthrough, exec }) => exec(['npx', 'vitest', 'run', ...input.files, ...passthrough]),
});
const integration = task({
  summary: 'Run the tests that need docker, poetry and the like.',
  needs: { build },
  run: ({ exec }) => exec(['npx', 'vitest', 'run', '--config', 'vitest.integration.config.ts']),
});
const packageCheck = task({
  summary: 'Look at the package as others will see it.',
  needs: { build },
  sources: ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/**'],
  generates: [],
  async run({ exec }) {
    await exec(['npx', 'publint', '--strict']);
    await exec(['npx', 'attw', '--pack', '.', '--profile', 'esm-only']);
  },
});
const bench = task({
  summary: 'Measure start-up against `node -e 0`.',
  needs: { build },
  run: ({ exec }) => exec(['node', 'bench/bench.mjs']),
});
const docs = task({
  summary: 'Write the pages of docs/reference/ that are generated.',
  description: 'The tests that compare them write them. Without this task a page that is stale fails them.',
  run: ({ exec }) => exec(['npx', 'vitest', 'run', 'reference', '--update']),
});
const check = task({
  summary: 'All checks that need no other tools.',
  aliases: ['c'],
  needs: [types, lint, format({ check: true }), unused, test, packageCheck],
});

export default defineConfig({
  tasks: { ...infrahub, check, repo: { build, types, lint, format, unused, test, integration, package: packageCheck, bench, docs } },
});
