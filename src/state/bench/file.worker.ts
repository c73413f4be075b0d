/** Where files have handles that can be flushed: a worker. Answers the first message with rows. */
import { runFiles } from './file.bench.ts';
import type { FileBenchRequest } from './file.bench.ts';

addEventListener('message', ({ data }: MessageEvent<FileBenchRequest>) => {
  runFiles(data).then(
    (rows) => postMessage({ rows }),
    (error: unknown) => postMessage({ error: String(error) }),
  );
});
