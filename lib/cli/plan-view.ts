import type { Colors } from 'picocolors/types.js';
import type { PlanView, StepView } from '../event.ts';

/** `--plan` and `--graph`: what would happen, for people and for programs. */
export function renderPlan(view: PlanView, paint: Colors): string {
  const titles = new Map(view.steps.map((step) => [step.id, step.title]));
  const position = new Map(view.steps.map((step, index) => [step.id, index + 1]));
  const digits = String(view.steps.length).length;
  const lines = view.steps.map((step, index) => {
    const number = paint.dim(`${String(index + 1).padStart(digits)}.`);
    const name = step.target === undefined ? step.title : paint.bold(step.title);
    const marks = [
      ...(step.target === undefined ? [] : ['target']),
      ...(step.service ? ['service'] : []),
      ...(step.postOf === undefined ? [] : [`post of ${titles.get(step.postOf)}`]),
    ];
    const waits = waitsOf(step, position);
    return `${number} ${name}${marks.length > 0 ? paint.dim(` [${marks.join(', ')}]`) : ''}${waits === '' ? '' : paint.dim(`  ${waits}`)}`;
  });
  return `${lines.join('\n')}\n`;
}

/** By number, since titles may be long: `needs 1 2, after 3`. */
function waitsOf(step: StepView, position: ReadonlyMap<string, number>): string {
  const numbers = (ids: readonly string[]): string => ids.map((id) => position.get(id) ?? '?').join(' ');
  const needs = [...new Set(Object.values(step.needs))];
  const after = step.after.filter((id) => !needs.includes(id));
  return [needs.length > 0 ? `needs ${numbers(needs)}` : '', after.length > 0 ? `after ${numbers(after)}` : '']
    .filter((text) => text !== '')
    .join(', ');
}

export function renderGraph(view: PlanView, format: 'mermaid' | 'dot' | 'json'): string {
  if (format === 'json') return `${JSON.stringify(view, undefined, 2)}\n`;
  return format === 'mermaid' ? mermaid(view) : dot(view);
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: 'needs' | 'after' | 'post';
}

function edgesOf(view: PlanView): Edge[] {
  return view.steps.flatMap((step) => {
    const needs = [...new Set(Object.values(step.needs))];
    return [
      ...needs.map((from): Edge => ({ from, to: step.id, kind: 'needs' })),
      ...step.after
        .filter((from) => !needs.includes(from))
        .map((from): Edge => ({ from, to: step.id, kind: from === step.postOf ? 'post' : 'after' })),
    ];
  });
}

function mermaid(view: PlanView): string {
  const node = new Map(view.steps.map((step, index) => [step.id, `s${index + 1}`]));
  const text = (title: string): string =>
    title.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const nodes = view.steps.map((step) => `  ${node.get(step.id)}${step.service ? `(["${text(step.title)}"])` : `["${text(step.title)}"]`}`);
  const arrow = { needs: '-->', after: '-.->', post: '-. post .->' } as const;
  const edges = edgesOf(view).map((edge) => `  ${node.get(edge.from)} ${arrow[edge.kind]} ${node.get(edge.to)}`);
  return `${['flowchart TD', ...nodes, ...edges].join('\n')}\n`;
}

function dot(view: PlanView): string {
  const nodes = view.steps.map(
    (step) => `  ${JSON.stringify(step.id)} [label=${JSON.stringify(step.title)}${step.service ? ', shape=ellipse' : ''}];`,
  );
  const style = { needs: '', after: ' [style=dotted]', post: ' [style=dotted, label="post"]' } as const;
  const edges = edgesOf(view).map((edge) => `  ${JSON.stringify(edge.from)} -> ${JSON.stringify(edge.to)}${style[edge.kind]};`);
  return `${['digraph tasks {', '  node [shape=box];', ...nodes, ...edges, '}'].join('\n')}\n`;
}
