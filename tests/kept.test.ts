import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { everyEvent, programOrder } from '../lib/api.ts';
import { carryOut } from '../lib/carry-out.ts';
import type { Cache } from '../lib/caches/cache.ts';
import type { Keeping } from '../lib/kept.ts';
import type { FileSystem } from '../lib/util/file-system.ts';
import { realFileSystem } from '../lib/util/file-system.ts';
import { build, image, publish, ran, world } from './support/kept-tasks.ts';
import type { TestProject } from './support/project.ts';
import { projectWith } from './support/project.ts';

interface Kept {
  readonly ran: readonly string[];
  readonly ended: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
}

/** `publish`, and what it needs, in this process. */
async function run(project: TestProject, keeping: Partial<Keeping> = {}): Promise<Kept> {
  ran.length = 0;
  const notices: string[] = [];
  const order = await programOrder([{ task: publish, given: {}, isFromCode: true }], {
    config: { tasks: { build, image, publish }, dotenv: [] },
    root: project.root,
    env: {},
    signals: false,
  });
  const result = await carryOut({
    ...order,
    stateDir: undefined,
    keeping: { folder: project.path('.tasks/cache'), ...keeping },
    reporters: [everyEvent((event) => event.type === 'notice' && notices.push(event.text))],
  });
  if (!world.isDead) expect(result.exitCode).toBe(0);
  return { ran: [...ran], ended: Object.fromEntries([...result.outcomes].map(([id, outcome]) => [id, outcome.status])), notices };
}

/** What a run without any cache leaves behind. */
function expectResults(project: TestProject, text: string): void {
  expect(readFileSync(project.path('out/a.txt'), 'utf8')).toBe(text.toUpperCase());
  expect(readFileSync(project.path(`image/${text}`), 'utf8')).toBe(text);
  expect(readFileSync(project.path('published'), 'utf8')).toBe(text);
}

const OPERATIONS = ['chmodSync', 'mkdirSync', 'renameSync', 'rmSync', 'utimesSync', 'writeFileSync'] as const;
type Operation = (typeof OPERATIONS)[number];

interface Breaking extends FileSystem {
  readonly operations: () => number;
}

/** A file system that lets each operation that changes something pass, or not, by its number and name. */
function breaking(fails: (number: number, name: Operation) => false | 'fails' | 'half'): Breaking {
  let count = 0;
  const changed = OPERATIONS.map((name) => [
    name,
    (...parameters: unknown[]): unknown => {
      const how = fails(count++, name);
      if (how === false) return (realFileSystem[name] as (...all: unknown[]) => unknown)(...parameters);
      if (how === 'half') {
        const content = parameters[1] as string | Uint8Array;
        writeFileSync(parameters[0] as string, content.slice(0, content.length / 2));
      }
      throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), { code: 'ENOSPC' });
    },
  ]);
  return { ...realFileSystem, ...Object.fromEntries(changed), operations: () => count };
}

/** From the n-th operation on nothing happens any more, neither to the store nor in a body. */
const killedAt = (at: number, writesHalf: boolean) =>
  breaking((number, name) => {
    if (number < at) return false;
    world.isDead = true;
    return writesHalf && number === at && name === 'writeFileSync' ? 'half' : 'fails';
  });

test.each<[how: string, fs: (at: number) => Breaking]>([
  ['killed', (at) => killedAt(at, false)],
  ['killed in the middle of a write', (at) => killedAt(at, true)],
  ['on a disk that is full from there on', (at) => breaking((number, name) => number >= at && name !== 'rmSync' && 'fails')],
  ['hindered once', (at) => breaking((number) => number === at && 'fails')],
])(
  'a run that is %s, at any file operation of the store in turn, costs a run at most, never a wrong result (R35)',
  async (_, fsAt) => {
    const whole = projectWith({ 'src/a.txt': 'zero' });
    await run(whole);
    whole.write('src/a.txt', 'one');
    const counting = breaking(() => false);
    await run(whole, { fs: counting });
    expect(counting.operations()).toBeGreaterThan(15);

    for (let at = 0; at < counting.operations(); at++) {
      const project = projectWith({ 'src/a.txt': 'zero' });
      await run(project);
      project.write('src/a.txt', 'one');
      try {
        await run(project, { fs: fsAt(at) });
        if (!world.isDead) expectResults(project, 'one');
      } finally {
        world.isDead = false;
      }

      // Back to what was kept before: an older record must not stand for files that have changed since.
      project.write('src/a.txt', 'zero');
      await run(project);
      expectResults(project, 'zero');
      project.write('src/a.txt', 'one');
      await run(project);
      expectResults(project, 'one');
      const last = await run(project);
      expect([at, last.ran, last.notices]).toEqual([at, [], []]);
    }
  },
  240_000,
);

