// A real HTTP server that speaks OpenAI's chat completions, for tests and for trying things by hand:
//   node tools/openai-server.mjs [port]
//
// The model's name chooses what it does. A mode may be followed by `:anything`, so that tests count apart.
//   echo            the last user message, as it is
//   <status>        that HTTP status with an error in OpenAI's shape, such as 401, 404, 500
//   429-then-ok     429 with Retry-After: 0 for the first request of that name, then echo
//   500-then-ok, reset-then-ok   likewise
//   429-wait        always 429 with Retry-After: 3600
//   quota           429 with insufficient_quota
//   context         400 with context_length_exceeded
//   garbage         200 with something that is no completion
//   html            200 with a web page
//   no-choices      200 with an empty list of choices
//   streamed-error  200, one word, then an error in the stream
//   never           takes the request and never answers
//   stall           one word, then silence with the connection open (also when not streaming)
//   slow            echo, 50 ms between words
//   truncated       half of an answer, then a clean end of the connection
//   cut             half of an answer, then a reset connection
//   reset           a reset connection at once
//   flood           a stream that never ends, as fast as the client reads
//   no-stream       ignores stream: true and answers with JSON
//   redirect        302 to another path
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const maxBodies = 100;

export async function startOpenAiServer(options = {}) {
  const state = {
    options,
    stats: { requests: 0, open: 0, abandoned: 0, all: 0 },
    bodies: [],
    lastHeaders: {},
    seen: new Map(),
  };
  const server = createServer((request, response) => {
    handle(state, request, response).catch((error) => {
      if (response.headersSent) response.destroy();
      else sendError(response, 500, { message: String(error), type: 'test_server' });
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return {
    origin,
    baseUrl: `${origin}/v1`,
    stats: state.stats,
    bodies: state.bodies,
    get lastHeaders() {
      return state.lastHeaders;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export async function closedPort() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

async function handle(state, request, response) {
  state.stats.all += 1;
  allowOrigins(state.options.cors ?? 'allow', request, response);
  if (request.method === 'OPTIONS') return void response.writeHead(204).end();
  const { pathname } = new URL(request.url, 'http://localhost');
  if (request.method === 'GET' && pathname === '/stats') return sendJson(response, 200, state.stats);
  if (request.method === 'GET' && pathname === '/v1/models') {
    return sendJson(response, 200, { object: 'list', data: [{ id: 'echo', object: 'model' }] });
  }
  if (request.method !== 'POST' || pathname !== '/v1/chat/completions') {
    return sendError(response, 404, {
      message: `no such route: ${request.method} ${pathname}`,
      type: 'not_found',
    });
  }
  await complete(state, request, response);
}

function allowOrigins(cors, request, response) {
  if (cors === 'refuse' || (cors === 'no-preflight' && request.method === 'OPTIONS')) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader('access-control-allow-methods', 'GET, POST');
  // by name: a star does not cover authorization
  response.setHeader(
    'access-control-allow-headers',
    request.headers['access-control-request-headers'] ?? '*',
  );
  response.setHeader('access-control-expose-headers', 'retry-after, x-request-id');
}

async function complete(state, request, response) {
  const { stats, bodies, options } = state;
  stats.requests += 1;
  stats.open += 1;
  response.on('close', () => {
    stats.open -= 1;
    if (!response.writableFinished) stats.abandoned += 1;
  });
  state.lastHeaders = request.headers;
  response.setHeader('x-request-id', `request-${stats.requests}`);
  const given = request.headers.authorization ?? '';
  if (options.apiKey !== undefined && given !== `Bearer ${options.apiKey}`) {
    request.resume();
    const message = `Incorrect API key provided: ${given.replace('Bearer ', '')}.`;
    return sendError(response, 401, { message, type: 'invalid_request_error', code: 'invalid_api_key' });
  }
  const body = await readBody(request);
  if (typeof body?.model !== 'string' || !Array.isArray(body.messages)) {
    return sendError(response, 400, {
      message: 'model and messages are required',
      type: 'invalid_request_error',
    });
  }
  bodies.push(body);
  if (bodies.length > maxBodies) bodies.shift();
  await answer(state, body, response);
}

async function answer(state, body, response) {
  const [mode] = body.model.split(':');
  const count = (state.seen.get(body.model) ?? 0) + 1;
  state.seen.set(body.model, count);
  if (Object.hasOwn(modes, mode)) return await modes[mode](response, body, state);
  if (/^[345]\d\d$/.test(mode)) return sendStatus(response, Number(mode));
  const first = /^(\d{3}|reset)-then-ok$/.exec(mode)?.[1];
  if (!first || count > 1) return await answerFreely(state, body, response);
  if (first === 'reset') response.destroy();
  else sendStatus(response, Number(first));
}

async function answerFreely({ options }, body, response) {
  const custom = (await options.respond?.(body.messages, body)) ?? lastUserText(body);
  if (typeof custom === 'object' && 'status' in custom) {
    for (const [name, value] of Object.entries(custom.headers ?? {})) response.setHeader(name, value);
    return sendJson(response, custom.status, custom.body);
  }
  const { text, finishReason = 'stop' } = typeof custom === 'object' ? custom : { text: custom };
  await sendAnswer(response, body, { text, finishReason, wordDelayMs: options.wordDelayMs ?? 0 });
}

const modes = {
  '429-wait': (response) => sendStatus(response, 429, { 'retry-after': '3600' }),
  quota: (response) =>
    sendError(response, 429, { message: 'You exceeded your current quota.', code: 'insufficient_quota' }),
  context: (response) =>
    sendError(response, 400, {
      message: "This model's maximum context length is 4096 tokens.",
      code: 'context_length_exceeded',
    }),
  garbage: (response, body) =>
    body.stream
      ? sendEvents(response, ['{"choices": 7}'])
      : sendText(response, 'application/json', '{"choices":'),
  html: (response) => sendText(response, 'text/html', '<!doctype html><title>Welcome</title>'),
  'no-choices': (response, body) =>
    body.stream
      ? sendEvents(response, [JSON.stringify({ choices: [] }), '[DONE]'])
      : sendJson(response, 200, { choices: [] }),
  'streamed-error': (response, body) =>
    sendEvents(response, [
      JSON.stringify(chunkOf(body, 0, 'one ')),
      JSON.stringify({ error: { message: 'the engine fell over', code: 503 } }),
    ]),
  never: () => undefined,
  stall: (response, body) =>
    void begin(response, body).write(body.stream ? eventOf(chunkOf(body, 0, 'one ')) : '{'),
  slow: (response, body) =>
    sendAnswer(response, body, { text: lastUserText(body), finishReason: 'stop', wordDelayMs: 50 }),
  truncated: (response, body) => {
    begin(response, body).end(body.stream ? eventOf(chunkOf(body, 0, 'half of ')) : '{"choices":[{"mess');
  },
  cut: async (response, body) => {
    begin(response, body).write(body.stream ? eventOf(chunkOf(body, 0, 'half of ')) : '{"choices":[{"mess');
    await sleep(20);
    response.destroy();
  },
  reset: (response) => response.destroy(),
  flood: (response, body) => {
    const piece = body.stream ? eventOf(chunkOf(body, 0, 'x'.repeat(2 ** 14))) : ' '.repeat(2 ** 16);
    const endless = Readable.from(repeat(piece));
    response.on('close', () => endless.destroy());
    endless.pipe(begin(response, body));
  },
  'no-stream': (response, body) => sendJson(response, 200, completionOf(body, lastUserText(body), 'stop')),
  redirect: (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
};

async function sendAnswer(response, body, { text, finishReason, wordDelayMs }) {
  if (!body.stream) {
    if (wordDelayMs > 0) await sleep(wordDelayMs * wordsOf(text).length);
    return sendJson(response, 200, completionOf(body, text, finishReason));
  }
  begin(response, body);
  const count = body.n ?? 1;
  for (const word of wordsOf(text)) {
    for (let index = 0; index < count; index++) response.write(eventOf(chunkOf(body, index, word)));
    if (wordDelayMs > 0) await sleep(wordDelayMs);
    if (response.destroyed) return;
  }
  for (let index = 0; index < count; index++) response.write(eventOf(chunkOf(body, index, '', finishReason)));
  if (body.stream_options?.include_usage) {
    response.write(eventOf({ ...chunkOf(body, 0, ''), choices: [], usage: usageOf(body, text) }));
  }
  response.end('data: [DONE]\n\n');
}

function* repeat(piece) {
  for (;;) yield piece;
}

const wordsOf = (text) => text.match(/\S+\s*|\s+/g) ?? [];
const eventOf = (value) => `data: ${JSON.stringify(value)}\n\n`;

function begin(response, body) {
  response.writeHead(200, { 'content-type': body.stream ? 'text/event-stream' : 'application/json' });
  response.flushHeaders();
  return response;
}

function sendEvents(response, lines) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(lines.map((line) => `data: ${line}\n\n`).join(''));
}

function chunkOf(body, index, content, finishReason = null) {
  return {
    id: 'chatcmpl-local',
    object: 'chat.completion.chunk',
    created: 0,
    model: body.model,
    choices: [{ index, delta: content === '' ? {} : { content }, finish_reason: finishReason }],
  };
}

function completionOf(body, text, finishReason) {
  return {
    id: 'chatcmpl-local',
    object: 'chat.completion',
    created: 0,
    model: body.model,
    choices: Array.from({ length: body.n ?? 1 }, (_, index) => ({
      index,
      message: { role: 'assistant', content: text },
      finish_reason: finishReason,
    })),
    usage: usageOf(body, text),
  };
}

// Words stand for tokens: enough to see that counts arrive.
function usageOf(body, text) {
  const prompt = body.messages.reduce((sum, message) => sum + wordsOf(textOf(message)).length, 0);
  const completion = wordsOf(text).length * (body.n ?? 1);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function textOf({ content }) {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => part.text ?? '').join('');
}

function lastUserText(body) {
  const last = body.messages.findLast((message) => message.role === 'user');
  return last ? textOf(last) : '';
}

function sendStatus(response, status, headers = {}) {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (status === 429 && !response.hasHeader('retry-after')) response.setHeader('retry-after', '0');
  sendError(response, status, { message: `the server was told to answer ${status}`, type: 'test_mode' });
}

function sendError(response, status, error) {
  sendJson(response, status, { error });
}

function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendText(response, type, text) {
  response.writeHead(200, { 'content-type': type }).end(text);
}

async function readBody(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await startOpenAiServer({ port: Number(process.argv[2] ?? 0) });
  console.log(`speaking OpenAI's chat completions at ${server.baseUrl} (model: echo)`);
}
