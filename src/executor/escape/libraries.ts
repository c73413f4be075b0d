/** Libraries of machine code that a guest of Python brings along, written by hand as a guest would. */

export interface Library {
  /** What it is made of, in WebAssembly's text format, or nothing where that has no words for it. */
  readonly text?: string;
  /** The library, in base64. */
  readonly encoded: string;
}

const grows = '(func (export "grow") (param i32) (result i32)';

const ownMemory: Library = {
  text: `(module (memory 1 32768) ${grows} (memory.grow (local.get 0))))`,
  encoded:
    'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABBgFgAX8BfwMCAQAFBgEBAYCAAgcIAQRncm93AAAKCAEGACAAQAALAAoEbmFtZQIDAQAA',
};

const ownTable: Library = {
  text: `(module (table $t 1 funcref) ${grows} (table.grow $t (ref.null func) (local.get 0))))`,
  encoded:
    'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABBgFgAX8BfwMCAQAEBAFwAAEHCAEEZ3JvdwAACgsBCQDQcCAA/A8ACwAQBG5hbWUCAwEAAAUEAQABdA==',
};

/** One type is an array; it makes one, and answers how long that is. */
const ownObjects: Library = {
  encoded: 'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABCQJefwFgAX8BfwMCAQEHCAEEZ3JvdwAACgsBCQAgAPsHAPsPCw==',
};

/** Takes what is the interpreter's own, as compilers' libraries do. */
const sharedTable: Library = {
  text: `(module (import "env" "__indirect_function_table" (table $t 1 funcref)) ${grows} (table.grow $t (ref.null func) (local.get 0))))`,
  encoded:
    'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABBgFgAX8BfwIjAQNlbnYZX19pbmRpcmVjdF9mdW5jdGlvbl90YWJsZQFwAAEDAgEABwgBBGdyb3cAAAoLAQkA0HAgAPwPAAsAEARuYW1lAgMBAAAFBAEAAXQ=',
};

/** Shows the interpreter's memory under a name of its own. */
const shownMemory: Library = {
  text: `(module (import "env" "memory" (memory 1)) (export "shown" (memory 0)) ${grows} (local.get 0)))`,
  encoded:
    'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABBgFgAX8BfwIPAQNlbnYGbWVtb3J5AgABAwIBAAcQAgVzaG93bgIABGdyb3cAAAoGAQQAIAALAAoEbmFtZQIDAQAA',
};

/** Carries JavaScript for the loader, which makes a function of it: the text at the address, in capitals. */
const script: Library = {
  text: `(module
  (import "env" "memory" (memory 1))
  (import "env" "__memory_base" (global $base i32))
  (import "env" "shout" (func $shout (param i32) (result i32)))
  (data (global.get $base) "(char *at)<::>{ stringToUTF8(UTF8ToString(at).toUpperCase(), at, 64); return at; }\\00")
  (global (export "__em_js__shout") i32 (i32.const 0))
  (func (export "call") (param i32) (result i32) (call $shout (local.get 0))))`,
  encoded:
    'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABBgFgAX8BfwIwAwNlbnYGbWVtb3J5AgABA2Vudg1fX21lbW9yeV9iYXNlA38AA2VudgVzaG91dAAAAwIBAAYGAX8AQQALBxkCDl9fZW1fanNfX3Nob3V0AwEEY2FsbAABCggBBgAgABAACwtZAQAjAAtTKGNoYXIgKmF0KTw6Oj57IHN0cmluZ1RvVVRGOChVVEY4VG9TdHJpbmcoYXQpLnRvVXBwZXJDYXNlKCksIGF0LCA2NCk7IHJldHVybiBhdDsgfQAAHwRuYW1lAQgBAAVzaG91dAIFAgAAAQAHBwEABGJhc2U=',
};

export const libraries = {
  ownMemory,
  ownTable,
  ownObjects,
  sharedTable,
  shownMemory,
  script,
} satisfies Readonly<Record<string, Library>>;

/** Python that loads a library under the name `library`; its file is gone again when that has gone well, and when not. */
export const loadLibrary = (name: keyof typeof libraries): string => `
import base64, importlib, os
ctypes = importlib.import_module("ctypes")
# the loader looks for what it has by its path
path = "/tmp/{token}-${name}.so"
with open(path, "wb") as file: file.write(base64.b64decode("${libraries[name].encoded}"))
try: library = ctypes.CDLL(path)
finally: os.remove(path)
`;
