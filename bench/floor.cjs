// The least that a runner of tasks in Node can do: read names from a file, find one, run it, and say so.
const { readFileSync, statSync, writeSync } = require('node:fs');
const { join } = require('node:path');

const tasks = new Map();
for (let index = 0; index < 100; index++) tasks.set(`t${index}`, { summary: `Task t${index}.`, needs: [], run: () => {} });

const [, , name = ''] = process.argv;
if (name === '--list') {
  writeSync(1, [...tasks].map(([key, { summary }]) => `${key}  ${summary}\n`).join(''));
} else {
  const kept = join(process.cwd(), '.tasks/state.json');
  const state = statSync(kept, { throwIfNoEntry: false }) ? JSON.parse(readFileSync(kept, 'utf8')) : {};
  const done = new Set();
  const run = async (key) => {
    if (done.has(key) || state[key] === 'up-to-date') return;
    done.add(key);
    const task = tasks.get(key);
    if (!task) throw new Error(`no task is named ${key}`);
    await Promise.all(task.needs.map(run));
    await task.run();
  };
  run(name).catch((error) => {
    writeSync(2, `${error.message}\n`);
    process.exitCode = 1;
  });
}
