import { visible } from '../../util/display.ts';
import type { Findings, TaskSketch } from './sketch.ts';
import { keyFor, nameOf, ownKey } from './sketch.ts';

/** npm runs these at moments of its own; as a task each would run when somebody names it, and then only. */
const LIFECYCLE = /^(pre|post)?(install|pack|publish|version|prepare|uninstall|shrinkwrap)$|^(prepublishOnly|dependencies)$/;

/**
 * The scripts of a package.json as tasks. Pure.
 *
 * `:` parts namespaces; `prebuild` and `postbuild` become what `build` needs, and what follows it.
 *
 * @param scripts  its `scripts`
 * @param within   keys of the namespace they are put into
 */
export function tasksOfScripts(scripts: Readonly<Record<string, unknown>>, within: readonly string[]): Findings {
  const tasks: TaskSketch[] = [];
  const notes: string[] = [];
  const names = Object.keys(scripts);
  const isNamespace = (name: string): boolean => names.some((other) => other.startsWith(`${name}:`));
  const isHook = (name: string): boolean => /^(pre|post)./.test(name) && names.includes(name.replace(/^(pre|post)/, ''));
  for (const [name, script] of Object.entries(scripts)) {
    if (typeof script !== 'string' || script.trim() === '') notes.push(`\`${visible(name)}\` is no text`);
    else if (LIFECYCLE.test(name)) notes.push(`\`${visible(name)}\` stays where it is: npm runs it by itself`);
    else if (/^(npx )?(tasks|taskwright)( |$)/.test(script)) notes.push(`\`${visible(name)}\` stays where it is: it calls taskwright`);
    else if (!isHook(name)) {
      const keys = name.split(':').map(keyFor);
      if (keys.some((key) => key === undefined)) {
        notes.push(`\`${visible(name)}\` has no name that a task could have`);
        continue;
      }
      const whole = keys.filter((key) => key !== undefined);
      const path = [...within, ...whole.slice(0, -1), ownKey(whole.at(-1) ?? '', false)];
      const hook = (when: 'pre' | 'post'): TaskSketch[] => {
        const own = scripts[`${when}${name}`];
        const last = path.at(-1) ?? '';
        const key = `${when}${last.slice(0, 1).toUpperCase()}${last.slice(1)}`;
        // Beside its owner, which is the namespace's default where it has its name.
        const beside = isNamespace(name) ? path : path.slice(0, -1);
        return typeof own === 'string' ? [{ ...sketch(`${when}${name}`, [...beside, key], own), hidden: true }] : [];
      };
      const [before, behind] = [hook('pre'), hook('post')];
      tasks.push(...before, ...behind, {
        ...sketch(name, isNamespace(name) ? [...path, 'default'] : path, script),
        isDefault: isNamespace(name),
        needs: before.map((task) => task.path.at(-1) ?? ''),
        post: behind.map((task) => task.path.at(-1) ?? ''),
      });
      const called = nameOf(path.slice(within.length));
      if (called !== name && called !== name.replaceAll(':', '.')) notes.push(`\`${visible(name)}\` is called \`${nameOf(path)}\` now`);
      if (/\$\w|\$\{/.test(script))
        notes.push(`\`${nameOf(path)}\` uses variables of the shell: here one that is not set is an error (\`\${NAME:-}\` allows it)`);
      if (/\bnpm (run|test|start)\b/.test(script))
        notes.push(`\`${nameOf(path)}\` calls npm for other scripts: \`needs\`, or \`call\` in a body, would know of them`);
    }
  }
  return { tasks, notes };
}

function sketch(from: string, path: readonly string[], script: string): TaskSketch {
  return {
    from,
    path,
    isDefault: false,
    summary: summaryOf(script),
    passthrough: true,
    run: `({ $, passthrough }) => $\`${asTemplate(script)} \${passthrough}\``,
  };
}

const summaryOf = (script: string): string => {
  const line = script.replaceAll(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
};

const asTemplate = (script: string): string => script.trim().replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${');
