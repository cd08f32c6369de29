import { blocksReporter } from './blocks.ts';
import { rememberingReporter } from './choose.ts';
import { paintFor } from './paint.ts';
import type { ReporterFactory } from './reporter.ts';

/** For CI: the output of each step in one piece, whatever ran beside it (R38). */
export const grouped: ReporterFactory = (screen, options) =>
  rememberingReporter(screen, options, (log, start) => {
    const paint = paintFor(screen.stderr.colour);
    return blocksReporter(log, start, screen, options, {
      open: (title) => (start.dryRun ? `# ${title}\n` : `${paint.cyan('▶')} ${title}\n`),
      close: '',
      after: () => '',
      repeatsFailures: false,
    });
  });
