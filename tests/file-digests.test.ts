import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FileRecords } from '../lib/file-digests.ts';
import { createFileDigests } from '../lib/file-digests.ts';
import { createFileLists } from '../lib/file-lists.ts';
import { digestOf } from '../lib/util/digest.ts';
import type { FileSystem } from '../lib/util/file-system.ts';
import { realFileSystem } from '../lib/util/file-system.ts';
import { projectWith } from './support/project.ts';

/** One file, on a file system whose clock is told, and as coarse as told. Its stamp is all that `stat` sees of a change. */
function fileOn(granularityMs: number) {
  const state = { now: 1_000_000, content: '', mtimeMs: 0, ctimeMs: 0, reads: 0 };
  const stamp = (): number => Math.floor(state.now / granularityMs) * granularityMs;
  const stats = (): Stats =>
    ({ isFile: () => true, size: state.content.length, mtimeMs: state.mtimeMs, ctimeMs: state.ctimeMs, ino: 1, mode: 0o644 }) as Stats;
  const fs = {
    statSync: stats,
    readFileSync: () => {
      state.reads++;
      return Buffer.from(state.content);
    },
  } as unknown as FileSystem;
  return {
    state,
    write(content: string, mtimeMs?: number) {
      state.content = content;
      state.ctimeMs = stamp();
      state.mtimeMs = mtimeMs ?? stamp();
    },
    look: (known: FileRecords) => {
      const digests = createFileDigests({ fs, now: () => state.now, known });
      return { digest: digests.of('/file'), records: digests.records() };
    },
  };
}

test.each([
  ['in nanoseconds', 1],
  ['in steps of 2 seconds', 2000],
])('a digest is that of the content, whatever is written when, on a clock %s that stands still or goes on (R32)', (_, granularityMs) => {
  const step = fc.record({
    wait: fc.constantFrom(0, 0, 1, 500, 1999, 2000, 2001, 5000),
    write: fc.option(fc.constantFrom('aaaa', 'bbbb', 'cccc'), { nil: undefined }),
    restoresTime: fc.boolean(),
    look: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const file = fileOn(granularityMs);
      file.write('aaaa');
      const oldMtime = file.state.mtimeMs;
      let records: FileRecords = {};
      for (const { wait, write, restoresTime, look } of steps) {
        file.state.now += wait;
        if (write !== undefined) file.write(write, restoresTime ? oldMtime : undefined);
        if (!look) continue;
        const seen = file.look(records);
        expect(seen.digest).toBe(digestOf(file.state.content));
        records = seen.records;
      }
    }),
    { numRuns: 1000 },
  );
});

test('a clock that is set back makes nothing trusted that it stamped before (R32)', () => {
  const file = fileOn(2000);
  file.write('aaaa');
  file.state.now += 60_000;
  const { records } = file.look({});
  file.state.now -= 60_000;
  file.write('bbbb');

  expect(file.look(records).digest).toBe(digestOf('bbbb'));
});

test('an unchanged file that is old is not read again; one as young as the clock is coarse is', () => {
  const file = fileOn(1);
  file.write('aaaa');
  const first = file.look({});
  const second = file.look(first.records);
  expect([file.state.reads, second.records === first.records]).toEqual([2, true]);

  file.state.now += 5000;
  const third = file.look(second.records);
  const fourth = file.look(third.records);
  expect([file.state.reads, fourth.records === third.records]).toEqual([3, true]);
});

test('a file that changes while it is read has a digest of its own, equal to no other', () => {
  const project = projectWith({ a: '0' });
  let size = 0;
  const fs: FileSystem = {
    ...realFileSystem,
    // Only the form without an encoding is used here.
    readFileSync: ((path: string) => {
      const content = readFileSync(path);
      writeFileSync(path, 'x'.repeat(++size));
      return content;
    }) as typeof readFileSync,
  };
  const look = (): string | undefined => createFileDigests({ fs, now: Date.now }).of(project.path('a'));

  expect(look()).toMatch(/^unknown-/);
  expect(look()).not.toBe(look());
});

test('a checkout that restores times, another file under the name, and the right to run are noticed', () => {
  const project = projectWith({ a: 'aaaa', b: 'bbbb' });
  const path = project.path('a');
  // Old enough to be trusted.
  const now = (): number => Date.now() + 60_000;
  let { records } = look({});
  function look(known: FileRecords) {
    const digests = createFileDigests({ fs: realFileSystem, now, known });
    return { digest: digests.of(path), records: digests.records() };
  }
  const { mtime } = statSync(path);
  const seen: (string | undefined)[] = [];
  const after = (change: () => void): void => {
    change();
    const next = look(records);
    records = next.records;
    seen.push(next.digest);
  };
  after(() => {
    writeFileSync(path, 'cccc');
    utimesSync(path, mtime, mtime);
  });
  after(() => renameSync(project.path('b'), path));
  after(() => execFileSync('chmod', ['+x', path]));
  after(() => rmSync(path));
  after(() => mkdirSync(path));

  expect(seen).toEqual([digestOf('cccc'), digestOf('bbbb'), `${digestOf('bbbb')}+x`, undefined, undefined]);
});