test('a run where all is up to date looks at a file once, reads what is kept, and writes nothing (R32)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  // Their stamps are old enough by then to be trusted.
  const now = (): number => Date.now() + 60_000;
  await run(project);
  await run(project, { now });

  const looks: string[] = [];
  const reads: string[] = [];
  const writing = breaking(() => false);
  const fs: FileSystem = {
    ...writing,
    statSync: ((...parameters: Parameters<FileSystem['statSync']>) => {
      looks.push(String(parameters[0]));
      return realFileSystem.statSync(...parameters);
    }) as FileSystem['statSync'],
    readFileSync: ((...parameters: Parameters<FileSystem['readFileSync']>) => {
      reads.push(String(parameters[0]));
      return realFileSystem.readFileSync(...parameters);
    }) as FileSystem['readFileSync'],
  };
  expect((await run(project, { fs, now })).ran).toEqual([]);
  expect(reads).toEqual([project.path('.tasks/cache/state.json')]);
  expect(writing.operations()).toBe(0);
  expect(looks.filter((path) => path === project.path('src/a.txt'))).toHaveLength(1);
});

test('corrupt, truncated and foreign files in the store are a miss with one notice (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  await run(project);
  const files = readdirSync(project.path('.tasks/cache'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(3);

  for (const damage of [
    (text: string) => text.slice(0, -3),
    (text: string) => text.replace(/[a-z]/, 'X'),
    () => '',
    () => 'null',
    () => '{"version":1}',
  ]) {
    for (const file of files) {
      rmSync(project.path('image'), { recursive: true, force: true });
      if (existsSync(file)) writeFileSync(file, damage(readFileSync(file, 'utf8')));
      const { notices } = await run(project);
      expectResults(project, 'one');
      expect(notices.length).toBeLessThanOrEqual(1);
    }
  }
  writeFileSync(project.path('.tasks/cache/state.json'), '{}');
  expect((await run(project)).notices).toEqual([expect.stringContaining('counts for nothing')]);
});

test('a folder that is not ours to write to costs one notice, and the run goes on (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  project.write('.tasks', 'a file in the place of the folder');

  const first = await run(project);
  expect([first.ran, first.notices.length]).toEqual([['build', 'image', 'publish'], 1]);
  expectResults(project, 'one');
  expect((await run(project)).ran).toEqual(['build', 'image', 'publish']);
});

test('the store can be deleted at any time (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  await run(project);
  rmSync(project.path('.tasks'), { recursive: true });

  expect((await run(project)).ran).toEqual(['build', 'image', 'publish']);
  expect((await run(project)).ran).toEqual([]);
});

test('two runs at once: what each did is kept, or known to be unknown (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  await Promise.all([run(project), run(project), run(project)]);
  expectResults(project, 'one');

  await run(project);
  project.write('src/a.txt', 'two');
  await Promise.all([run(project), run(project)]);
  expectResults(project, 'two');
  await run(project);
  expect((await run(project)).ran).toEqual([]);
  expect(readdirSync(project.path('.tasks/cache/running'))).toEqual([]);
});

test('a mark of a run that was killed makes its steps run, and goes away (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  await run(project);
  const marks: string[] = [];
  const fs: FileSystem = {
    ...realFileSystem,
    rmSync: (path, options) => {
      if (String(path).includes('running')) marks.push(String(path));
      else realFileSystem.rmSync(path, options);
    },
  };
  project.write('src/a.txt', 'two');
  await run(project, { fs });
  // As if nothing but the marks had been left of it, by a process that is no more.
  expect(marks).toHaveLength(3);
  for (const mark of marks) {
    rmSync(mark);
    writeFileSync(mark.replace(/\.\d+-/, '.999999999-'), '');
  }

  const next = await run(project);
  expect([next.ran, next.ended['image']]).toEqual([['build', 'publish'], 'cached']);
  expect(readdirSync(project.path('.tasks/cache/running'))).toEqual([]);
});

