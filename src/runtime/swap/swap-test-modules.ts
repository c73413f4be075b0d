/** Versions of one kind, for the tests of swaps. */
import { CodedError } from '../../base/index.ts';
import { Module, Parameter } from '../../program/index.ts';
import type { ModuleState, Run } from '../../program/index.ts';

/** What waits inside a `forward` until a test lets it go. */
export const gates: Map<string, () => void> = new Map();

function passGate(gate: string | undefined, signal: AbortSignal): Promise<void> {
  if (gate === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    gates.set(gate, resolve);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

export interface Review {
  /** Added to the count before and after the gate. */
  readonly by?: number;
  readonly gate?: string;
  readonly note?: string;
}

class Critic extends Module<Review, { version: string; count: number }> {
  readonly count: Parameter<number> = new Parameter({ type: 'number', value: 0 });
  readonly note: Parameter<string> = new Parameter({ type: 'string', value: '' });

  override async forward({ by = 0, gate, note }: Review, { signal }: Run) {
    this.count.set(this.count.value + by, 'forward');
    await passGate(gate, signal);
    this.count.set(this.count.value + by, 'forward');
    if (note !== undefined) this.note.set(note, 'forward');
    const { version = '' } = this.constructor as { version?: string };
    return { version, count: this.count.value };
  }
}

/** Counts seconds. */
export class Critic_1_0 extends Critic {
  static readonly version = '1.0.0';
  readonly waitSeconds: Parameter<number> = new Parameter({ type: 'number', value: 2 });
}

/** Counts milliseconds, keeps notes short, and has a tone. */
export class Critic_1_1 extends Critic {
  static readonly version = '1.1.0';
  override readonly note: Parameter<string> = new Parameter({
    type: 'string',
    value: '',
    constraints: { custom: (text) => text.length <= 10 },
  });
  readonly waitMs: Parameter<number> = new Parameter({ type: 'number', value: 2000 });
  readonly tone: Parameter<string> = new Parameter({ type: 'string', value: 'dry' });

  static migrate(state: ModuleState, fromVersion: string): ModuleState {
    if (fromVersion !== '1.0.0') return state;
    const { waitSeconds, ...parameters } = state.parameters;
    if (!waitSeconds) return state;
    const waitMs = { ...waitSeconds, value: (waitSeconds.value as number) * 1000 };
    return { ...state, parameters: { ...parameters, waitMs } };
  }
}

/** Without a migration: what has the same name is taken over. */
export class Critic_2_0_beta extends Critic {
  static readonly version = '2.0.0-beta.1';
}

export class Unconstructable extends Critic {
  static readonly version = '9.0.0-construct.1';
  constructor() {
    super();
    throw new CodedError('runtime/asked-to-throw', 'no such luck');
  }
}

type Migrate = (state: ModuleState, fromVersion: string) => unknown;

/** A class whose migration does as it is told. */
export function migratingBy(migrate: Migrate): typeof Critic_1_1 {
  return class extends Critic_1_1 {
    static override readonly version = '1.1.0';
    static override migrate(state: ModuleState, fromVersion: string): ModuleState {
      return migrate(state, fromVersion) as ModuleState;
    }
  };
}

export const swapModules = {
  critic: [Critic_2_0_beta, Critic_1_0, Unconstructable, Critic_1_1],
  pinned: [Critic_1_0, Critic_1_1],
} as const;
