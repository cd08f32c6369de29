import type { Outcome } from './event.ts';
import type { Halt } from './halt.ts';
import type { Step } from './plan.ts';
import type { Service } from './services.ts';

/** A step with what the run knows of it. */
export interface Node {
  readonly step: Step;
  readonly index: number;
  readonly isInteractive: boolean;
  /** Steps it waits for that are not over yet. */
  waiting: number;
  readonly users: Node[];
  state: 'waiting' | 'resting' | 'ready' | 'running' | 'over';
  /** For those that wait for it: over, or a service that is ready, or that rests until they run. */
  isAvailable: boolean;
  /** A service that is ready. */
  isUp: boolean;
  /** A service that rested, and is needed after all. */
  isWanted: boolean;
  /** A service that was told to stop, and is not over: who needs one now gets another, when this one is gone. */
  isLeaving: boolean;
  /** Steps that wait for this service to wake, or to be gone. */
  readonly wakers: Node[];
  outcome: Outcome | undefined;
  value: unknown;
  /** A digest of what its users depend on. */
  gives: string | undefined;
  service: Service | undefined;
  /** Steps not over yet that need this service. */
  lentTo: number;
  /** Services it got by `call`, returned when it is over. */
  readonly borrowed: Node[];
  /** From its start on: what waits listens to nothing, so that a stop costs as much as what runs. */
  halt: Halt | undefined;
  /** Over, or a service that was ready. */
  hasArrived: boolean;
  /** Told when it comes to that. */
  readonly callers: (() => void)[];
}

export function createNode({ step, index, isWanted, isInteractive }: Pick<Node, 'step' | 'index' | 'isWanted' | 'isInteractive'>): Node {
  return {
    step,
    index,
    isInteractive,
    waiting: 0,
    users: [],
    state: 'waiting',
    isAvailable: false,
    isUp: false,
    isWanted,
    isLeaving: false,
    wakers: [],
    outcome: undefined,
    value: undefined,
    gives: undefined,
    service: undefined,
    lentTo: 0,
    borrowed: [],
    halt: undefined,
    hasArrived: false,
    callers: [],
  };
}

/** Whether it has, or had, what its users wait for. */
export function isSuccess(node: Node): boolean {
  const status = node.outcome?.status;
  return status === undefined ? node.isAvailable : status === 'done' || status === 'cached' || status === 'up-to-date';
}

export const needs = (node: Node, other: Node): boolean => Object.values(node.step.needs).includes(other.step.id);

/** Those that are not over. */
export const usersOf = (service: Node): readonly Node[] => service.users.filter((user) => user.state !== 'over' && needs(user, service));

export function howItEnded(outcome: Outcome | undefined): string {
  if (outcome?.status === 'skipped') return `was skipped: ${outcome.reason}`;
  return outcome?.status === 'stopped' ? 'was stopped' : 'failed';
}
