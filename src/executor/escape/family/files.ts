/** Ways through paths, links, archives and descriptors: to files of others, and past the bound on one's own. */
import type { EscapeAttempt, EscapeLanguage } from '../attempt.ts';
import { describeEnd } from '../attempt.ts';
import {
  answers,
  beside,
  exceeds,
  pairInSession,
  pairOfRuns,
  poisoning,
  throwsText,
  told,
} from '../beside.ts';
import type { BesidePlan } from '../beside.ts';
import { shortMs } from '../write-attempt.ts';
import { inModule, path } from './wasm-text.ts';

const plan = (id: string, language: EscapeLanguage, mechanism: string): BesidePlan => ({
  id,
  language,
  mechanism,
});

const shared: readonly EscapeAttempt[] = [
  poisoning('files', plan('file-outside-folder', 'python', 'a file above the folder of the sandbox'), {
    code: 'open("/sandbox/../../tmp/{token}", "w").write("x")',
    look: 'import os\nos.path.exists("/tmp/{token}")',
    mark: true,
  }),
  poisoning('files', plan('file-standard-library', 'python', 'a module laid over the standard library'), {
    code: 'import sys\nopen("/lib/python3.14/site-packages/stolen_{token}.py", "w").write("mark = 5")\nimport importlib\nimportlib.invalidate_caches()\n1',
    look: 'import importlib.util\nimportlib.util.find_spec("stolen_{token}") is not None',
    mark: true,
  }),
  poisoning('files', plan('archive-climbing', 'python', 'an archive whose member climbs out of its folder'), {
    code: 'import io, tarfile\nb = io.BytesIO()\nwith tarfile.open(fileobj=b, mode="w") as t:\n  t.addfile(tarfile.TarInfo("../../../../tmp/{token}"))\nb.seek(0)\ntarfile.open(fileobj=b).extractall("/sandbox/a/b", filter="fully_trusted")\n1',
    look: 'import os\nos.path.exists("/tmp/{token}")',
    mark: true,
  }),
  poisoning('files', plan('link-outside', 'python', 'a link to a folder above, and a file behind it'), {
    code: 'import os\nos.symlink("/", "/sandbox/{token}")\nopen("/sandbox/{token}/tmp/{token}", "w").write("x")',
    look: 'import os\nos.path.exists("/tmp/{token}")',
    mark: true,
  }),
  poisoning(
    'files',
    plan('js-shared-files', 'javascript', 'a file of another session, by a path that climbs'),
    {
      code: 'import fs from "fs"\nfs.writeFileSync("../../{token}", "x")\n1',
      look: 'import fs from "fs"\nfs.existsSync("../../../../{token}")',
      mark: true,
    },
  ),
];

const archive = (sizeBytes: number): string => `
import io, os, shutil, zipfile
b = io.BytesIO()
with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:
  z.writestr('bomb', bytes(${sizeBytes}))
try:
  zipfile.ZipFile(b).extractall('/tmp/{token}')
  size = os.path.getsize('/tmp/{token}/bomb')
finally:
  shutil.rmtree('/tmp/{token}', ignore_errors=True)
size`;

const noSpace = throwsText(/No space left/u);

