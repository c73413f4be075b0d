/** What the page knows of a language. The rest of it is its guest, which lives in the worker; see the README beside this file. */

import type { LoadPackages } from './package-loading.ts';

/** The languages there are. */
export type LanguageName = 'javascript' | 'postgres' | 'python' | 'sql' | 'typescript' | 'wasm' | 'wat';

/** A file of a language, fetched by the page and handed to the frame. */
export interface LanguageAsset {
  /** How the guest finds it: `boot.assets[name]`. */
  readonly name: string;
  /** Below the address of the sandbox's files: `python/pyodide.wasm`. */
  readonly file: string;
  /** A `module` is WebAssembly that the frame compiles once; `bytes` go to the guest as they are. */
  readonly form: 'module' | 'bytes';
  /** The one memory that the module defines may not grow beyond `limits.memoryBytes`. For modules that define their own. */
  readonly isMemoryCapped?: true;
}

/** What code in a language can be given, and do. A context that asks for what is false is refused with `executor/option-invalid`. */
export interface LanguageCapabilities {
  /** `context.variables` and `options.outputs`. */
  readonly hasVariables: boolean;
  /** `context.files`. */
  readonly hasFiles: boolean;
  /** `context.imports`. */
  readonly hasImports: boolean;
  /** `context.tools`. Default: false. */
  readonly hasTools?: boolean;
  /** `context.environment`. Default: false. */
  readonly hasEnvironment?: boolean;
  /** `context.workingDirectory`. Default: false. */
  readonly hasWorkingDirectory?: boolean;
  /** It shows rich values, for `options.onDisplay`. Default: false. */
  readonly hasDisplays?: boolean;
  /** A function `SUBMIT` that ends the run with an answer. */
  readonly hasSubmit: boolean;
  /** `context.submitFields`. Default: false. */
  readonly hasSubmitFields?: boolean;
  /** `context.packages`, and `packageIndex` of its executor. Default: false. */
  readonly hasPackages?: boolean;
  /** Modules and globals that the policy denies are found in the text of its programs. Default: false. */
  readonly hasDeniedNames?: boolean;
  /** The guest can throw what it did away and go on in its worker as if it had just started: one-shot runs then share workers, never state. */
  readonly isRenewable: boolean;
  /** The guest can put a session aside, and make another one of it: `Engine.save` and `Engine.restore`. Default: false. */
  readonly isRestorable?: boolean;
  /** The guest ends a run at its time limit by itself, so that its worker survives also where no memory can be shared. */
  readonly keepsTime: boolean;
}

/** A string, bytes, or one of them as the caller likes. */
export type CodeForm = 'text' | 'bytes' | 'either';

/** What a name is wanted for. */
export type NameUse = 'variable' | 'output';

/** A language as data for the page. */
export interface Language {
  readonly name: LanguageName;
  /** The guest's bundle, below the address of the sandbox's files: `python/worker.js`. */
  readonly worker: string;
  readonly assets: readonly LanguageAsset[];
  /** The guest can make a snapshot of an interpreter that has run nothing, and start others from it. */
  readonly hasSnapshots?: true;
  /** An interpreter with less memory does not start: the least of `limits.memoryBytes`. */
  readonly leastMemoryBytes: number;
  /** What code may be handed over as. Default `text`. */
  readonly codeForm?: CodeForm;
  /** The form in which the language reads a name: two that have the same are one. Default: as it is written. */
  readonly normalName?: (name: string) => string;
  /** What is wrong with a name, in its normal form, as a variable, or as an output, or `undefined`. */
  readonly refuseName: (name: string, use: NameUse) => string | undefined;
  /** What is wrong with a name in `context.imports`, or `undefined`. Default: any will do. */
  readonly refuseImport?: (name: string) => string | undefined;
  /** The same text for keys of maps and sets that are equal in the language, nothing for what cannot be a key. Default: all can, and none are equal. */
  readonly identifyKey?: (key: unknown) => string | undefined;
  readonly capabilities: LanguageCapabilities;
  /** Loads what knows the language's packages, where it `hasPackages`. */
  readonly loadPackages?: LoadPackages;
  /** Handed to the guest as `boot.settings.own`. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}
