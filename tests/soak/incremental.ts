import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import { tasks } from '../support/command-line.ts';
import { projectWith } from '../support/project.ts';

/**
 * A project is changed at random between runs, and compared with what a run without a cache would leave:
 * equal values and files always, and no step runs whose ingredients are all as they were.
 */
const CONFIG = `
import { defineConfig, task } from 'taskwright';
import { z } from 'zod';
import { readdirSync, readFileSync, mkdirSync, writeFileSync, appendFileSync, rmSync } from 'node:fs';
import { one } from './helpers/one.ts';
import { two } from './helpers/two.ts';
const all = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.txt')).sort().map((name) => name + '=' + readFileSync(folder + '/' + name, 'utf8')).join(',');
const ran = (root: string, name: string) => appendFileSync(root + '/.ran', name + '\\n');
const left = (root: string, folder: string, text: string) => { mkdirSync(root + '/' + folder, { recursive: true }); writeFileSync(root + '/' + folder + '/out', text); };
const first = task({ summary: 'first', env: { MODE: z.string().optional() }, sources: ['src/*.txt'], generates: ['first/**'],
  run({ root, env }) { ran(root, 'first'); const text = one + '|' + env.MODE + '|' + all(root + '/src'); left(root, 'first', text); return { text }; } });
const second = task({ summary: 'second', input: { tag: z.string().default('a') }, needs: { first }, output: z.object({ text: z.string() }), sources: ['lib/*.txt'], generates: ({ input }) => ['second-' + input.tag + '/**'], cache: true,
  run({ root, input, needs }) { ran(root, 'second ' + input.tag); const text = two + '|' + input.tag + '|' + needs.first.text + '|' + all(root + '/lib'); left(root, 'second-' + input.tag, text); return { text }; } });
const third = task({ summary: 'third', input: { tag: z.string().default('a') }, needs: ({ input }) => ({ second: second({ tag: input.tag }) }), sources: ['src/*.txt'],
  run({ root, input, needs }) { ran(root, 'third ' + input.tag); writeFileSync(root + '/third', input.tag + '|' + needs.second.text + '|' + all(root + '/src')); } });
export default defineConfig({ tasks: { first, second, third } });
`;

type Change =
  | { readonly kind: 'write'; readonly file: string; readonly text: string }
  | { readonly kind: 'delete'; readonly file: string }
  | { readonly kind: 'code'; readonly helper: 'one' | 'two'; readonly value: string }
  | { readonly kind: 'env'; readonly mode: string | undefined }
  | { readonly kind: 'lose'; readonly folder: string }
  | { readonly kind: 'tamper'; readonly folder: string }
  | { readonly kind: 'unrelated' };

const file = fc.constantFrom('src/a.txt', 'src/b.txt', 'src/ü\n.txt', 'lib/a.txt', 'lib/b.txt', 'lib/c.md');
const text = fc.constantFrom('x', 'y', '');
const folder = fc.constantFrom('first', 'second-a', 'second-b');
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), file, text }),
  fc.record({ kind: fc.constant('write' as const), file, text }),
  fc.record({ kind: fc.constant('delete' as const), file }),
  fc.record({ kind: fc.constant('code' as const), helper: fc.constantFrom('one' as const, 'two' as const), value: text }),
  fc.record({ kind: fc.constant('env' as const), mode: fc.constantFrom(undefined, 'p', 'q') }),
  fc.record({ kind: fc.constant('lose' as const), folder }),
  fc.record({ kind: fc.constant('tamper' as const), folder }),
  fc.constant({ kind: 'unrelated' as const }),
);
const target = fc.constantFrom('first', 'second', 'second --tag b', 'third', 'third --tag b', 'third second --tag b');
const rounds = fc.array(fc.record({ changes: fc.array(change, { maxLength: 3 }), line: target }), { minLength: 2, maxLength: 6 });

export async function soakIncremental(cases: number, seed?: number): Promise<void> {
  await fc.assert(fc.asyncProperty(rounds, oneCase), { numRuns: cases, ...(seed !== undefined && { seed }), endOnFailure: cases > 100 });
}

