/** What a module remembers beside its program: stored with it, kept over restarts and reloads. */
import type { Checkpoint } from './checkpoint.ts';
import { notCompiled, reopenedCompilation } from '../compile/compilation.ts';
import type { CompilationRecord } from '../compile/compilation.ts';

export interface ModuleMemory {
  /** When the module first started, wall-clock milliseconds since 1970. */
  readonly createdAtMs: number;
  /** The last change of its mode or its program; parameters have times of their own. */
  readonly updatedAtMs: number;
  readonly compilation: CompilationRecord;
  readonly lastCheckpoint?: Checkpoint;
}

export function createMemory(atMs: number): ModuleMemory {
  return { createdAtMs: atMs, updatedAtMs: atMs, compilation: notCompiled };
}

/** What the store held. Modules that were stored before there were memories have none. */
export function reopenMemory(stored: ModuleMemory | undefined, atMs: number): ModuleMemory {
  const memory = { ...createMemory(atMs), ...stored };
  return { ...memory, compilation: reopenedCompilation(memory.compilation) };
}