const python: readonly EscapeAttempt[] = [
  pairInSession('files', plan('zip-bomb', 'python', 'a small archive that becomes a large file'), {
    code: archive(34 * 2 ** 20),
    holds: noSpace,
    allowed: archive(2 ** 20),
    shows: answers(2 ** 20),
    words: 'a smaller one was unpacked',
  }),
  pairInSession('files', plan('file-stretched', 'python', 'a file that is made long without being written'), {
    code: 'import os\ntry:\n  with open("/tmp/{token}", "wb") as f: f.truncate(10**9)\nfinally: os.remove("/tmp/{token}")',
    holds: noSpace,
    allowed:
      'with open("/tmp/{token}", "wb") as f: f.truncate(10**6)\nimport os\nos.path.getsize("/tmp/{token}")',
    shows: answers(10 ** 6),
    words: 'a shorter one was made',
  }),
  pairInSession('files', plan('file-deleted-open', 'python', 'files that are deleted and still open'), {
    code: 'import os\nheld = []\ntry:\n  for n in range(100):\n    f = open("/tmp/{token}", "wb")\n    held.append(f)\n    f.write(bytes(2**20))\n    f.flush()\n    os.remove("/tmp/{token}")\nfinally:\n  for f in held:\n    try: f.close()\n    except OSError: pass\n  held.clear()',
    holds: noSpace,
    allowed:
      'f = open("/tmp/{token}", "wb")\nn = f.write(bytes(2**20))\nf.close()\nimport os\nos.remove("/tmp/{token}")\nn',
    shows: answers(2 ** 20),
    words: 'one of them was written',
  }),
  pairInSession(
    'files',
    plan('name-flood', 'python', 'links without end to names of thousands of letters, and no file'),
    {
      code: 'import os, shutil\nos.mkdir("/tmp/{token}")\ntry:\n  for n in range(40000): os.symlink("x" * 4000, f"/tmp/{token}/{n}")\nfinally: shutil.rmtree("/tmp/{token}")',
      holds: noSpace,
      allowed:
        'import os\nos.symlink("x" * 4000, "/tmp/{token}")\nsize = len(os.readlink("/tmp/{token}"))\nos.remove("/tmp/{token}")\nsize',
      shows: answers(4000),
      words: 'one of them was made',
    },
  ),
  pairInSession('files', plan('link-loop', 'python', 'a link to itself'), {
    code: 'import os\nos.symlink("/tmp/l{token}", "/tmp/l{token}")\nopen("/tmp/l{token}")',
    holds: throwsText(/OSError/u),
    allowed:
      'import os\nopen("/tmp/t{token}", "w").write("x")\nos.symlink("/tmp/t{token}", "/tmp/s{token}")\nopen("/tmp/s{token}").read()',
    shows: answers('x'),
    words: 'a link to a file was followed',
  }),
  pairInSession('files', plan('device-files', 'python', 'devices, processes and accounts of the machine'), {
    code: 'found = []\nfor path in ("/etc/passwd", "/proc/self/environ", "/proc/self/mem", "/proc/1/cmdline", "/dev/mem", "/dev/sda", "/home/../../etc/shadow"):\n  try: found.append(open(path, "rb").read(8))\n  except OSError: pass\nlen(found)',
    holds: answers(0),
    allowed: 'len(open("/dev/urandom", "rb").read(8))',
    shows: answers(8),
    words: 'the device that is there was read',
  }),
];

const errno = (value: number): ReturnType<typeof answers> => answers(value);
const refused = (outcome: Parameters<ReturnType<typeof answers>>[0]): boolean =>
  outcome.type === 'returned' && typeof outcome.value === 'number' && outcome.value > 0;

const created = 1;
const open = (text: string): string =>
  `${path(text)} (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const ${text.length}) (i32.const ${created}) (i64.const 0xfffffff) (i64.const 0) (i32.const 0) (i32.const 16))`;
const opening = (text: string): string => inModule(['path_open'], open(text));
const two = (call: string, from: string, to: string): string => {
  const paths = `${path(from)} ${path(to, 400)}`;
  return inModule(
    ['path_open', call],
    call === 'path_rename'
      ? `(drop ${open(from)}) ${paths} (call $path_rename (i32.const 3) (i32.const 100) (i32.const ${from.length}) (i32.const 3) (i32.const 400) (i32.const ${to.length}))`
      : `${paths} (call $path_symlink (i32.const 100) (i32.const ${from.length}) (i32.const 3) (i32.const 400) (i32.const ${to.length}))`,
  );
};

const inWasi = (
  id: string,
  mechanism: string,
  code: string,
  rest: Partial<Parameters<typeof pairInSession>[2]> = {},
): EscapeAttempt =>
  pairInSession('files', plan(id, 'wat', mechanism), {
    code,
    holds: refused,
    allowed: opening('own'),
    shows: errno(0),
    words: 'a file of its own was made',
    ...rest,
  });

const wasm: readonly EscapeAttempt[] = [
  inWasi('wasi-parent', 'a path of WASI that climbs', opening('../stolen')),
  inWasi(
    'wasi-deep-parent',
    'a path of WASI that goes down and climbs further',
    opening('a/../../../stolen'),
  ),
  inWasi(
    'wasi-null-path',
    'a path of WASI that ends early for one reader and not for the other',
    opening('..\0/x'),
  ),
  inWasi(
    'wasi-rename-out',
    'a file of WASI that is moved out of its folder',
    two('path_rename', 'f', '../f'),
    {
      allowed: two('path_rename', 'f', 'g'),
      words: 'it was moved inside',
    },
  ),
  inWasi('wasi-link-out', 'a link of WASI to the root', two('path_symlink', '/', 'root')),
  inWasi(
    'wasi-descriptors',
    'descriptors of WASI that nobody gave: how many folders are open',
    inModule(
      ['fd_prestat_get'],
      `(local.set $i (i32.const 5)) (loop $next (if (i32.eqz (call $fd_prestat_get (local.get $i) (i32.const 16))) (then (local.set $n (i32.add (local.get $n) (i32.const 1))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $next (i32.lt_u (local.get $i) (i32.const 5000)))) (local.get $n)`,
    ),
    {
      holds: errno(0),
      allowed: inModule(['fd_prestat_get'], '(call $fd_prestat_get (i32.const 3) (i32.const 16))'),
      words: 'the folder that was given answered',
    },
  ),
  inWasi(
    'wasi-sockets',
    'sockets of WASI',
    inModule(
      ['sock_send', 'sock_recv', 'sock_shutdown'],
      '(i32.and (i32.and (i32.ne (call $sock_send (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8)) (i32.const 0)) (i32.ne (call $sock_recv (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 12)) (i32.const 0))) (i32.ne (call $sock_shutdown (i32.const 3) (i32.const 2)) (i32.const 0)))',
    ),
  ),
  inWasi(
    'wasi-signal',
    'a signal to the process',
    inModule(['proc_raise'], '(call $proc_raise (i32.const 9))'),
  ),
];

