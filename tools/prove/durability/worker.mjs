// A worker that is a client.
import { serveClient } from './serve-client.mjs';

addEventListener('message', ({ data }) => void serveClient(data), { once: true });
