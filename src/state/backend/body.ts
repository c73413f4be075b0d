/** Values that lie in files of their own, and how the database refers to them. */

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
