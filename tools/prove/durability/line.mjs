// A victim's line to the log: nothing is done before the log has the intention, and what came of it is told at once.

export class Line {
  #socket;
  /** @type {Map<string, () => void>} */
  #waiting = new Map();
  /** @type {(message: any) => void} */
  onmessage = () => undefined;

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(data)));
  }

  /** @param {string} address @returns {Promise<Line>} */
  static open(address) {
    const socket = new WebSocket(address);
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve(new Line(socket)));
      socket.addEventListener('error', () => reject(new Error(`no log at ${address}`)));
    });
  }

  /** @param {unknown} message */
  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /** Resolves when the log has it. @param {string} op @param {object} intention */
  begin(op, intention) {
    return new Promise((resolve) => {
      this.#waiting.set(op, () => resolve(undefined));
      this.send({ type: 'begin', op, ...intention });
    });
  }

  /** @param {string} op @param {object} outcome */
  end(op, outcome) {
    this.send({ type: 'end', op, ...outcome });
  }

  /** @param {any} message */
  #take(message) {
    if (message.type !== 'go') return this.onmessage(message);
    this.#waiting.get(message.op)?.();
    this.#waiting.delete(message.op);
  }
}
