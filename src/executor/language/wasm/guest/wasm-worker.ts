/** Entry of the worker that runs WebAssembly; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { startWasm } from './start.ts';

serveGuest(startWasm());
