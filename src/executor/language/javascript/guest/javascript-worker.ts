/** Entry of the worker that runs JavaScript; bundled as one classic script. */
import { serveGuest } from '../../../guest/serve-guest.ts';
import { startJavaScript } from './start.ts';
import { noTranslation } from './translation.ts';

serveGuest(startJavaScript(noTranslation));
