import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Requirement } from 'taskwright';
import { tool } from 'taskwright';
import type { Layout } from './layout.ts';

/** The programs of the guide, and how to get each. */
export const poetry = tool('poetry', { version: '>=1.2', remedy: 'pipx install poetry · Debian 12: apt install python3-poetry' });
/** A program of the checkout's environment, which `poetry shell` puts on PATH. */
export const programOf = (name: string): Requirement =>
  tool(name, { remedy: `pipx install ${name}; or poetry install in the checkout, and \`poetry shell\`` });
export const yamllintTool = tool('yamllint', { remedy: 'pipx install yamllint · Debian, Ubuntu: apt install yamllint' });

/** What poetry and python go by, for tasks whose commands see only what they declare. */
export const PYTHON_VARIABLES = ['POETRY_*', 'PYTHON*', 'PIP_*', 'PYENV_*', 'CONDA_*'];

export const INSTALLED = 'poetry-install';

/** The python that poetry would use is one that the checkout takes. */
export function python(layout: Layout): Requirement {
  return {
    id: `python:${layout.python.range}`,
    title: `Python ${layout.python.range}`,
    check: async (scope) => {
      const python = tool('python3', { version: layout.python.range, remedy: 'pyenv install 3.11, and `poetry env use 3.11`' });
      return python.check(scope);
    },
  };
}

/** The environment of the checkout, with its programs. `install` provides it. */
export function installed(folder: string): Requirement {
  return {
    id: `${INSTALLED}:${folder}`,
    title: 'the installed environment of the checkout',
    check: async ({ look }) => {
      if (!existsSync(folder)) return { problem: `there is no folder ${folder}`, remedy: 'Run `tasks clone`.' };
      const there = await look(['poetry', 'env', 'info', '--path'], { cwd: folder });
      return there.ok && there.text() !== ''
        ? undefined
        : { problem: 'the checkout has no installed environment', remedy: 'Run `tasks install`.' };
    },
  };
}

/** A checkout uses autoflake if its `pyproject.toml` names it. */
export function usesAutoflake(folder: string): boolean {
  try {
    return /^\s*"?autoflake\b/m.test(readFileSync(join(folder, 'pyproject.toml'), 'utf8'));
  } catch {
    return false;
  }
}
