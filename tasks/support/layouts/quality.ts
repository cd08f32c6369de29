import type { QualityCommand } from '../layout.ts';

/** The commands that layouts have in common, with what differs as parameters. */
export const ROOT_CONFIG = '{repo}/pyproject.toml';

export function autoflake(paths: readonly string[], cwd?: string): QualityCommand {
  const line = (change: string): readonly [string, ...string[]] => [
    'autoflake',
    '--recursive',
    '--verbose',
    change,
    '--remove-all-unused-imports',
    '--remove-unused-variables',
    ...paths,
  ];
  return { argv: line('--in-place'), check: line('--check'), ...(cwd !== undefined && { cwd }) };
}

export function ruffFormat(paths: readonly string[], config: string): QualityCommand {
  return {
    argv: ['ruff', 'format', ...paths, '--config', config],
    check: ['ruff', 'format', '--check', ...paths, '--config', config],
  };
}

export function ruffFix(paths: readonly string[], config: string): QualityCommand {
  return {
    argv: ['ruff', 'check', '--fix', ...paths, '--config', config],
    check: ['ruff', 'check', ...paths, '--config', config],
  };
}

export const ruffDiff = (paths: readonly string[], config: string, cwd?: string): QualityCommand => ({
  argv: ['ruff', 'check', '--diff', ...paths, '--config', config],
  ...(cwd !== undefined && { cwd }),
});

export const pylint = (words: readonly string[], cwd?: string): QualityCommand => ({
  argv: ['pylint', ...words],
  ...(cwd !== undefined && { cwd }),
});

export const mypy = (path: string, cwd?: string): QualityCommand => ({
  argv: ['mypy', '--show-error-codes', path],
  ...(cwd !== undefined && { cwd }),
});
