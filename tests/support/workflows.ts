import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

type Parser = typeof import('@actions/workflow-parser');

/**
 * GitHub's own parser of workflows. It imports JSON as bundlers do and Node does not, so it is bundled first.
 *
 * @param folder  where the bundle stands while it is loaded
 */
export async function workflowParser(folder: string): Promise<(text: string) => readonly string[]> {
  const outfile = join(folder, `workflow-parser-${process.pid}.mjs`);
  await build({
    stdin: {
      contents: "export { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser';",
      resolveDir: import.meta.dirname,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  try {
    const { NoOperationTraceWriter, parseWorkflow } = (await import(pathToFileURL(outfile).href)) as Parser;
    return (text) => {
      const { context } = parseWorkflow({ name: 'workflow.yml', content: text }, new NoOperationTraceWriter());
      return context.errors.getErrors().map(({ message }) => message);
    };
  } finally {
    rmSync(outfile);
  }
}
