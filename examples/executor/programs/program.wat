(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; where the text is, and how long; then the text
  (data (i32.const 0) "\10\00\00\00\1c\00\00\00")
  (data (i32.const 16) "adding up a million squares\n")

  ;; more than a number of JavaScript holds: a bigint there
  (func (export "main") (result i64) (local $n i64) (local $sum i64)
    i32.const 1 i32.const 0 i32.const 1 i32.const 8 call $write drop
    loop $next
      local.get $n i64.const 1 i64.add local.tee $n
      local.get $n i64.mul local.get $sum i64.add local.set $sum
      local.get $n i64.const 1000000 i64.lt_u br_if $next
    end
    local.get $sum))
