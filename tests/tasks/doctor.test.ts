import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { run } from '../../lib/api.ts';
import { doctor } from '../../tasks/doctor.ts';
import { judgeSpace, remedyLine } from '../../tasks/support/diagnosis.ts';
import { guideValues, renderSettings } from '../../tasks/support/guide-settings.ts';
import { checkoutOf } from '../support/checkouts.ts';
import { at, walk } from '../support/shipped.ts';
import { standIns } from '../support/stand-ins.ts';

const VERSIONS = `
case "$program $*" in
'git --version') echo git version 2.39.5 ;;
'ruff --version') echo ruff 0.4.1 ;;
'yamllint --version') echo yamllint 1.29.0 ;;
'autoflake --version') echo autoflake 2.2.1 ;;
esac
`;

function placed(answers = '', programs?: readonly string[]) {
  const checkout = checkoutOf('January 2024');
  const standing = standIns(checkout, `${VERSIONS}${answers}`, programs);
  const find = async (env: Readonly<Record<string, string>> = {}) => {
    const found = await run(
      doctor,
      { infrahub: checkout.root, fail: false },
      { root: checkout.root, env: { ...standing.env, ...env }, signals: false },
    );
    return { ...found, of: (what: string) => found.findings.find((one) => one.what === what) };
  };
  return { checkout, programs: standing, find };
}

test('each tool: what was found, what is wanted, and what to do', async () => {
  const { find } = placed('', ['docker', 'git', 'python3', 'ruff', 'yamllint', 'autoflake']);

  const { ok, of } = await find();

  expect(ok).toBe(false);
  expect(of('git')).toMatchObject({ found: '2.39.5', ok: true, remedy: {} });
  expect(of('python3')).toMatchObject({ found: '3.11.2', wanted: '>=3.8 <3.12', ok: true });
  expect(of('poetry')).toEqual({
    area: 'tool',
    what: 'poetry',
    found: null,
    wanted: '>=1.2',
    ok: false,
    needed: true,
    remedy: { pipx: 'poetry', apt: 'python3-poetry', brew: 'poetry' },
  });
  expect(of('docker compose')).toMatchObject({ found: '2.26.1', ok: true });
  expect(of('pylint')).toMatchObject({ ok: false, needed: false });
});

test.each([
  ['3.7.9', false],
  ['3.8.0', true],
  ['3.11.9', true],
  ['3.12.0', false],
])('Python %s is in range: %j', async (version, isFine) => {
  const { checkout, find } = placed();
  checkout.write('stand-ins/bin/python3', `#!/bin/bash\necho Python ${version}\n`, { mode: 0o755 });
  expect((await find()).of('python3')).toMatchObject({ found: version, ok: isFine });
});

test('what is missing ends it with 3 and is named; a machine that has all is fine', async () => {
  const { checkout, programs } = placed('', ['docker', 'git', 'python3', 'ruff']);
  const { exitCode, said, wrong } = await walk(at(checkout, 'doctor'), programs, { root: checkout.root });
  expect(exitCode).toBe(3);
  expect(said + wrong).toMatch(/✖ poetry +not found {2}\(wanted: >=1\.2\)/);
  expect(said).toMatch(/Tools\n[\s\S]*\nCheckout\n[\s\S]*\nSettings\n[\s\S]*\nServices\n[\s\S]*\nPorts\n[\s\S]*\nSpace\n/);
});

