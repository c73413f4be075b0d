/** From the text of a Python annotation to its type. */
import type { PythonType } from './python-type.ts';

export interface PythonTypeOptions {
  /** Types by the name that the text uses for them, such as `Person` or `datetime.date`. */
  readonly customTypes?: Readonly<Record<string, PythonType>>;
}

/** @throws `program/signature-invalid` when the text is no annotation, or names a type that is not known. */
export function parsePythonType(text: string, options: PythonTypeOptions = {}): PythonType {
  throw new Error(`not written yet: ${text} ${String(options)}`);
}
