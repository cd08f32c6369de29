import { freemem } from 'node:os';
import { Exit, task } from 'taskwright';
import type { CommandResult } from 'taskwright';
import { z } from 'zod';
import { checkoutOf, infrahubInput, layoutIn } from './support/checkout.ts';
import { dockerAccess } from './support/docker.ts';

const finding = z.object({ what: z.string(), found: z.string().nullable(), wanted: z.string(), ok: z.boolean(), remedy: z.string() });
type Finding = z.output<typeof finding>;

interface Wanted {
  readonly what: string;
  readonly argv: readonly [string, ...string[]];
  readonly range?: { readonly text: string; readonly holds: (version: readonly number[]) => boolean };
  readonly remedy: string;
}

const atLeast = (text: string, major: number, minor: number) => ({
  text,
  holds: ([a = 0, b = 0]: readonly number[]) => a > major || (a === major && b >= minor),
});

/** The programs of the guide. */
const WANTED: readonly Wanted[] = [
  { what: 'git', argv: ['git', '--version'], range: atLeast('>= 2.23', 2, 23), remedy: 'apt install git · brew install git' },
  {
    what: 'python3',
    argv: ['python3', '--version'],
    range: { text: '>= 3.8, < 3.12', holds: ([a = 0, b = 0]) => a === 3 && b >= 8 && b < 12 },
    remedy: 'pyenv install 3.11',
  },
  {
    what: 'poetry',
    argv: ['poetry', '--version'],
    range: atLeast('>= 1.2', 1, 2),
    remedy: 'pipx install poetry · apt install python3-poetry',
  },
  { what: 'ruff', argv: ['ruff', '--version'], remedy: 'pipx install ruff · brew install ruff' },
  { what: 'yamllint', argv: ['yamllint', '--version'], remedy: 'pipx install yamllint · apt install yamllint · brew install yamllint' },
];

export const doctor = task({
  summary: 'Look for everything the guide needs on this machine, and say how to get what is missing.',
  input: { infrahub: infrahubInput },
  output: z.object({ findings: z.array(finding), freeMemoryMiB: z.int() }),
  async run({ input, invocationDir, exec, print }) {
    const look = (argv: readonly string[]): PromiseLike<CommandResult> => exec(argv, { readOnly: true, quiet: true, nothrow: true });
    const findings: Finding[] = [];
    for (const wanted of WANTED) findings.push(judged(wanted, await look(wanted.argv)));
    const access = await dockerAccess(look, {}, true);
    findings.push({
      what: 'docker compose',
      found: access.ok ? (await look([...access.prefix, 'docker', 'compose', 'version', '--short'])).text() : null,
      wanted: 'an engine that answers, and compose',
      ok: access.ok,
      remedy: access.ok ? '' : `${access.problem}; ${access.remedy}`,
    });
    findings.push(checkoutFinding(checkoutOf({ input, invocationDir })));
    const result = { findings, freeMemoryMiB: Math.round(freemem() / 2 ** 20) };
    print(render(findings));
    const missing = findings.filter((one) => !one.ok && one.what !== 'checkout');
    if (missing.length > 0) throw new Exit(3, `missing: ${missing.map((one) => one.what).join(', ')}`);
    return result;
  },
});

function judged({ what, range, remedy }: Wanted, said: CommandResult): Finding {
  const text = said.ok ? (said.stdout.match(/\d+(\.\d+)+/)?.[0] ?? 'some version') : null;
  const isFine = text !== null && (range?.holds(text.split('.').map(Number)) ?? true);
  return { what, found: text, wanted: range?.text ?? 'any version', ok: isFine, remedy: isFine ? '' : remedy };
}

function checkoutFinding(folder: string): Finding {
  const layout = layoutIn(folder);
  const found = layout ? `${folder} (${layout.name})` : null;
  return { what: 'checkout', found, wanted: 'a checkout of Infrahub', ok: layout !== undefined, remedy: layout ? '' : 'tasks clone' };
}

function render(findings: readonly Finding[]): string {
  const rows = findings.map(({ what, found, wanted, ok, remedy }) => [
    ok ? '✔' : '✖',
    what,
    found ?? 'not found',
    ok ? '' : `wanted: ${wanted}`,
    remedy,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
