import { join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import type { Order } from '../carry-out.ts';
import { carryOut, defaultRunOptions, dotenvFilesOf, planOrder } from '../carry-out.ts';
import { checkConfig, checkDefaults, defaultReporter, reporterNamed } from '../config.ts';
import { loadEnvironment } from '../environment.ts';
import { exitFromBody } from '../body.ts';
import { ConfigError, EXIT, UsageError, UserError, renderUserError } from '../errors.ts';
import type { JsonObject } from '../event.ts';
import { renderArgv, shellLine, spellingsOf } from '../flags.ts';
import type { Keeping } from '../kept.ts';
import type { LoadOptions, Project } from '../load.ts';
import { loadProject } from '../load.ts';
import { planView } from '../step-view.ts';
import type { Registry } from '../registry.ts';
import { buildRegistry } from '../registry.ts';
import type { Reporter, Screen } from '../reporters/reporter.ts';
import type { RunResult } from '../run.ts';
import { localRunner } from '../runners/local.ts';
import type { Field } from '../schema.ts';
import { fieldsOf, problemsOf } from '../schema.ts';
import { look } from '../step-scope.ts';
import type { AnyFlags } from '../task.ts';
import { flagsOf, specOf, task as declare } from '../task.ts';
import { userFrames } from '../util/frames.ts';
import { ownVersion } from '../util/own-version.ts';
import { noteRun } from './code-cache.ts';
import { completeFromTasks, completionWords, wasRun } from './completion/complete.ts';
import { completionScript } from './completion/script.ts';
import type { Host, Program } from './host.ts';
import { entryJson } from './list.ts';
import { optimizeLater } from './optimize-later.ts';
import type { OwnOptions } from './own-options.ts';
import { OWN_FIELDS } from './own-options.ts';
import type { ParsedLine, ParseProblem, ParsedTarget } from './parse.ts';
import { badLine, leadingOptions, parseArgv, runOptionsOf, saysAll } from './parse.ts';
import { document, invocationDirOf, list, paintFor, nameOf, tellNotices, whereToLook } from './look.ts';
import { flagRows, renderSettings, settingRows, settingsJson, settle } from './settings.ts';

/**
 * The whole command: words in, exit code out (R21).
 *
 * Never throws, and never ends the process. What only looks (list, help, plan …) answers on stdout; all
 * that is wrong is told on stderr.
 */
export async function main(host: Host): Promise<number> {
  try {
    return await command(host);
  } catch (error) {
    if (error instanceof UserError) {
      host.stderr.write(renderUserError(error, nameOf(host)));
      if (error.code === 'plan-threw' && error.cause instanceof Error)
        host.stderr.write(indented(userFrames(error.cause.stack ?? '', host.cwd)));
      return error.exitCode;
    }
    host.stderr.write(`error: taskwright itself failed; this is a bug\n${error instanceof Error ? error.stack : String(error)}\n`);
    return EXIT.failed;
  }
}

async function command(host: Host): Promise<number> {
  const completed = completionWords(host);
  if (completed) return complete(host, completed);
  const leading = leadingOptions(host.argv, flagFields(host));
  if (leading.version) {
    host.stdout.write(`${host.program?.version ?? ownVersion()}\n`);
    return EXIT.ok;
  }
  if (leading.completion) {
    host.stdout.write(completionScript(leading.completion, host.program?.name));
    return EXIT.ok;
  }
  if (leading.help && host.argv.every((word) => word.startsWith('-'))) {
    const { renderProgramHelp } = await import('./help.ts');
    host.stdout.write(renderProgramHelp({ ...paintFor(host), flags: flagFields(host) }));
    return EXIT.ok;
  }
  if (leading.init && !host.program) return init(host, leading);
  const project = await unlessEndless(host, projectFor(host, leading, host.argv));
  const { line, registry } = await readLine(host, project, leading);
  if (line.options.version) {
    host.stdout.write(`${host.program?.version ?? ownVersion()}\n`);
    return EXIT.ok;
  }
  if (line.options.help) return help(host, project, registry, line);
  const bad = badLine(line);
  if (bad) {
    if (line.options.list || (!host.program && saysAll(line, project.config.defaults !== undefined))) throw bad;
    throw badLine({ ...line, problems: [...line.problems, ...(await inputProblemsOf(host, project, line))] });
  }
  tellNotices(host, [...project.notices, ...line.notices], line.options);
  return answer(host, { ...project, registry }, line);
}

/** What is wrong with a config is no answer to the Tab key. */
async function complete(host: Host, words: readonly string[]): Promise<number> {
  if (!wasRun(host, words)) return EXIT.ok;
  await completeFromTasks(host, words, async () => {
    const { registry, config } = await unlessEndless(
      host,
      projectFor(host, leadingOptions(words.slice(0, -1), flagFields(host)), undefined),
    );
    return { registry, shortFlags: config.shortFlags, globals: flagFields(host) };
  });
  return EXIT.ok;
}

// ── Reading the line ─────────────────────────────────────────────────────────────────────────────

/** @throws {UsageError} when `-C` names none */
function folderFor(host: Host, leading: OwnOptions): string {
  const folder = invocationDirOf(host, leading);
  if (leading.directory !== undefined && !existsSync(folder))
    throw new UsageError('no-folder', `there is no folder \`${leading.directory}\` (\`--directory\`)`);
  return folder;
}

async function projectFor(
  host: Host,
  leading: OwnOptions,
  words: readonly string[] | undefined,
  onFailure?: LoadOptions['onFailure'],
): Promise<Project> {
  if (host.program) return ownProject(host.program, folderFor(host, leading), leading);
  folderFor(host, leading);
  return loadProject({
    words,
    onFailure,
    ...whereToLook(host, leading),
    modules: { taskwright: await import('../index.ts'), testing: () => import('../testing.ts') },
  });
}

/** A binary of one's own brings its config along. */
async function ownProject({ name, config: given, flags, root }: Program, cwd: string, leading: OwnOptions): Promise<Project> {
  if (leading.file !== undefined) throw new UsageError('bad-line', `\`${name}\` has its own tasks, and takes no \`--file\``);
  const file = `the config of ${name}`;
  const config = checkConfig(given, file);
  const registry = await buildRegistry(config.tasks);
  checkDefaults(config, registry, file);
  checkFlags(name, flags, registry);
  return { root: root ?? cwd, file, config, registry, notices: [] };
}

/** @throws {ConfigError} with all that is wrong with the global flags */
function checkFlags(name: string, flags: AnyFlags | undefined, registry: Registry): void {
  const ours = new Map(OWN_FIELDS.flatMap((field) => Object.values(spellingsOf(field)).map((spelling) => [spelling, field] as const)));
  const taken = fieldsOf(flags?.fields).flatMap((field) =>
    Object.values(spellingsOf(field))
      .filter((spelling) => spelling !== undefined && ours.has(spelling))
      .map((spelling) => `\`${field.key}\` comes to \`${spelling}\`, which is an option of every command line`),
  );
  const strangers = registry.entries
    .filter(({ task }) => flagsOf(task) !== undefined && flagsOf(task) !== flags)
    .map((entry) => `\`${entry.name}\` was made with other flags: give those to \`createCli\` as \`flags\``);
  const facts = [...problemsOf(flags?.fields), ...taken, ...strangers];
  if (facts.length > 0) throw new ConfigError('bad-flags', `the global flags of \`${name}\` are not right`, { facts });
}

/** A config that awaits what never comes would end the process without a word. */
async function unlessEndless<T>(host: Host, loading: Promise<T>): Promise<T> {
  let letGo = (): void => {};
  const idle = new Promise<never>((_, reject) => {
    letGo = host.onIdle(() =>
      reject(
        new ConfigError('endless-config', 'the config was not loaded: it awaits something that nothing is left to give', {
          hint: 'Look for an `await` outside of functions, in `tasks.config.ts` and in what it imports.',
        }),
      ),
    );
  });
  return Promise.race([loading, idle]).finally(letGo);
}

/** A word that nothing answers to may be in a module that was not loaded: "no such task" is said only with all of them. */
async function readLine(host: Host, project: Project, leading: OwnOptions): Promise<{ line: ParsedLine; registry: Registry }> {
  const scope = { invocationDir: invocationDirOf(host, leading), shortFlags: project.config.shortFlags, flags: flagFields(host) };
  const first = settled(host, project, parseArgv(host.argv, project.registry, scope));
  const needsAll =
    first.problems.length > 0 || first.options.list || first.options.schema || first.options.env || first.targets.length === 0;
  if (!project.registry.isPartial || !needsAll) return { line: first, registry: project.registry };
  const registry = await project.registry.complete();
  return { line: settled(host, project, parseArgv(host.argv, registry, scope)), registry };
}

/** With our own options as config and variables have them, where the line says nothing of them. */
function settled(host: Host, { config }: Project, line: ParsedLine): ParsedLine {
  const { options, problems, notices } = settle(line.own, host.env, config);
  return {
    ...line,
    options,
    problems: [...line.problems, ...problems.map((text) => ({ code: 'bad-value', text }) as const)],
    notices: [...line.notices, ...notices],
  };
}

/** What else is wrong, so that all is told at once (R11): what targets miss or refuse. */
async function inputProblemsOf(host: Host, project: Project, line: ParsedLine): Promise<ParseProblem[]> {
  const { inputProblems } = await import('./missing.ts');
  const scope = { ...project, env: (await environmentOf(host, project)).variables };
  return [...globalsOf(host, line), ...line.targets].flatMap((target) => {
    const of = target.name === GLOBAL_FLAGS ? GLOBAL_FLAGS : `\`${target.name}\``;
    return inputProblems(target, scope).map(({ text }) => ({ code: 'bad-value', text: `${of}: ${text}` }) as const);
  });
}

const flagFields = ({ program }: Host): readonly Field[] => fieldsOf(program?.flags?.fields);

const GLOBAL_FLAGS = 'global flags';

/** The global flags like a target of that name, where a target looks at them. */
function globalsOf({ program }: Host, { targets, flags: given }: ParsedLine): readonly ParsedTarget[] {
  const flags = program?.flags;
  if (!flags || !targets.some((target) => flagsOf(target.task) === flags)) return [];
  const task = declare({ summary: 'The global flags.', input: flags.fields });
  return [{ name: GLOBAL_FLAGS, namespace: '', task, given, faulty: new Set() }];
}

async function init(host: Host, leading: OwnOptions): Promise<number> {
  const word = host.argv.find((one) => !one.startsWith('-') && one !== leading.directory);
  if (word !== undefined) throw new UsageError('bad-line', `\`--init\` stands alone, and \`${word}\` stands beside it`);
  const folder = folderFor(host, leading);
  const { initialise, renderInitialised } = await import('./init/init.ts');
  const ask = async (argv: readonly string[]): Promise<string | undefined> => {
    const { exitCode, stdout } = await look(localRunner(), argv, { cwd: folder, env: host.env });
    return exitCode === EXIT.ok ? stdout : undefined;
  };
  host.stdout.write(renderInitialised(await initialise({ folder, env: host.env, ask })));
  return EXIT.ok;
}

// ── What only looks ──────────────────────────────────────────────────────────────────────────────

async function help(host: Host, project: Project, registry: Registry, line: ParsedLine): Promise<number> {
  const { renderProgramHelp, renderTaskHelp } = await import('./help.ts');
  const look = { ...paintFor(host), all: line.options.all, shortFlags: project.config.shortFlags, flags: flagFields(host) };
  const unknown = line.problems.find((problem) => problem.code === 'unknown-task');
  const subject = line.targets.at(-1);
  if (!subject && unknown) throw new UsageError(unknown.code, unknown.text, { hint: unknown.hint });
  const namespace = line.namespaces.at(-1);
  if (!subject && namespace !== undefined) return list(host, registry, line.options, namespace);
  if (!subject) {
    host.stdout.write(renderProgramHelp(look));
    return EXIT.ok;
  }
  const entry = registry.find(subject.name);
  if (!entry) throw new Error(`no entry for ${subject.name}`);
  host.stdout.write(line.options.json ? document(entryJson(entry)) : renderTaskHelp(entry, registry, project.root, look));
  return EXIT.ok;
}

/** What was asked for, if nothing is wrong with how. */
async function answer(host: Host, project: Project, line: ParsedLine): Promise<number> {
  const { options, targets } = line;
  const { registry } = project;
  if (options.list) return list(host, registry, options, line.subject);
  if (options.schema) {
    const { schemaDocument } = await import('./schema-view.ts');
    host.stdout.write(document(schemaDocument(registry, host.program?.flags)));
    return EXIT.ok;
  }
  if (options.env) return variables(host, project, options);
  if (options.showConfig) return settings(host, project, line);
  if (options.cacheInfo || options.cacheClear) return kept(host, project, options);
  if (targets.length === 0) {
    if (isBare(line) && host.stdout.isTTY && canAskAt(host, options)) return pick(host, project, line);
    list(host, registry, options, line.namespaces[0]);
    // Nothing was run: a person sees that, a script must not take it for done.
    return host.stdout.isTTY ? EXIT.ok : EXIT.usage;
  }
  if (options.watch && !isForeseen(options)) return watch(host, project, line);
  const order = await orderFor(host, project, line);
  if (options.explain && order.keeping) return explain(host, order, order.keeping, options);
  return options.plan || options.graph !== undefined ? foresee(host, order, options) : carry(host, order, line);
}

/** A bare `tasks` at a terminal: a task is picked, what it must have is asked for, and it runs. */
async function pick(host: Host, project: Project, line: ParsedLine): Promise<number> {
  const { pickTask } = await import('./ask.ts');
  const shown = project.registry.entries.map((entry) => ({ ...entry, spec: specOf(entry.task) })).filter(({ spec }) => !spec.hidden);
  if (shown.length === 0) return list(host, project.registry, line.options, undefined);
  const name = await pickTask(
    shown.map(({ name, spec: { summary } }) => ({ name, summary })),
    { input: () => host.stdin.stream, stderr: host.stderr },
  );
  const { line: picked } = await readLine({ ...host, argv: [name] }, project, line.options);
  return answer(host, project, { ...(await asked(host, project, picked, { isPicked: true })), options: line.options });
}

/** With what is required and was missing, and the words that say the same, so that they can be learned (R11). */
async function asked(host: Host, project: Project, line: ParsedLine, { isPicked = false } = {}): Promise<ParsedLine> {
  const { withMissing } = await import('./missing.ts');
  const { createAskForText } = await import('./ask.ts');
  const scope = { ...project, env: (await environmentOf(host, project)).variables };
  const globals = globalsOf(host, line);
  const { targets, wereAsked } = await withMissing(
    [...globals, ...line.targets],
    scope,
    createAskForText({ input: () => host.stdin.stream, stderr: host.stderr }),
  );
  if (wereAsked || isPicked) {
    const words = targets.flatMap((target) => wordsOf(target));
    host.stderr.write(`$ ${shellLine([nameOf(host), ...words])}\n`);
  }
  return { ...line, flags: globals.length > 0 ? (targets[0]?.given ?? {}) : line.flags, targets: targets.slice(globals.length) };
}

function wordsOf({ name, task, given, passthrough }: ParsedTarget): string[] {
  const fields = fieldsOf(specOf(task).input);
  const shown = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, fields.some((field) => field.key === key && field.secret) ? '***' : value]),
  );
  return [...(name === GLOBAL_FLAGS ? [] : [name]), ...renderArgv(fields, shown), ...(passthrough ? ['--', ...passthrough] : [])];
}

