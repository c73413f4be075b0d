/** Puts a session aside after its runs: at once where that is quick, else when nothing has run for a while. */
import type { Clock } from '../../platform/index.ts';
import type { GuestMessage } from '../sandbox/protocol.ts';
import type { SaveBounds } from '../sandbox/session-protocol.ts';
import type { Engine } from './engine.ts';

type Send = (message: GuestMessage, transfer?: readonly ArrayBuffer[]) => void;

export interface SaverParts {
  readonly send: Send;
  readonly clock: Clock;
  /** The interpreter cannot go on. */
  readonly die: (error: unknown) => void;
}

export class SessionSaver {
  readonly #parts: SaverParts;
  #cancel: (() => void) | undefined;

  constructor(parts: SaverParts) {
    this.#parts = parts;
  }

  /** A run begins: what waited for idleness waits for the next one. */
  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** The run's result has been sent: what follows happens while it travels. */
  save(engine: Engine, run: number, bounds: SaveBounds, isIdle = false): void {
    const { send, clock, die } = this.#parts;
    if (isIdle) send({ type: 'session-saving', run });
    try {
      const saved = engine.save?.(bounds, isIdle);
      if (saved === 'later') {
        this.#cancel = clock.after(bounds.idleMs, () => this.save(engine, run, bounds, true));
      }
      if (typeof saved !== 'object') return send({ type: 'session-unsaved', run });
      const transfer = saved.parts.filter((part) => part !== null);
      send({ type: 'session-save', run, ...saved }, transfer);
    } catch (error) {
      die(error);
    }
  }

  async restore(engine: Engine, parts: readonly ArrayBuffer[]): Promise<void> {
    try {
      const lost = (await engine.restore?.(parts.map((part) => new Uint8Array(part)))) ?? [];
      this.#parts.send({ type: 'session-restored', lost });
    } catch (error) {
      this.#parts.die(error);
    }
  }
}
