import { composeFiles } from './compose-files.ts';
import { ctlCli, poetryLock, poetryToml, pyproject, sdkPyproject, serverCli, serverSchema, unitTests, untidy } from './python.ts';

/** All files of the miniature, by path in its checkout. */
const schema = {
  version: '1.0',
  nodes: [
    { name: 'Device', namespace: 'Infra', attributes: [{ name: 'name', kind: 'Text', unique: true }] },
    { name: 'Interface', namespace: 'Infra', attributes: [{ name: 'speed', kind: 'Number' }] },
  ],
};

const yamllint = `extends: default
ignore: |
  .venv/
rules:
  document-start: disable
  line-length:
    max: 140
`;

const readme = `# A miniature of Infrahub

Written by taskwright, so that its tasks for Infrahub's backend guide can be tried without Infrahub. It
has the same folders, compose files and programs; there is no server behind it.
`;

export const sandboxFiles: Readonly<Record<string, string>> = {
  'README.md': readme,
  '.gitignore':
    '.venv/\n.envrc\n.env\n__pycache__/\n.pytest_cache/\n.ruff_cache/\ndevelopment/docker-compose.dev-override.yml\ndevelopment/docker-compose.override.yml\n',
  '.yamllint.yml': yamllint,
  'pyproject.toml': pyproject,
  'poetry.lock': poetryLock,
  'poetry.toml': poetryToml,
  'backend/infrahub/__init__.py': '',
  'backend/infrahub/cli.py': serverCli,
  'backend/infrahub/schema.py': serverSchema,
  'backend/infrahub/untidy.py': untidy,
  'backend/tests/unit/test_schema.py': unitTests,
  'python_sdk/pyproject.toml': sdkPyproject,
  'python_sdk/infrahub_ctl/__init__.py': '',
  'python_sdk/infrahub_ctl/cli.py': ctlCli,
  'sync/infrahub-sync/untidy.py': untidy,
  'tasks/untidy.py': untidy,
  'models/untidy.py': untidy,
  // JSON is YAML too, and is read without a third party.
  'models/infrastructure_base.yml': `${JSON.stringify(schema, undefined, 2)}\n`,
  'models/refused.yml': `${JSON.stringify({ nodes: [{ name: 'not camel case', namespace: 'Infra' }] }, undefined, 2)}\n`,
  ...composeFiles,
};