async function variables(host: Host, project: Project, options: OwnOptions): Promise<number> {
  const { renderVariables, variableRows, variablesJson } = await import('./env-view.ts');
  const rows = variableRows(await environmentOf(host, project), project.registry);
  const { paint, width } = paintFor(host);
  host.stdout.write(options.json ? document(variablesJson(rows)) : renderVariables(rows, paint, width));
  return EXIT.ok;
}

async function settings(host: Host, project: Project, line: ParsedLine): Promise<number> {
  const { config, file, registry } = project;
  const rows = [
    ...settingRows(settle(line.own, host.env, config), config, registry),
    ...flagRows(flagFields(host), line.flags, (await environmentOf(host, project)).variables),
  ];
  const { paint, width } = paintFor(host);
  host.stdout.write(line.options.json ? document(settingsJson(rows, file)) : renderSettings(rows, file, paint, width));
  return EXIT.ok;
}

function environmentOf(host: Host, project: Project) {
  return loadEnvironment({
    base: host.env,
    files: dotenvFilesOf(project.config, project.root).map((path) => ({ path, required: false })),
    look: (argv, where) => look(localRunner(), argv, { cwd: where?.cwd ?? project.root, env: host.env }),
  });
}

async function foresee(host: Host, order: Order, options: OwnOptions): Promise<number> {
  const { renderGraph, renderPlan } = await import('./plan-view.ts');
  const { plan, planner, nameOf } = await planOrder(order);
  const view = planView(plan, planner, nameOf);
  const { paint } = paintFor(host);
  if (options.graph !== undefined && options.graph !== false) {
    host.stdout.write(renderGraph(view, graphFormat(options)));
  } else {
    host.stdout.write(options.json ? document(view) : renderPlan(view, paint));
  }
  return EXIT.ok;
}

