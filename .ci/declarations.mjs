// Leaves of the declarations what the package's exports lead to: files, and names inside of them. As `tsc`
// writes them a declaration begins at the first column, with the comment before it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** @param files  all; @param isEntry  whose names are all wanted */
export function shakeDeclarations(files, isEntry) {
  const parts = new Map(files.map((file) => [file, partsOf(readFileSync(file, 'utf8'))]));
  while (dropUnused(parts, isEntry));
  const reached = new Set();
  const follow = (file) => {
    if (reached.has(file) || !parts.has(file)) return;
    reached.add(file);
    for (const part of parts.get(file)) for (const { file: next } of importsOf(part, file)) follow(next);
  };
  files.filter(isEntry).forEach(follow);
  for (const [file, left] of parts) {
    if (reached.has(file)) writeFileSync(file, left.map(shallow).join('\n'));
    else rmSync(file);
  }
}

/** A column for each level, comments without their stars, and no `declare` where all is declared. */
const shallow = (part) =>
  part
    .replaceAll(/\/\*\*[^]*?\*\//g, (comment) =>
      comment
        .replaceAll(/\n\s*\*(?!\/) ?/g, '\n')
        .replace(/^\/\*\*\n/, '/** ')
        .replace(/\n\s*\*\/$/, ' */'),
    )
    .replaceAll(/^export declare /gm, 'export ')
    .replaceAll(/^ {4,}/gm, (indent) => ' '.repeat(indent.length / 4));

function partsOf(text) {
  const parts = [];
  let isComment = false;
  let isAfterComment = false;
  for (const line of text.split('\n')) {
    const begins = !isComment && !isAfterComment && /^(?:export|declare|import|type|interface|\/\*\*)/.test(line);
    if (begins || parts.length === 0) parts.push(line);
    else parts.push(`${parts.pop()}\n${line}`);
    if (line.startsWith('/**')) isComment = true;
    isAfterComment = isComment && /\*\/\s*$/.test(line);
    if (isAfterComment) isComment = false;
  }
  return parts;
}

const codeOf = (part) => part.replaceAll(/\/\*\*[^]*?\*\//g, '').trim();
const isNamed = (name, parts) => parts.some((part) => new RegExp(String.raw`(?<![\w$])${name}(?![\w$])`).test(codeOf(part)));

/** What a declaration takes from other files. */
function importsOf(part, file) {
  const code = codeOf(part);
  const at = (path) => `${resolve(dirname(file), path.replace(/\.(?:js|ts)$/, ''))}.d.ts`;
  const named = [...code.matchAll(/^(?:import|export)(?: type)? (?:\{([^}]*)\}|\*(?: as \w+)?) from ['"](\.[^'"]+)['"]/gm)].map(
    ([, list, path]) => ({
      file: at(path),
      names: list?.split(',').map(
        (item) =>
          item
            .trim()
            .replace(/^type /, '')
            .split(' ')[0],
      ),
    }),
  );
  const inline = [...code.matchAll(/import\(['"](\.[^'"]+)['"]\)(?:\.(\w+))?/g)].map(([, path, name]) => ({
    file: at(path),
    names: name && [name],
  }));
  return [...named, ...inline];
}

/** @returns whether there was something, so that more may be unused by now */
function dropUnused(parts, isEntry) {
  const wanted = new Map();
  const whole = new Set();
  for (const [file, list] of parts) {
    for (const { file: from, names } of list.flatMap((part) => importsOf(part, file))) {
      if (names === undefined) whole.add(from);
      wanted.set(from, new Set([...(wanted.get(from) ?? []), ...(names ?? [])]));
    }
  }
  let dropped = false;
  for (const [file, list] of parts) {
    const left = list.flatMap((part) => {
      const others = list.filter((other) => other !== part);
      const code = codeOf(part);
      const [, name] =
        code.match(/^(?:export )?(?:declare )?(?:abstract )?(?:function|const|let|class|interface|type|enum) ([\w$]+)/) ?? [];
      if (name !== undefined) {
        const isKept = isEntry(file) || whole.has(file) || wanted.get(file)?.has(name) || isNamed(name, others);
        return isKept ? [part] : [];
      }
      const [, names] = code.match(/^import (?:type )?\{([^}]*)\} from/) ?? [];
      if (names === undefined) return [part];
      const used = names
        .split(',')
        .map((item) => item.trim())
        .filter((item) => isNamed(item.split(' ').at(-1), others));
      return used.length === 0 ? [] : [part.replace(/\{[^}]*\}/, `{ ${used.join(', ')} }`)];
    });
    if (left.join('\n') !== list.join('\n')) dropped = true;
    parts.set(file, left);
  }
  return dropped;
}
