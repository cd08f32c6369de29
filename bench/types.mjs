// What the types cost: a chain of tasks, each with an input, an output and the value of the one before,
// checked by `tsc --extendedDiagnostics`. Instantiations must grow with the number of tasks, not with its
// square.
//
//   npm run bench:types               chains of 0, 100, 300 and 1000
//   npm run bench:types -- 50 5000    of these lengths
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ASKED = ['Instantiations', 'Types', 'Symbols', 'Memory used', 'Check time', 'Total time'];

const lengths = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [0, 100, 300, 1000];
if (!lengths.every((length) => Number.isSafeInteger(length) && length >= 0)) fail('expected whole numbers of tasks');
if (!existsSync(join(ROOT, 'dist/lib/index.d.ts'))) fail('there is no build; run `npm run build`');

const project = mkdtempSync(join(tmpdir(), 'taskwright-types-'));
try {
  // As in a project that has the package installed: its declarations, not its source.
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  const config = {
    compilerOptions: {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      paths: { taskwright: [join(ROOT, 'dist/lib/index.d.ts')] },
    },
    files: ['chain.ts'],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config));
  console.log(['tasks', ...ASKED].map((title) => title.padStart(15)).join(''));
  for (const length of lengths) {
    writeFileSync(join(project, 'chain.ts'), chainOf(length));
    const facts = diagnosticsOf(project);
    console.log([String(length), ...ASKED.map((title) => facts.get(title) ?? '?')].map((text) => text.padStart(15)).join(''));
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}

/** @param {number} length */
function chainOf(length) {
  const tasks = Array.from(
    { length },
    (_, at) => `
export const t${at} = task({
  summary: 'One of a chain.',
  input: { tag: z.string().default('local'), level: z.enum(['low', 'high']).default('low'), count: z.int().optional() },
  output: z.object({ at: z.number(), tags: z.array(z.string()) }),
  ${at === 0 ? '' : `needs: ({ input }) => ({ before: t${at - 1}({ tag: input.tag }) }),`}
  async run({ input, ${at === 0 ? '' : 'needs, '}$ }) {
    await $\`echo \${input.tag}\`;
    return { at: ${at === 0 ? '0' : 'needs.before.at + 1'}, tags: [input.level${at === 0 ? '' : ', ...needs.before.tags'}] };
  },
});`,
  );
  return `import { task } from 'taskwright';\nimport { z } from 'zod';\n${tasks.join('\n')}\n`;
}

/** @param {string} folder */
function diagnosticsOf(folder) {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/lib/tsc.js'), '-p', folder, '--extendedDiagnostics'],
    { encoding: 'utf8' },
  );
  if (status !== 0) fail(`the chain does not compile\n${stdout}`);
  return new Map([...stdout.matchAll(/^([A-Z][\w/ ]+):\s+(\S+)$/gm)].map(([, title = '', value = '']) => [title, value]));
}

/** @param {string} why @returns {never} */
function fail(why) {
  console.error(`error: ${why}`);
  process.exit(2);
}