async function explain(host: Host, order: Order, keeping: Keeping, options: OwnOptions): Promise<number> {
  const [{ explainJson, explainOrder }, { renderExplained }] = await Promise.all([import('../explain.ts'), import('./kept-view.ts')]);
  const explained = await explainOrder(order, keeping);
  const { paint } = paintFor(host);
  host.stdout.write(options.json ? document(explainJson(explained)) : renderExplained(explained, paint));
  return EXIT.ok;
}

async function kept(host: Host, project: Project, options: OwnOptions): Promise<number> {
  const [{ keptIn }, { renderCacheInfo }] = await Promise.all([import('../kept.ts'), import('./kept-view.ts')]);
  const all = keptIn({ folder: cacheFolderOf(host, project) });
  const info = all.info();
  if (options.cacheClear) all.clear();
  host.stdout.write(options.json ? document(info) : `${options.cacheClear ? 'forgotten: ' : ''}${renderCacheInfo(info)}`);
  return EXIT.ok;
}

function graphFormat(options: OwnOptions): 'mermaid' | 'dot' | 'json' {
  if (options.json || options.graph === 'json') return 'json';
  return options.graph === 'dot' ? 'dot' : 'mermaid';
}

// ── Running ──────────────────────────────────────────────────────────────────────────────────────

