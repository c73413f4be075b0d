/** Entry of the worker that runs TypeScript; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { startJavaScript } from '../../javascript/guest/start.ts';
import { stripTypes } from './strip-types.ts';

serveGuest(startJavaScript(stripTypes));
