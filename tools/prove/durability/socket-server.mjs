// The log's way out of the victims: WebSockets on the server of the page (RFC 6455, as much of it as a browser uses).
import { createHash } from 'node:crypto';

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = /** @type {const} */ ({ continuation: 0, text: 1, close: 8 });

/** @param {Buffer} buffer one frame at its beginning, or less @returns what it holds, or undefined while some is missing */
function readFrame(buffer) {
  if (buffer.length < 2) return undefined;
  let length = buffer[1] & 0x7f;
  let at = 2;
  if (length === 126) {
    if (buffer.length < 4) return undefined;
    length = buffer.readUInt16BE(2);
    at = 4;
  } else if (length === 127) {
    if (buffer.length < 10) return undefined;
    length = Number(buffer.readBigUInt64BE(2));
    at = 10;
  }
  const size = at + 4 + length;
  if (buffer.length < size) return undefined;
  const mask = buffer.subarray(at, at + 4);
  const payload = Buffer.from(buffer.subarray(at + 4, size));
  for (let index = 0; index < payload.length; index++) payload[index] ^= mask[index & 3];
  return { opcode: buffer[0] & 0x0f, isLast: (buffer[0] & 0x80) !== 0, payload, size };
}

/** @param {string} text */
function toFrame(text) {
  const payload = Buffer.from(text);
  if (payload.length < 126)
    return Buffer.concat([Buffer.from([0x80 | opcodes.text, payload.length]), payload]);
  const isShort = payload.length < 65_536;
  const head = Buffer.alloc(isShort ? 4 : 10);
  head[0] = 0x80 | opcodes.text;
  head[1] = isShort ? 126 : 127;
  if (isShort) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}

/** One connection: JSON both ways. */
export class Socket {
  /** @type {(message: any) => void} */
  onmessage = () => undefined;
  onclose = () => undefined;
  #stream;
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);
  /** @type {Buffer[]} */
  #parts = [];

  /** @param {import('node:net').Socket} stream */
  constructor(stream) {
    this.#stream = stream;
    stream.setNoDelay(true);
    stream.on('data', (data) => this.#take(data));
    // the server's sockets stay half open by themselves
    stream.on('end', () => stream.destroy());
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.onclose());
  }

  /** To one that has gone: nothing. @param {unknown} message */
  send(message) {
    if (!this.#stream.destroyed) this.#stream.write(toFrame(JSON.stringify(message)));
  }

  close() {
    this.#stream.destroy();
  }

  /** @param {Buffer} data */
  #take(data) {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    for (let frame = readFrame(this.#rest); frame; frame = readFrame(this.#rest)) {
      this.#rest = this.#rest.subarray(frame.size);
      if (frame.opcode === opcodes.close) return this.close();
      if (frame.opcode !== opcodes.text && frame.opcode !== opcodes.continuation) continue;
      this.#parts.push(frame.payload);
      if (!frame.isLast) continue;
      const text = Buffer.concat(this.#parts.splice(0)).toString();
      this.onmessage(JSON.parse(text));
    }
  }
}

/**
 * Takes every upgrade of the server.
 * @param {import('node:http').Server} server
 * @param {(socket: Socket) => void} onSocket
 * @returns {() => void} closes what is open
 */
export function acceptSockets(server, onSocket) {
  /** @type {Set<Socket>} */
  const sockets = new Set();
  server.on('upgrade', (request, /** @type {import('node:net').Socket} */ stream) => {
    const key = String(request.headers['sec-websocket-key']);
    const accept = createHash('sha1').update(`${key}${acceptSuffix}`).digest('base64');
    stream.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const socket = new Socket(stream);
    sockets.add(socket);
    stream.on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  return () => sockets.forEach((socket) => socket.close());
}