test('settings: none yet is fine, a wrong or missing one is not, secrets stay hidden', async () => {
  const { checkout, find } = placed();
  expect((await find()).of('.envrc')).toMatchObject({ ok: false, needed: false, remedy: { run: 'tasks env.init' } });

  const good = renderSettings(guideValues({ database: 'memgraph', storage: '/somewhere' }));
  checkout.write('.envrc', good);
  const fine = await find();
  expect(fine.findings.filter((one) => one.area === 'setting')).toHaveLength(9);
  expect(fine.findings.filter((one) => one.area === 'setting' && !one.ok)).toEqual([]);
  expect(fine.of('INFRAHUB_SECURITY_SECRET_KEY')?.found).toBe('***');
  expect(fine.of('INFRAHUB_DB_TYPE')?.found).toBe('memgraph');

  checkout.write(
    '.envrc',
    good.replace('INFRAHUB_METRICS_PORT=8001', 'INFRAHUB_METRICS_PORT=8000').replace(/^export INFRAHUB_SDK_TIMEOUT=.*$/m, ''),
  );
  const wrong = await find();
  expect(wrong.of('INFRAHUB_METRICS_PORT')).toMatchObject({
    found: '8000',
    ok: false,
    wanted: expect.stringContaining('another port than the server'),
  });
  expect(wrong.of('INFRAHUB_SDK_TIMEOUT')).toMatchObject({ found: null, ok: false, needed: true });
});

test('services: those that run must be healthy', async () => {
  const { find } = placed(`[[ "$program $*" == *' ps --all --format json' ]] && cat <<'EOF'
{"ID":"1","Service":"database","State":"running","Health":"unhealthy"}
{"ID":"2","Service":"cache","State":"running","Health":"healthy"}
EOF`);
  const { of } = await find();
  expect(of('database')).toMatchObject({ found: 'unhealthy', ok: false, needed: true });
  expect(of('cache')).toMatchObject({ found: 'healthy', ok: true });
  expect(of('message-queue')).toMatchObject({ found: null, ok: true });
});

test("ports: somebody else's is in the way, the project's own is not", async () => {
  const stranger = createServer();
  await new Promise<void>((resolve) => {
    // Somebody else may be there already, which is as good.
    stranger.once('error', () => resolve());
    stranger.listen(7444, resolve);
  });
  onTestFinished(() => new Promise<void>((resolve) => (stranger.listening ? stranger.close(() => resolve()) : resolve())));

  const { find } = placed();
  expect((await find()).of('7444 (database)')).toMatchObject({ found: 'taken by something else', ok: false });

  const own = placed(
    `[[ "$program $*" == *' ps --all --format json' ]] && echo '{"ID":"1","Service":"database","State":"running","Publishers":[{"PublishedPort":7444,"TargetPort":7444}]}'`,
  );
  expect((await own.find()).of('7444 (database)')).toMatchObject({ found: 'held by this project', ok: true });
});

test('no engine: its words, and nothing is said of services', async () => {
  const { find } = placed(`[[ $program == docker ]] && { echo 'Cannot connect to the Docker daemon' >&2; exit 1; }`);
  const { of, findings } = await find();
  expect(of('docker compose')).toMatchObject({ found: null, ok: false, remedy: { run: expect.stringContaining('Cannot connect') } });
  expect(findings.filter((one) => one.area === 'service')).toEqual([]);
});

test('free space is looked at where things are kept', async () => {
  const [full, memory] = await judgeSpace({ images: '/proc' });
  expect(full).toMatchObject({ what: 'disk for images', found: '0.0 GiB free in /proc', ok: false, needed: true });
  expect(memory).toMatchObject({ what: 'memory' });
  expect(await judgeSpace({ images: '/nowhere/at/all' })).toHaveLength(1);
});

test('the remedy is that of the platform', () => {
  const finding = {
    area: 'tool' as const,
    what: 'poetry',
    found: null,
    wanted: '',
    ok: false,
    needed: true,
    remedy: { apt: 'python3-poetry', brew: 'poetry', pipx: 'poetry' },
  };
  expect(remedyLine(finding, 'linux')).toBe('apt install python3-poetry · pipx install poetry');
  expect(remedyLine(finding, 'darwin')).toBe('brew install poetry · pipx install poetry');
  expect(remedyLine(finding, 'win32')).toBe('pipx install poetry');
});
