// One short program of each language for each question that the proof asks of an engine. `null`: the language has nothing like it.

/** @param {readonly number[]} body of `main`, which answers an i32; after the count of its locals */
function wasmMain(body) {
  const code = [0, ...body, 0x0b];
  return new Uint8Array(
    [
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      [1, 5, 1, 0x60, 0, 1, 0x7f],
      [3, 2, 1, 0],
      [7, 8, 1, 4, ...new TextEncoder().encode('main'), 0, 0],
      [0x0a, code.length + 2, 1, code.length, ...code],
    ].flat(),
  );
}

const wasmLoop = [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0];
const inWat = (/** @type {string} */ body) => `(func (export "main") (result i32) ${body})`;

const javascript = {
  two: '1 + 1',
  isTwo: 2,
  fault: 'null.x',
  loop: 'while (true);',
  keep: ['globalThis.x = 5', 'globalThis.x', 5],
  stuck: '("a".repeat(2e7)).indexOf("a".repeat(1e7) + "b")',
  memory: 'const x = []\nwhile (true) x.push(new Array(100000).fill(0))',
  flood: 'while (true) console.log("y".repeat(1000))',
  waitingTool: 'let found\ntry { found = add.sync(1, 2) } catch (error) { found = error.code }\nfound',
  awaitedTool: 'await add(1, 2)',
};

export const programs = {
  python: {
    two: '1 + 1',
    isTwo: 2,
    fault: '1 / 0',
    loop: 'while True: pass',
    keep: ['x = 5', 'x', 5],
    stuck: 'while True:\n  try:\n    while True: pass\n  except BaseException: pass',
    memory: 'x = []\nwhile True: x.append(bytearray(1_000_000))',
    flood: 'while True: print("y" * 1000)',
    waitingTool: 'try:\n  found = add(1, 2)\nexcept RuntimeError as error:\n  found = error.code\nfound',
    awaitedTool: 'await add(1, 2)',
  },
  javascript,
  typescript: {
    ...javascript,
    two: '(1 as number) + 1',
    keep: ['globalThis.x = 5 as number', 'globalThis.x', 5],
    memory: 'const x: number[][] = []\nwhile (true) x.push(new Array(100000).fill(0))',
  },
  sql: {
    two: 'SELECT 2 AS two;',
    isTwo: { columns: ['two'], rows: [[2]] },
    fault: 'SELECT * FROM nowhere;',
    loop: 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c;',
    keep: [
      'CREATE TABLE t(x); INSERT INTO t VALUES (5);',
      'SELECT x FROM t;',
      { columns: ['x'], rows: [[5]] },
    ],
    stuck: "SELECT instr(printf('%.*c', 4000000, 'a'), printf('%.*c', 2000000, 'a') || 'b');",
    memory: 'SELECT zeroblob(1000000000);',
    flood:
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT print(printf('%.*c', 999, 'y')) FROM c;",
  },
  // last: not every engine ends a worker in such a loop
  wasm: {
    two: wasmMain([0x41, 2]),
    isTwo: 2,
    fault: wasmMain([0]),
    loop: wasmMain(wasmLoop),
    keep: null,
    stuck: null,
    memory: null,
    flood: null,
  },
  wat: {
    two: inWat('i32.const 2'),
    isTwo: 2,
    fault: inWat('unreachable'),
    loop: inWat('(loop $again (br $again)) i32.const 0'),
    keep: null,
    stuck: null,
    memory: '(module (memory 65536))',
    flood: null,
  },
};
