export { run, runTargets } from './api.ts';
export type { ProgramOptions } from './api.ts';
export { plan, planTargets } from './foresee.ts';
export type { RunResult } from './run.ts';
export { start } from './start.ts';
export type { StartedService } from './start.ts';
export { parseArgv } from './cli/parse.ts';
export type { ParsedLine, ParsedTarget, ParseProblem, ParseScope, ValueScope, Vocabulary } from './cli/parse.ts';
export { vocabularyOf } from './cli/vocabulary.ts';
export { defineConfig } from './config.ts';
export type { Config } from './config.ts';
export type { Cache } from './caches/cache.ts';
export { dotenv, file, port, portFree, requirement, tool, writable } from './requirements.ts';
export { count, json, keyValue, path } from './schema.ts';
export { freePort } from './free-port.ts';
export { sudo } from './sudo.ts';
export type { SudoOptions } from './sudo.ts';
export { task, withFlags } from './task.ts';
export type {
  AnyTask,
  BareTask,
  Call,
  CallFunction,
  DeferContext,
  Exec,
  Flags,
  LogFunction,
  InputScope,
  LockSpec,
  Need,
  Needs,
  NoInput,
  OutputsOf,
  Provision,
  Ready,
  Requirement,
  RequirementScope,
  RestartSpec,
  RetrySpec,
  ServiceSpec,
  Shell,
  ShellScalar,
  ShellValue,
  Task,
  TaskContext,
  TaskOutput,
  TaskSpec,
  Unmet,
  UpToDate,
} from './task.ts';
export type { Duration } from './util/duration.ts';
export { CommandFailedError, ConfigError, Exit, RefusedError, RunFailedError, UsageError, UserError } from './errors.ts';
export type { CommandOptions, CommandResult, CommandTrouble, Response, RunningCommand } from './runners/runner.ts';
export type {
  Event,
  EventOf,
  EventType,
  Failure,
  Json,
  JsonObject,
  Outcome,
  PlanView,
  RunCounts,
  RunEndReason,
  StepView,
} from './event.ts';
export type { Reporter, ReporterFactory, ReporterOptions, Screen, Sink } from './reporters/reporter.ts';
