#!/usr/bin/env node
import { processHost } from './host.ts';
import { main } from './main.ts';

// What a body left behind (a timer, a socket) does not keep the command line from ending.
process.exit(await main(processHost()));
