/** The smallest extension module there is for this Python: `tiny_native.answer()` is 42. Written by hand, so that a test needs no compiler of C. */

/** A shared library as emscripten's linker lays it out; `PyModuleDef` and one `PyMethodDef` are filled in when it is loaded. */
export const extensionText = `(module
  (import "env" "memory" (memory 1))
  (import "env" "__indirect_function_table" (table 1 funcref))
  (import "env" "__memory_base" (global $memory i32))
  (import "env" "__table_base" (global $table i32))
  (import "env" "PyModuleDef_Init" (func $init (param i32) (result i32)))
  (import "env" "PyLong_FromLong" (func $long (param i32) (result i32)))
  (func $answer (param i32 i32) (result i32) (call $long (i32.const 42)))
  (elem (global.get $table) $answer)
  (data (global.get $memory) "\\01\\00\\00\\00")
  (func $at (param i32) (result i32) (i32.add (global.get $memory) (local.get 0)))
  (func (export "PyInit_tiny_native") (result i32)
    (i32.store (call $at (i32.const 20)) (call $at (i32.const 128)))
    (i32.store (call $at (i32.const 32)) (call $at (i32.const 64)))
    (i32.store (call $at (i32.const 64)) (call $at (i32.const 144)))
    (i32.store (call $at (i32.const 68)) (global.get $table))
    (i32.store (call $at (i32.const 72)) (i32.const 4))
    (i64.store (call $at (i32.const 128)) (i64.const 0x74616e5f796e6974))
    (i32.store (call $at (i32.const 136)) (i32.const 0x00657669))
    (i64.store (call $at (i32.const 144)) (i64.const 0x0000726577736e61))
    (call $init (global.get $memory))))`;

/** How much memory it wants (288 bytes), and room in the table: the section that makes a library of a module. */
const dylink = [0x01, 0x05, 0xa0, 0x01, 0x02, 0x01, 0x00];

/** Puts the section before all others. */
export function asLibrary(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode('dylink.0');
  const section = [name.length, ...name, ...dylink];
  return new Uint8Array([...module.slice(0, 8), 0, section.length, ...section, ...module.slice(8)]);
}

const encoded =
  'AGFzbQEAAAAAEAhkeWxpbmsuMAEFoAECAQABEANgAX8Bf2ACf38Bf2AAAX8ChwEGA2VudgZtZW1vcnkCAAEDZW52GV9faW5kaXJlY3RfZnVuY3' +
  'Rpb25fdGFibGUBcAABA2Vudg1fX21lbW9yeV9iYXNlA38AA2VudgxfX3RhYmxlX2Jhc2UDfwADZW52EFB5TW9kdWxlRGVmX0luaXQAAANlbnYP' +
  'UHlMb25nX0Zyb21Mb25nAAADBAMBAAIHFgESUHlJbml0X3RpbnlfbmF0aXZlAAQJBwEAIwELAQIKgAEDBgBBKhABCwcAIwAgAGoLbwBBFBADQY' +
  'ABEAM2AgBBIBADQcAAEAM2AgBBwAAQA0GQARADNgIAQcQAEAMjATYCAEHIABADQQQ2AgBBgAEQA0L00rnL98vbsPQANwMAQYgBEANB6eyVAzYC' +
  'AEGQARADQuHczbvXzBw3AwAjABAACwsKAQAjAAsEAQAAAAA/BG5hbWUBGQQABGluaXQBBGxvbmcCBmFuc3dlcgMCYXQCCwUAAAEAAgADAAQABx' +
  'ACAAZtZW1vcnkBBXRhYmxl';

/** The text, compiled; a test holds the two together. */
export const extension: Uint8Array<ArrayBuffer> = Uint8Array.from(atob(encoded), (character) =>
  character.charCodeAt(0),
);