test('nothing is written when nothing changed (R35)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  const late = { now: () => Date.now() + 60_000 };
  await run(project, late);
  await run(project, late);
  const counting = breaking(() => 'fails');

  expect((await run(project, { ...late, fs: counting })).notices).toEqual([]);
  expect(counting.operations()).toBe(0);
});

// ── Restoring ────────────────────────────────────────────────────────────────────────────────────

test('restoring leaves neither the root nor goes through a link (R33)', async () => {
  const project = projectWith({ 'src/a.txt': 'one', 'outside/kept': '' });
  await run(project);
  rmSync(project.path('out'), { recursive: true });
  symlinkSync(project.path('outside'), project.path('out'));

  const next = await run(project);
  // The body may write through a link; the cache does not.
  expect(next.ran).toContain('build');
});

test('what cannot be put back makes the step run (R33)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  await run(project);
  rmSync(project.path('out'), { recursive: true });
  rmSync(project.path('.tasks/cache/outcomes'), { recursive: true });

  expect((await run(project)).ran).toEqual(['build']);
});

// ── A cache beyond this machine ──────────────────────────────────────────────────────────────────

function memoryCache(
  change: (key: string, bytes: Uint8Array) => Uint8Array = (_, bytes) => bytes,
): Cache & { readonly kept: Map<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    name: 'the far cache',
    kept,
    read: async (key) => {
      const bytes = kept.get(key);
      return bytes && change(key, bytes);
    },
    write: async (key, bytes) => void kept.set(key, bytes),
  };
}

test('what another machine kept is used here (R35)', async () => {
  const far = memoryCache();
  const [one, two] = [projectWith({ 'src/a.txt': 'one' }), projectWith({ 'src/a.txt': 'one' })];
  await run(one, { beyond: [far] });

  const there = await run(two, { beyond: [far] });
  expect([there.ran, there.ended['image']]).toEqual([['build', 'publish'], 'cached']);
  expectResults(two, 'one');
});

test('what a far cache answers is verified, and nothing of it believed (R35)', async () => {
  const lying = [
    memoryCache((_, bytes) => bytes.slice(0, -1)),
    memoryCache((key, bytes) => (key.startsWith('content/') ? new TextEncoder().encode('evil') : bytes)),
    memoryCache((key, bytes) =>
      key.startsWith('entry/') ? Buffer.from(Buffer.from(bytes).toString().replace('image/one', '../../x')) : bytes,
    ),
  ];
  for (const far of lying) {
    const [one, two] = [projectWith({ 'src/a.txt': 'one' }), projectWith({ 'src/a.txt': 'one' })];
    await run(one, { beyond: [far] });
    const there = await run(two, { beyond: [far] });
    expect([there.ran, there.notices]).toEqual([
      ['build', 'image', 'publish'],
      [expect.stringContaining('the far cache held something else')],
    ]);
    expectResults(two, 'one');
  }
});

test('a far cache that fails is left out, with one notice (R35)', async () => {
  const failing: Cache = {
    name: 'the far cache',
    read: () => Promise.reject(new Error('offline')),
    write: () => Promise.reject(new Error('offline')),
  };
  const project = projectWith({ 'src/a.txt': 'one' });

  const first = await run(project, { beyond: [failing] });
  expect([first.ran.length, first.notices]).toEqual([3, ['the far cache is left out from here: offline']]);
});

test('10,000 files are known as well as one (R32)', async () => {
  const project = projectWith({ 'src/a.txt': 'one' });
  for (let folder = 0; folder < 100; folder++) {
    mkdirSync(project.path('src', String(folder)));
    for (let file = 0; file < 100; file++) writeFileSync(project.path('src', String(folder), `größe ${file}\n.txt`), `${folder} ${file}`);
  }
  const late = { now: () => Date.now() + 60_000 };
  await run(project, late);
  let reads = 0;
  const fs: FileSystem = {
    ...realFileSystem,
    readFileSync: ((...parameters: Parameters<typeof readFileSync>) => {
      reads++;
      return readFileSync(...parameters);
    }) as typeof readFileSync,
  };

  expect((await run(project, { ...late, fs })).ran).toEqual([]);
  expect(reads).toBeLessThan(20);
  writeFileSync(project.path('src/73/größe 21\n.txt'), 'other');
  chmodSync(project.path('src/a.txt'), 0o600);
  expect((await run(project, late)).ran).toEqual(['build', 'publish']);
}, 120_000);