async function oneCase(history: readonly { readonly changes: readonly Change[]; readonly line: string }[]): Promise<void> {
  const project = projectWith({
    'tasks.config.ts': CONFIG,
    'helpers/one.ts': "export const one = '1';",
    'helpers/two.ts': "export const two = '2';",
    'src/a.txt': 'x',
    'lib/a.txt': 'x',
  });
  const state = {
    one: '1',
    two: '2',
    mode: undefined as string | undefined,
    files: new Map([
      ['src/a.txt', 'x'],
      ['lib/a.txt', 'x'],
    ]),
  };
  /** What each step last ran on, the traces it left included. */
  const ranOn = new Map<string, string>();
  const tampered = new Set<string>();
  let lastThird = '';

  const listing = (folderName: string): string =>
    [...state.files]
      .filter(([name]) => name.startsWith(`${folderName}/`) && name.endsWith('.txt'))
      .map(([name, content]) => `${name.slice(folderName.length + 1)}=${content}`)
      .toSorted()
      .join(',');
  const firstText = (): string => `${state.one}|${state.mode}|${listing('src')}`;
  const secondText = (tag: string): string => `${state.two}|${tag}|${firstText()}|${listing('lib')}`;
  const thirdText = (tag: string): string => `${tag}|${secondText(tag)}|${listing('src')}`;
  /** All code of the config is the code of each task: both helpers count. */
  const code = (): string => `${state.one} ${state.two}`;

  for (const { changes, line } of history) {
    for (const one of changes) apply(one);
    writeFileSync(project.path('.ran'), '');
    const said = await tasks(['-r', 'quiet', ...line.split(' ')], {
      cwd: project.root,
      env: state.mode === undefined ? {} : { MODE: state.mode },
    });
    expect([said.code, said.stderr]).toEqual([0, '']);
    const ran = readFileSync(project.path('.ran'), 'utf8').split('\n').filter(Boolean);
    check(line, ran);
  }

  function apply(one: Change): void {
    const path = project.path('file' in one ? one.file : 'folder' in one ? one.folder : 'README.md');
    switch (one.kind) {
      case 'write':
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, one.text);
        state.files.set(one.file, one.text);
        break;
      case 'delete':
        rmSync(path, { force: true });
        state.files.delete(one.file);
        break;
      case 'code':
        state[one.helper] = one.value;
        writeFileSync(project.path(`helpers/${one.helper}.ts`), `export const ${one.helper} = '${one.value}';`);
        break;
      case 'env':
        state.mode = one.mode;
        break;
      case 'lose':
        rmSync(path, { recursive: true, force: true });
        tampered.delete(one.folder);
        break;
      case 'tamper':
        if (existsSync(join(path, 'out'))) {
          writeFileSync(join(path, 'out'), 'mine');
          tampered.add(one.folder);
        }
        break;
      case 'unrelated':
        writeFileSync(path, String(Math.random()));
        break;
      default:
        one satisfies never;
    }
  }

  /** Equal results; and whatever ran had a reason. */
  function check(line: string, ran: readonly string[]): void {
    const tag = line.includes('--tag b') ? 'b' : 'a';
    const hasThird = line.startsWith('third');
    const thirdTag = line === 'third second --tag b' ? 'a' : tag;
    const seconds = line === 'first' ? [] : line === 'third second --tag b' ? ['a', 'b'] : [tag];
    const contentOf = (path: string): string => readFileSync(project.path(path), 'utf8');

    expect(contentOf('first/out')).toBe(firstText());
    expectReason('first', 'first', `${firstText()} ${code()}`, ran);
    for (const one of seconds) {
      expect(contentOf(`second-${one}/out`)).toBe(secondText(one));
      expectReason(`second ${one}`, `second-${one}`, `${secondText(one)} ${code()}`, ran);
    }
    if (!hasThird) return;
    expect(contentOf('third')).toBe(thirdText(thirdTag));
    // It does not say what it leaves behind: another input of it is a reason.
    const key = `${thirdText(thirdTag)} ${code()}`;
    if (ran.includes(`third ${thirdTag}`)) expect(lastThird).not.toBe(key);
    lastThird = key;
  }

  function expectReason(step: string, left: string, key: string, ran: readonly string[]): void {
    if (ran.includes(step) && ranOn.get(step) === key) expect([step, tampered.has(left)]).toEqual([step, true]);
    tampered.delete(left);
    ranOn.set(step, key);
  }
}
