/** Small modules in the text format. */

const signatures: Readonly<Record<string, string>> = {
  environ_sizes_get: 'i32 i32',
  fd_prestat_get: 'i32 i32',
  fd_renumber: 'i32 i32',
  fd_write: 'i32 i32 i32 i32',
  path_create_directory: 'i32 i32 i32',
  path_open: 'i32 i32 i32 i32 i32 i64 i64 i32 i32',
  path_rename: 'i32 i32 i32 i32 i32 i32',
  path_symlink: 'i32 i32 i32 i32 i32',
  poll_oneoff: 'i32 i32 i32 i32',
  proc_raise: 'i32',
  random_get: 'i32 i32',
  sched_yield: '',
  sock_recv: 'i32 i32 i32 i32 i32 i32',
  sock_send: 'i32 i32 i32 i32 i32',
  sock_shutdown: 'i32 i32',
};

/** One import of WASI. */
export function wasi(name: string): string {
  const parameters = signatures[name] ?? '';
  return `(import "wasi_snapshot_preview1" "${name}" (func $${name} ${parameters && `(param ${parameters})`} (result i32)))`;
}

/** A module whose `main` answers an `i32`; `$i` and `$n` are its own. */
export function inModule(imports: readonly string[], body: string, more: string = ''): string {
  return `(module ${imports.map(wasi).join(' ')} (memory (export "memory") 1) ${more} (func (export "main") (result i32) (local $i i32) (local $n i32) ${body}))`;
}

/** Writes a path to memory. */
export function path(text: string, at: number = 100): string {
  const bytes = [...new TextEncoder().encode(text)];
  return bytes.map((byte, index) => `(i32.store8 (i32.const ${at + index}) (i32.const ${byte}))`).join(' ');
}
