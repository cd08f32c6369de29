import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from './project.ts';

/** Programs that write down how they were called, and do what a bash script says instead of their work. */
export interface Recorded {
  readonly program: string;
  readonly cwd: string;
  readonly argv: readonly string[];
  /** `docker compose -f … up -d`, words with spaces quoted. */
  readonly line: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface StandIns {
  /** For the run: its PATH has the stand-ins, and nothing else but what scripts need. */
  readonly env: Readonly<Record<string, string>>;
  /** All calls so far, but those that only look. */
  calls(): readonly Recorded[];
  /** All calls so far. */
  all(): readonly Recorded[];
  forget(): void;
}

const PROGRAMS = ['docker', 'sudo', 'git', 'poetry', 'python3', 'ruff', 'autoflake', 'pylint', 'mypy', 'yamllint', 'direnv'];

/** What is written down of the environment. */
const VARIABLES = [
  'IMAGE_NAME',
  'IMAGE_VER',
  'PYTHON_VER',
  'INFRAHUB_BUILD_NAME',
  'NBR_WORKERS',
  'CACHE_DOCKER_IMAGE',
  'MESSAGE_QUEUE_DOCKER_IMAGE',
  'INFRAHUB_DB_TYPE',
  'DATABASE_DOCKER_IMAGE',
  'INFRAHUB_LOG_LEVEL',
  'INFRAHUB_ADDRESS',
];

const SCRIPT = `#!/bin/bash
program="\${0##*/}"
record="$program"$'\\x1f'"$PWD"
for name in ${VARIABLES.join(' ')}; do
  [[ -v $name ]] && record+=$'\\x1f'"$name=\${!name}"
done
record+=$'\\x1e'
for word in "$@"; do record+="$word"$'\\x1f'; done
printf '%s\\x1d' "$record" >>"\${BASH_SOURCE[0]%/*}/../record"
case "$program $*" in
'docker compose version'*) echo 2.26.1 ;;
'python3 --version') echo 'Python 3.11.2' ;;
'poetry --version') echo 'Poetry (version 1.3.2)' ;;
'poetry env info --path') echo /somewhere/env ;;
esac
source "\${BASH_SOURCE[0]%/*}/../answers.sh"
`;

/** As sudo does: what it runs gets none of our variables. */
const SUDO = `
if [[ $program == sudo ]]; then
  while [[ $1 == -* ]]; do shift; done
  exec env -i PATH="$PATH" AS_ROOT=1 "$@"
fi
`;

/** What only looks, and changes nothing. */
const LOOKS =
  /^(docker (ps|volume ls|compose version)|docker compose .*(ps --all --format json|config (--services|--format json))|sudo (-n )?docker (ps|compose version)|poetry (--version|env info)|python3 --version|git (.* )?(rev-parse|remote get-url)|docker run --rm --pull never)/;

/**
 * @param answers bash that is run in each of them: `$program` and `$*` tell which call it is
 */
export function standIns(project: TestProject, answers = '', programs: readonly string[] = PROGRAMS): StandIns {
  const bin = project.path('stand-ins', 'bin');
  const record = project.path('stand-ins', 'record');
  mkdirSync(bin, { recursive: true });
  for (const program of programs) {
    writeFileSync(join(bin, program), SCRIPT);
    chmodSync(join(bin, program), 0o755);
  }
  // What the scripts themselves use.
  for (const name of ['env', 'cat', 'grep', 'mv', 'touch']) {
    const there = ['/usr/bin', '/bin'].map((folder) => join(folder, name)).find((path) => existsSync(path));
    if (there !== undefined && !existsSync(join(bin, name))) symlinkSync(there, join(bin, name));
  }
  writeFileSync(project.path('stand-ins', 'answers.sh'), `${SUDO}${answers}\ntrue\n`);
  const all = (): readonly Recorded[] =>
    existsSync(record)
      ? readFileSync(record, 'utf8')
          .split('\x1D')
          .filter((text) => text !== '')
          .map(recorded)
      : [];
  return {
    env: { PATH: bin, HOME: project.path('home') },
    all,
    calls: () => all().filter((call) => !LOOKS.test(call.line)),
    forget: () => writeFileSync(record, ''),
  };
}

function recorded(text: string): Recorded {
  const [head = '', words = ''] = text.split('\x1E');
  const [program = '', cwd = '', ...variables] = head.split('\x1F');
  const argv = words.split('\x1F').slice(0, -1);
  const line = [program, ...argv].map((word) => (/^[^\s'"$&;()]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  const env = Object.fromEntries(variables.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
  return { program, cwd, argv, line, env };
}
