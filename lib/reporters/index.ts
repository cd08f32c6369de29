import { github } from './github.ts';
import { grouped } from './grouped.ts';
import { json } from './json.ts';
import { lines } from './lines.ts';
import { quiet } from './quiet.ts';
import type { ReporterFactory } from './reporter.ts';
import { tree } from './tree.ts';

/** All reporters, by the name that `--reporter` takes. */
export const reporters: Readonly<Record<'tree' | 'lines' | 'grouped' | 'github' | 'json' | 'quiet', ReporterFactory>> = {
  tree,
  lines,
  grouped,
  github,
  json,
  quiet,
};