// ── Which files ──────────────────────────────────────────────────────────────────────────────────

function filesOf(
  files: Readonly<Record<string, string>>,
  patterns: readonly string[],
  kind: 'sources' | 'generates' = 'sources',
  prepare?: (path: (name: string) => string) => void,
) {
  const project = projectWith(files);
  prepare?.(project.path);
  return createFileLists(realFileSystem).of(project.root, patterns, kind);
}

test.each([
  [['src'], ['src/.hidden', 'src/a.ts', 'src/deep/b.ts', 'src/deep/c.js']],
  [['src/*.ts'], ['src/a.ts']],
  [['src/**/*.ts'], ['src/a.ts', 'src/deep/b.ts']],
  [
    ['src/**', '!src/deep'],
    ['src/.hidden', 'src/a.ts'],
  ],
  [
    ['src/**', '!**/*.ts', 'src/a.ts'],
    ['src/.hidden', 'src/a.ts', 'src/deep/c.js'],
  ],
  [['src/deep/{b,c}.{ts,js}'], ['src/deep/b.ts', 'src/deep/c.js']],
  [
    ['s[!x]c/?.ts', './README.md', 'gone.txt'],
    ['README.md', 'src/a.ts'],
  ],
  [['SRC/**'], []],
  [['**/b.ts', '../nothing/**'], ['src/deep/b.ts']],
])('%j means %j (R32)', (patterns, expected) => {
  const files = {
    'src/a.ts': '',
    'src/.hidden': '',
    'src/deep/b.ts': '',
    'src/deep/c.js': '',
    'README.md': '',
    'node_modules/x/b.ts': '',
    '.git/b.ts': '',
  };

  expect(filesOf(files, patterns)).toEqual(expected);
});

test('what git ignores is left out of sources, unless it is named; of what is generated it is not (R32)', () => {
  const files = {
    '.git/info/exclude': 'excluded\n',
    '.gitignore': '# comment\n*.log\n!kept.log\n/dist/\nbuild/*\n!build/keep\nspaced\\ \n',
    'src/.gitignore': 'inner\n/top\n',
    'src/inner/a': '',
    'src/deep/inner': '',
    'src/deep/top': '',
    'src/top': '',
    'src/x.log': '',
    'src/kept.log': '',
    'src/excluded': '',
    'src/dist/a': '',
    'dist/a.js': '',
    'dist/a.log': '',
    'build/drop': '',
    'build/keep': '',
  };
  expect(filesOf(files, ['**'])).toEqual(['.gitignore', 'build/keep', 'src/.gitignore', 'src/deep/top', 'src/dist/a', 'src/kept.log']);
  expect(filesOf(files, ['dist/**', 'src/x.log'])).toEqual(['dist/a.js', 'dist/a.log', 'src/x.log']);
  expect(filesOf(files, ['**/*.js'], 'generates')).toEqual(['dist/a.js']);
});

test('our reading of .gitignore is that of git', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'c.log', 'd');
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
  const rule = fc
    .tuple(
      fc.constantFrom('', '', '!'),
      fc.constantFrom('', '/', '**/'),
      fc.constantFrom('a', 'b', 'a/b', '*', '*.log', 'a*', '?', '[ab]', 'a/**', '**/b', 'a/**/b'),
      fc.constantFrom('', '', '/'),
    )
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 6 }), fc.array(rule, { maxLength: 4 }), (paths, rules) => {
      // No path may be a folder of another.
      const files = paths.filter((one) => !paths.some((other) => other.startsWith(`${one}/`)));
      const project = projectWith({
        ...Object.fromEntries(files.map((file) => [`repo/${file}`, ''])),
        'repo/.gitignore': rules.join('\n'),
      });
      execFileSync('git', ['init', '--quiet'], { cwd: project.path('repo') });
      const seen = execFileSync('git', ['-c', 'core.excludesFile=', 'ls-files', '-z', '--others', '--exclude-standard'], {
        cwd: project.path('repo'),
        encoding: 'utf8',
      });

      expect(createFileLists(realFileSystem).of(project.path('repo'), ['**'], 'sources')).toEqual(
        seen.split('\0').filter(Boolean).toSorted(),
      );
    }),
    { numRuns: 60 },
  );
});

test('names in all scripts, with line breaks and quotes, are names; links are followed, not in circles', () => {
  const odd = ['größe.txt', '日本語', 'a\nb', 'with "quotes"', ' blank', '{literal}', '[x]'];
  const files = Object.fromEntries(odd.map((name) => [`src/${name}`, '']));
  const found = filesOf({ ...files, 'other/deep/x': '' }, ['src/**'], 'sources', (path) => {
    symlinkSync(path('other'), path('src/link'));
    symlinkSync(path('src'), path('other/back'));
    symlinkSync(path('nowhere'), path('src/broken'));
  });

  expect(found.filter((name) => !name.startsWith('src/link'))).toEqual([...odd, 'broken'].map((name) => `src/${name}`).toSorted());
  expect(found).toContain('src/link/deep/x');
});