const modules: readonly EscapeAttempt[] = [
  pairInSession(
    'files',
    plan('js-import-climbing', 'javascript', 'a module by a path that climbs out of the given ones'),
    {
      code: 'const { default: x } = await import("../../../../sandbox/headers.json")\nx',
      holds: throwsText(/cannot find module/u),
      allowed: '(await import("./given.js")).default',
      shows: answers(7),
      words: 'the module that was given was found',
      context: { imports: { 'given.js': 'export default 7' } },
    },
  ),
];

/** Counted by the page's own bound: what a run keeps is not seen from outside, what it may not keep is. */
const names: readonly EscapeAttempt[] = [
  pairOfRuns('files', plan('wasi-descriptor-flood', 'wat', 'descriptors of WASI without end'), {
    code: inModule(
      ['path_open'],
      `${path('f')} (loop $next (if (i32.eqz (call $path_open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 1) (i64.const 0xfffffff) (i64.const 0) (i32.const 0) (i32.const 16))) (then (local.set $n (i32.add (local.get $n) (i32.const 1))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $next (i32.lt_u (local.get $i) (i32.const 5000)))) (local.get $n)`,
    ),
    holds: (outcome) => outcome.type === 'returned' && Number(outcome.value) <= 1024,
    allowed: opening('f'),
    shows: errno(0),
    words: 'one was opened',
  }),
  pairOfRuns('files', plan('wasi-name-flood', 'wat', 'empty folders of WASI without end'), {
    code: inModule(
      ['path_create_directory'],
      `(loop $next (i32.store (i32.const 100) (i32.or (i32.const 0x20202020) (local.get $i))) (i32.store (i32.const 104) (i32.add (i32.const 0x41414141) (i32.and (i32.shr_u (local.get $i) (i32.const 4)) (i32.const 0x0f0f0f0f)))) (if (i32.eqz (call $path_create_directory (i32.const 3) (i32.const 100) (i32.const 8))) (then (local.set $n (i32.add (local.get $n) (i32.const 1))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $next (i32.lt_u (local.get $i) (i32.const 20000)))) (local.get $n)`,
    ),
    holds: (outcome) =>
      (outcome.type === 'returned' && Number(outcome.value) <= 65_536) || exceeds('time')(outcome),
    allowed: inModule(
      ['path_create_directory'],
      `${path('d')} (call $path_create_directory (i32.const 3) (i32.const 100) (i32.const 1))`,
    ),
    shows: errno(0),
    words: 'one was made',
  }),
];

/** A context's own paths are the page's to check, whoever wrote them for it. */
const handed = beside(
  'files',
  plan('handed-path', 'python', 'a path that the page hands over, made of what a guest answered'),
  async (trial) => {
    const write = (file: string): Promise<string> =>
      trial.execute('javascript', '1', { files: { [file]: 'x' } }, { timeoutMs: shortMs }).then(
        (outcome) => describeEnd(outcome),
        () => 'refused',
      );
    const paths = ['../x', '/etc/x', 'a/../../x', 'a//x', './x', 'x\0y', '\ud800', ''];
    const ends = await Promise.all(paths.map(write));
    return {
      end: [...new Set(ends)].join(),
      seen: told(
        ends.some((end) => end !== 'refused'),
        `one was taken: ${ends.join()}`,
      ),
      shown: told((await write('a/x')) === 'returned', 'a plain one was taken'),
    };
  },
);

export const fileAttempts: readonly EscapeAttempt[] = [
  ...shared,
  ...python,
  ...wasm,
  ...modules,
  ...names,
  handed,
];
