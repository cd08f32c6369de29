// Writes what was measured: docs/performance.json, its chart, and the table in docs/performance.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

export function writeReport(root, results, machine) {
  const data = join(root, 'docs/performance.json');
  const before = existsSync(data) ? JSON.parse(readFileSync(data, 'utf8')) : { results: [] };
  writeFileSync(data, `${JSON.stringify({ machine, results: results.map(rounded) }, undefined, 2)}\n`);
  writeFileSync(join(root, 'docs/performance.svg'), chart(results));
  const page = join(root, 'docs/performance.md');
  const text = readFileSync(page, 'utf8');
  const table = tableOf(results, before.results, machine);
  writeFileSync(page, `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n\n${table}\n\n${text.slice(text.indexOf(END))}`);
}

const rounded = (result) =>
  Object.fromEntries(Object.entries(result).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toFixed(3)) : value]));

function tableOf(results, before, machine) {
  const nodes = [...new Set(results.map(({ node }) => node))];
  const ids = [...new Set(results.map(({ id }) => id))];
  const cell = (id, node) => {
    const found = results.find((result) => result.id === id && result.node === node);
    if (!found) return '–';
    const last = before.find((result) => result.id === id && result.node === node);
    const change = last && Math.abs(found.cpu / last.cpu - 1) > 0.1 ? ` (was ${last.cpu.toFixed(2)})` : '';
    return `${found.cpu.toFixed(2)} / ${found.wall.toFixed(2)} / ${found.mib.toFixed(0)}${change}`;
  };
  return [
    `${machine.date}, taskwright ${machine.version}, ${machine.cpu}, ${machine.cores} cores, ${machine.gib} GiB, ${machine.platform}. CPU / wall / peak MiB; the first two as ratios to \`node -e 0\`.`,
    '',
    `| what | goal | ${nodes.join(' | ')} |`,
    `| --- | --- |${' --- |'.repeat(nodes.length)}`,
    ...ids.map((id) => {
      const { title, goal } = results.find((result) => result.id === id);
      return `| ${title} | ${goal ?? ''} | ${nodes.map((node) => cell(id, node)).join(' | ')} |`;
    }),
  ].join('\n');
}

/** Bars of CPU ratios, the shortest first rows of the table. */
function chart(results) {
  const [{ node } = { node: '' }] = results;
  const shown = results.filter((result) => result.node === node && result.cpu < 30);
  const most = Math.max(...shown.map(({ cpu }) => cpu));
  const bar = ({ title, cpu, id }, row) => {
    const y = 40 + row * 22;
    const name = title.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    const width = Math.max(1, (cpu / most) * 380).toFixed(1);
    return `<text x="330" y="${y + 12}" text-anchor="end">${name}</text><rect x="340" y="${y}" width="${width}" height="15" fill="${id.startsWith('peer') ? '#999' : '#2a7'}"/><text x="${Number(width) + 346}" y="${y + 12}">${cpu.toFixed(2)}</text>`;
  };
  const height = 50 + shown.length * 22;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 790 ${height}" font-family="sans-serif" font-size="12"><rect width="790" height="${height}" fill="#fff"/><text x="10" y="22" font-size="14">CPU time as a ratio to node -e 0, Node ${node} (less is better)</text>${shown.map(bar).join('')}</svg>\n`;
}
