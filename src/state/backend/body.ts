/** Values that lie in files of their own, and how the database refers to them. */
import { CodedError } from '../../base/index.ts';
import { decodeKey } from '../key.ts';
import type { CommitPlan } from '../plan-commit.ts';

/** What the database keeps in the place of such a value. */
export interface BodyRef {
  /** Unlike that of any other body, ever. */
  readonly file: string;
  readonly sizeBytes: number;
  /** `bytes`: the file is the `Uint8Array` itself; `value`: it was encoded. */
  readonly form: 'bytes' | 'value';
  /** Lower-case hex; absent where none was asked for. */
  readonly sha256?: string;
}

/** Stands in a prepared write for a value whose file is written. */
export class DetachedBody {
  readonly ref: BodyRef;

  constructor(ref: BodyRef) {
    this.ref = ref;
  }
}

/** Why a file is missing: nobody has it any more, or another store than this one has it. */
type MissingProblem = 'gone' | 'no-folder';

const missingReasons: Readonly<Record<MissingProblem, string>> = {
  gone: 'its file is gone',
  'no-folder': 'it lies in a file, and this store has none',
};

/** What reading a value ends in whose file this store cannot find. */
export function bodyMissing(encodedKey: string, file: string, problem: MissingProblem): CodedError {
  const key = decodeKey(encodedKey);
  const why = missingReasons[problem];
  return new CodedError('state/body-missing', `the value of ${JSON.stringify(key)} cannot be read: ${why}`, {
    fields: { key, file, problem },
  });
}

/** Files in one folder, each written once and whole. */
export interface BodyFolder {
  /** Whether there is a `write` that has the operating system flush what it wrote. Where there is none, nothing is put here. */
  readonly canFlush: boolean;
  /** Resolves when the bytes are flushed. Rejects with the platform's reason; the file may then be there, in part. */
  write(file: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Undefined when there is no such file. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Removing what is not there is no error. */
  remove(file: string): Promise<void>;
  list(): Promise<readonly string[]>;
}

/** The files that a commit refers to. */
export function filesOf({ changes }: CommitPlan, keepHistory: number): readonly string[] {
  return [...changes.values()].flatMap(({ revisions, write }) =>
    [write, ...revisions.slice(-keepHistory).map((revision) => revision.write)].flatMap(({ value }) =>
      value instanceof DetachedBody ? [value.ref.file] : [],
    ),
  );
}