async function orderFor(host: Host, project: Project, line: ParsedLine): Promise<Order> {
  const { options } = line;
  const canAsk = canAskAt(host, options);
  const { targets, flags } = canAsk && !isForeseen(options) ? await asked(host, project, line) : line;
  const screen: Screen = { stdout: options.json ? host.stderr : host.stdout, stderr: host.stderr, env: host.env };
  const { createAsk } = await import('./ask.ts');
  return {
    targets,
    flags: { given: flags, from: 'command-line' },
    options: { ...defaultRunOptions(), ...runOptionsOf(options) },
    registry: project.registry,
    config: project.config,
    root: project.root,
    invocationDir: invocationDirOf(host, options),
    env: host.env,
    reporters: isForeseen(options) ? [] : [await reporterFor(project, options, screen)],
    runner: localRunner(),
    ask: createAsk({ yes: options.yes, canAsk, input: () => host.stdin.stream, stderr: host.stderr }),
    terminal: {
      isTerminal: host.stdin.isTTY && host.stdout.isTTY,
      colour: host.stdout.colour,
      columns: host.stdout.isTTY ? host.stdout.columns : undefined,
      rows: host.stdout.isTTY ? host.stdout.rows : undefined,
    },
    program: nameOf(host),
    stateDir: join(project.root, '.tasks'),
    keeping: { folder: cacheFolderOf(host, project), beyond: project.config.caches, ...(project.loaded && { loaded: project.loaded }) },
    onPlan: (steps) => {
      noteRun();
      if (steps >= MANY_STEPS) optimizeLater();
    },
    onSignal: host.onSignal,
    onStray: host.onStray,
    onIdle: host.onIdle,
    signal: undefined,
    complain: (text) => host.stderr.write(text),
  };
}

