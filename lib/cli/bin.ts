#!/usr/bin/env node
import { processHost } from './host.ts';
import { optimizeLater } from './optimize-later.ts';
import { start } from './start.ts';

/** CommonJS once it is built: Node begins that sooner. The rest of the command line is one file, loaded when it is needed. */
declare const require: (file: './lib.cjs') => typeof import('../bundle.ts');

const host = processHost();
const code = start(host);
if (code === undefined) {
  optimizeLater();
  // What a body left behind (a timer, a socket) does not keep the command line from ending.
  void require('./lib.cjs')
    .main(host)
    .then((ended) => process.exit(ended));
} else process.exitCode = code;
