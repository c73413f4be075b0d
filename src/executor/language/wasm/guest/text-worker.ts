/** Entry of the worker that runs WebAssembly and reads its text format; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { startWasm } from './start.ts';
import { createTextCompiler } from './text-compiler.ts';

serveGuest(startWasm(createTextCompiler));