/** With fewer, loading what changes V8's mind costs more than it saves. */
const MANY_STEPS = 300;

/** Nothing was asked for: no task, and no list of a certain kind. */
const isBare = ({ namespaces, options }: ParsedLine): boolean =>
  namespaces.length === 0 && !options.json && !options.flat && !options.all && options.depth === undefined;

const canAskAt = (host: Host, options: OwnOptions): boolean => host.stdin.isTTY && host.stderr.isTTY && !isCi(host) && !options.noInput;

/** `TASKS_CACHE_DIR`, else in `.tasks` at the root (R35). */
function cacheFolderOf(host: Host, project: Project): string {
  const given = host.env['TASKS_CACHE_DIR'];
  return given ? resolve(host.cwd, given) : join(project.root, '.tasks', 'cache');
}

const isForeseen = (options: OwnOptions): boolean => options.plan || options.explain || options.graph !== undefined;

function isCi(host: Host): boolean {
  const { CI } = host.env;
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}

async function reporterFor(project: Project, options: OwnOptions, screen: Screen): Promise<Reporter> {
  const { reporters } = await import('../reporters/index.ts');
  const byPlace = defaultReporter({ isTTY: screen.stdout.isTTY, env: screen.env });
  // A dry run is a script to be read: nothing of it is redrawn.
  const wanted = options.quiet ? 'quiet' : (options.reporter ?? project.config.reporter ?? (options.dryRun ? 'lines' : byPlace));
  return reporterNamed(wanted, reporters)(screen, { echo: options.echo, verbose: options.verbose, why: options.why });
}

async function carry(host: Host, order: Order, line: ParsedLine): Promise<number> {
  const result = await carryOut(order).finally(host.onExit(exitFromBody));
  // A failed step has told it already.
  if (result.exitMessage !== undefined && result.counts.failed === 0) host.stderr.write(`${result.exitMessage}\n`);
  if (line.options.json) host.stdout.write(document(resultJson(result, line.targets)));
  return result.exitCode;
}

async function watch(host: Host, first: Project, line: ParsedLine): Promise<number> {
  const { watchLine } = await import('./watch.ts');
  let isFirst = true;
  return watchLine(host, async (onFailure) => {
    const project = isFirst ? first : await projectFor(host, line.options, host.argv, onFailure);
    const read = isFirst ? { line, registry: first.registry } : await readLine(host, project, line.options);
    isFirst = false;
    const bad = badLine(read.line);
    if (bad) throw bad;
    const whole = { ...project, registry: read.registry };
    // Asked for what is missing before the first round, not before each.
    const whatFor = canAskAt(host, read.line.options) ? await asked(host, whole, read.line) : read.line;
    return () => orderFor(host, whole, whatFor);
  });
}

/** What the targets gave (R40, R42). */
function resultJson(result: RunResult, targets: readonly ParsedTarget[]): JsonObject {
  const steps = result.steps.filter((step) => step.target !== undefined).toSorted((a, b) => (a.target ?? 0) - (b.target ?? 0));
  return {
    version: 1,
    exitCode: result.exitCode,
    reason: result.reason,
    targets: steps.map((step, index) => {
      const outcome = result.outcomes.get(step.id);
      return {
        name: targets[step.target ?? index]?.name ?? step.name,
        status: outcome?.status ?? 'skipped',
        // Of the outcome, where secrets are `***`.
        ...(outcome && 'output' in outcome && outcome.output !== undefined && { output: outcome.output }),
      };
    }),
  };
}

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}\n`).join('');
