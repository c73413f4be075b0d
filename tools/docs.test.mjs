// What the documents say is true of the tree: their examples type-check, their links resolve, their lists are complete.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  brokenLinks,
  codesIn,
  documents,
  filesUnder,
  isSource,
  missingTest,
  namesFor,
  readErrorRows,
  readExamples,
  readText,
  root,
  scriptsIn,
  testsNamedIn,
  titlesIn,
} from './docs.mjs';
import { defaultRetryLimits } from '../src/lm/retry.ts';
import { defaultHttpLimits } from '../src/lm/transport.ts';
import { optimizeLimits } from '../src/optimize/limits.ts';
import { programLimits } from '../src/program/limits.ts';

/** @typedef {import('./docs.mjs').Example} Example */

const guides = ['README.md', ...filesUnder('docs', (name) => name.endsWith('.md'))];
const examples = guides.flatMap((document) => readExamples(document, readText(document)));
const entries = ['worker', 'testing', 'vite', 'state', 'executor', 'actor', 'pglite'];
const folder = join(root, '.cache/docs', String(process.pid));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where an example is put to be checked. @param {Example} example @param {number} at */
const fileOf = ({ document, name }, at) =>
  join(folder, basename(document, '.md'), name ?? `example-${at}.ts`);

/**
 * Type-checks examples as a user's project would, with this package's source in the place of the package.
 * @param {readonly Example[]} list
 * @returns {Promise<string[]>} what the compiler says of the examples, with document and line
 */
async function check(list) {
  rmSync(folder, { recursive: true, force: true });
  for (const [at, example] of list.entries()) {
    mkdirSync(join(fileOf(example, at), '..'), { recursive: true });
    // one line, so that lines of the example keep their distance
    writeFileSync(fileOf(example, at), `${example.given.replaceAll('\n', ' ')}\n${example.code}`);
  }
  const paths = Object.fromEntries([
    ['vivarium', [join(root, 'src/index.ts')]],
    ...entries.map((entry) => [`vivarium/${entry}`, [join(root, `src/${entry}.ts`)]]),
  ]);
  const config = {
    extends: join(root, 'tsconfig.json'),
    // a guide says once that `override` is written where a project asks for it
    compilerOptions: { paths, noImplicitOverride: false },
    include: ['**/*.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  /** @type {string} */
  const said = await new Promise((answer) => {
    execFile(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder }, (_error, stdout) =>
      answer(stdout),
    );
  });
  const lines = said.split('\n').filter((line) => line !== '' && !line.startsWith(' '));
  // the compiler could not begin: then silence on the examples means nothing
  if (lines.some((line) => line.startsWith('error '))) throw new Error(said);
  return lines.flatMap((line) => {
    const [, file = '', row = '', message = ''] = /^(.+?)\((\d+),\d+\): error (.+)$/.exec(line) ?? [];
    const at = list.findIndex((example, index) => fileOf(example, index) === join(folder, file));
    const example = list[at];
    return example ? [`${example.document}:${example.line + Number(row) - 1}: ${message}`] : [];
  });
}

/**
 * The README's sentence about the class of its first example, as a program: the class stays as it is, its worker is left out.
 * @returns {Example}
 */
function inProcessExample() {
  const document = 'README.md';
  const text = readText(document);
  const [, code = ''] = /`(await new Answer\(\)[^`\n]+)`/.exec(text) ?? [];
  const shown = examples.find(({ name }) => name === 'modules.worker.ts')?.code ?? '';
  const program = shown.split('\n').filter((line) => !/^\/\/|serve/.test(line));
  const given = `import { scriptedLm } from 'vivarium'; ${program.join('\n')}
const seen: string[] = [];
const lm = scriptedLm({ script: ({ messages }) => {
  seen.push(JSON.stringify(messages.at(-1)));
  return '[[ ## reasoning ## ]]\\nIt is glass.\\n\\n[[ ## answer ## ]]\\nA place for life.\\n\\n[[ ## completed ## ]]';
} });
const question = 'What is a vivarium?';
export { seen };`;
  const line = text.slice(0, text.indexOf(code)).split('\n').length;
  return { document, line, name: 'in-process.ts', given, code: `export const outcome = ${code};\n` };
}

describe('examples', () => {
  it('are found, and those of the README are two files', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
    const names = examples.flatMap(({ document, name }) => (document === 'README.md' ? [name] : []));
    expect(names).toEqual(['modules.worker.ts', 'page.ts']);
  });

  it('type-check against the source', async () => {
    expect(await check([...examples, inProcessExample()])).toEqual([]);
  }, 60_000);

  it('README: the same class answers without a runtime, in the words of the README', async () => {
    const { given, code } = inProcessExample();
    const entry = JSON.stringify(join(root, 'src/index.ts'));
    const file = join(`${folder}-run`, 'in-process.ts');
    mkdirSync(join(file, '..'), { recursive: true });
    try {
      writeFileSync(file, `${given}\n${code}`.replaceAll("'vivarium'", entry));
      const { outcome, seen } = await import(/* @vite-ignore */ file);
      expect(outcome).toEqual({ answer: 'A place for life.' });
      expect(seen).toEqual([
        expect.stringMatching(/What is a vivarium\?.*\[\[ ## max_words ## \]\]\\n40\\n/),
      ]);
    } finally {
      rmSync(join(file, '..'), { recursive: true });
    }
  }, 60_000);

  it('the check sees a wrong option, in its document and line', async () => {
    const text =
      "# T\n\n```ts\nimport { createRuntime } from 'vivarium';\ncreateRuntime({ wrker: 1 });\n```\n";
    const [said, ...more] = await check(readExamples('T.md', text));
    expect(said).toMatch(/^T\.md:5: TS\d+: .*'wrker'/);
    expect(more).toEqual([]);
  }, 60_000);

  it.each(['modules.worker.ts', 'page.ts'])('README: %s is the file that the browser test runs', (name) => {
    const shown = examples.find((example) => example.document === 'README.md' && example.name === name);
    expect(shown?.code).toBe(readText(`examples/readme/${name}`));
    expect(readText('src/readme.browser.test.ts')).toContain('../examples/readme/page.ts');
  });
});

describe('links', () => {
  it.each(documents())('of %s resolve', (document) => {
    expect(brokenLinks(document, readText(document))).toEqual([]);
  });

  it('that lead nowhere are seen', () => {
    const text =
      '# T\n\n## Two words\n\n[z](#two-words) # One\n\n[a](README.md) [b](missing.md) [c](#t) [d](#two) [e](docs/errors.md#lm) [f](docs/errors.md#nothing) [g](../x.md) [h](https://example.org/x) `[i](code.md)`\n';
    expect(brokenLinks('T.md', text)).toEqual(['missing.md', '#two', 'docs/errors.md#nothing', '../x.md']);
  });
});

/** Codes made of parts; the parts are the type of a parameter beside the template. */
const madeOfParts = new Map([
  [
    'executor/${code}-invalid',
    ['variable', 'file', 'import', 'option'].map((what) => `executor/${what}-invalid`),
  ],
  [
    'program/${what}-not-found',
    ['parameter', 'predictor', 'sub-module'].map((what) => `program/${what}-not-found`),
  ],
]);

describe('error codes', () => {
  const rows = readErrorRows(readText('docs/errors.md'));
  /** @type {Map<string, string>} */
  const thrown = new Map();
  /** @type {Set<string>} */
  const templates = new Set();
  beforeAll(() => {
    for (const file of filesUnder('src', isSource)) {
      const found = codesIn(readText(file));
      for (const code of found.codes) thrown.set(code, file);
      for (const template of found.templates) {
        templates.add(template);
        for (const code of madeOfParts.get(template) ?? []) thrown.set(code, file);
      }
    }
  });

  it('made of parts are known', () => {
    expect([...templates].toSorted()).toEqual([...madeOfParts.keys()].toSorted());
  });

  it('of the source are all in docs/errors.md', () => {
    expect(thrown.size).toBeGreaterThan(100);
    const listed = new Set(rows.map(({ code }) => code));
    expect([...thrown].filter(([code]) => !listed.has(code))).toEqual([]);
  });

  it('of docs/errors.md are all in the source, once, in order, under their layer', () => {
    expect(rows.filter(({ code }) => !thrown.has(code)).map(({ code }) => code)).toEqual([]);
    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
    for (const { code, layer } of rows) expect(code.split('/')[0]).toBe(layer);
    for (const layer of new Set(rows.map((row) => row.layer))) {
      const codes = rows.filter((row) => row.layer === layer).map(({ code }) => code);
      expect(codes).toEqual(codes.toSorted());
    }
  });

  it('named in any guide exist', () => {
    const named = guides.flatMap((document) =>
      codesIn(readText(document).replaceAll('`', "'")).codes.map((code) => [document, code]),
    );
    const layersOfRows = new Set(rows.map(({ layer }) => layer));
    const unknown = named.filter(([, code = '']) => {
      const isFile = existsSync(join(root, 'src', code));
      return !thrown.has(code) && !isFile && layersOfRows.has(code.split('/')[0] ?? '');
    });
    expect(unknown.filter(([, code]) => code !== 'layer/what')).toEqual([]);
  });

  it('are read from sources, not from comments, imports or tests', () => {
    const source =
      "import x from '../lm/index.ts';\n/** 'lm/in-comment' */\n// 'lm/in-line'\nconst a = 'lm/real', b = 'app/csv-';\nnew CodedError(`state/${what}-bad`, 'm');";
    expect(codesIn(source)).toEqual({ codes: ['lm/real'], templates: ['state/${what}-bad'] });
    expect(
      [
        'src/lm/test-endpoint.ts',
        'src/lm/retry.ts',
        'src/lm/retry.test.ts',
        'src/actor/actor-test.worker.ts',
        'src/actor/actor-test-kinds.ts',
      ].filter(isSource),
    ).toEqual(['src/lm/test-endpoint.ts', 'src/lm/retry.ts']);
  });
});

describe('commands', () => {
  const { scripts } = JSON.parse(readText('package.json'));

  it.each(documents())('that %s names exist', (document) => {
    expect(scriptsIn(readText(document)).filter((script) => !Object.hasOwn(scripts, script))).toEqual([]);
  });

  it('are read from prose and from lists', () => {
    const text =
      '`npm install && npm start`\n| `npm run unit`, `browser`, `e2e` | x |\nnpm run lint -- src `--json`';
    expect(scriptsIn(text)).toEqual(['start', 'unit', 'lint', 'browser', 'e2e']);
  });

  it('bench areas and proofs of the README are those that exist', () => {
    const readme = readText('README.md');
    // parts of one lie deeper
    const areas = filesUnder('src', (name) => name.endsWith('.bench.ts')).filter(
      (file) => file.split('/').length === 3,
    );
    const proofs = filesUnder('tools/prove', (name) => /^[a-z]+\.mjs$/.test(name)).filter(
      (file) => file.split('/').length === 3,
    );
    const areaNames = areas.map((file) => basename(file, '.bench.ts'));
    const proofNames = proofs.map((file) => basename(file, '.mjs'));
    expect(new Set(namesFor(readme, 'bench'))).toEqual(new Set([...areaNames, 'size']));
    expect(new Set(namesFor(readme, 'prove'))).toEqual(new Set(proofNames));
  });
});

describe('limits', () => {
  it('of language models are those of the source, all of them, with their defaults', () => {
    const rows = [
      ...readText('docs/language-models.md').matchAll(/^\| ((?:`\w+`(?:, )?)+) \| ([\d,; ]+) \|/gm),
    ];
    const listed = rows.flatMap(([, names = '', values = '']) => {
      const defaults = values.split(', ').map((value) => Number(value.replaceAll(',', '')));
      return names.split(', ').map((name, at) => [name.replaceAll('`', ''), defaults[at]]);
    });
    const source = readText('src/lm/provider/openai-compatible.ts');
    const timeoutMs = Number(/LmLimits = \{.*timeoutMs: ([\d_]+) \}/.exec(source)?.[1]?.replaceAll('_', ''));
    expect(Object.fromEntries(listed)).toEqual({ ...defaultHttpLimits, ...defaultRetryLimits, timeoutMs });
  });

  it('of programs are those of the source', () => {
    const text = readText('docs/programs.md');
    const kept = [
      `nesting of calls ${programLimits.callDepth}`,
      `trace ${programLimits.traceEntries.toLocaleString('en')} entries`,
      `parameter value ${programLimits.valueBytes / 2 ** 20} MiB and ${programLimits.valueDepth} levels`,
      `its history ${programLimits.historyEntries} entries and ${programLimits.historyBytes / 2 ** 20} MiB`,
      `modules in modules ${programLimits.moduleDepth}`,
      `\`describe\` ${programLimits.discoveryDepth} levels`,
      `containers searched through ${programLimits.containerScan.toLocaleString('en')} values`,
      `saved files ${programLimits.stateCharacters / 2 ** 20} Mi characters`,
      `notes ${programLimits.noteCharacters.toLocaleString('en')} characters`,
      `${programLimits.usageModels} models in a usage record`,
      `${programLimits.concurrency} parts or examples at once and at most ${programLimits.maxConcurrency.toLocaleString('en')}`,
      `lists of ${programLimits.composedItems.toLocaleString('en')} items`,
      `language-model calls ${programLimits.lmHistoryEntries.toLocaleString('en')} entries and ${programLimits.lmHistoryBytes / 2 ** 20} MiB`,
    ];
    // four of these lines have two limits each
    expect(kept.length).toBe(Object.keys(programLimits).length - 4);
    const optimizers = [
      `training sets of ${optimizeLimits.trainsetEntries.toLocaleString('en')} examples`,
      `${optimizeLimits.sliceMs} ms without a pause`,
      `${optimizeLimits.progressIntervalMs} ms between reports`,
    ];
    expect(optimizers.length).toBe(Object.keys(optimizeLimits).length);
    expect(optimizers.filter((words) => !text.includes(words))).toEqual([]);
    expect(kept.filter((words) => !text.includes(words))).toEqual([]);
  });
});

describe('the executor', () => {
  const text = readText('docs/executor.md');
  const isNamed = (/** @type {string} */ name) => new RegExp(`\\b${name}\\b`).test(text);

  it('has every function and value of its entry in docs/executor.md', async () => {
    const names = Object.keys(await import('../src/executor.ts'));
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !isNamed(name))).toEqual([]);
  });

  it('has there every field of an outcome, and of what a call takes and answers, or says at its place what it is', () => {
    const interpreter = 'src/executor/language/python/interpreter/python-interpreter.ts';
    const files = ['executor', 'outcome', 'create-executor', 'limits', 'package', 'tool'];
    /** @type {(path: string) => string[]} */
    const bareFields = (path) =>
      [...readText(path).matchAll(/(\*\/)?\n {2,6}readonly (\w+)\??:/g)].flatMap(([, end, name = '']) =>
        end === undefined ? [name] : [],
      );
    expect(bareFields('src/executor/outcome.ts')).toContain('limit');
    const bare = [...files.map((file) => `src/executor/${file}.ts`), interpreter].flatMap(bareFields);
    expect(bare.filter((name) => !isNamed(name))).toEqual([]);
    expect(
      ['unsavedFiles', ...bareFields('src/executor/outcome.ts')].filter((name) => !isNamed(name)),
    ).toEqual([]);
  });
});

describe('supervision', () => {
  it('has every function and value of its entry in docs/supervision.md', async () => {
    const text = readText('docs/supervision.md');
    const names = Object.keys(await import('../src/actor.ts'));
    expect(names).toContain('Supervisor');
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([]);
  });

  it('has no example that reaches past the package', () => {
    const hidden = examples.filter(({ given, code }) => /src\/\w+\/index\.ts/.test(`${given}${code}`));
    expect(hidden.map(({ document, line }) => `${document}:${line}`)).toEqual([]);
  });
});

describe('security', () => {
  it('each promise names a test that exists', () => {
    const text = readText('docs/security.md');
    const [, promises = ''] = /## What is promised\n([\s\S]*?)\n## /.exec(text) ?? [];
    const rows = promises.split('\n').filter((line) => /^\| (?!---|promise )/.test(line));
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((row) => testsNamedIn(row).length === 0)).toEqual([]);
    expect(testsNamedIn(text).flatMap(missingTest)).toEqual([]);
  });
});

describe('guarantees', () => {
  const text = readText('docs/guarantees.md');

  it('each name a test that exists, or say that they have none', () => {
    expect(testsNamedIn(text).flatMap(missingTest)).toEqual([]);
    const rows = text.split('\n').filter((line) => /^\| (?!---|when |killed |what )/.test(line));
    expect(rows.length).toBeGreaterThan(10);
    const bare = rows.filter((row) => testsNamedIn(row).length === 0 && !/\bnot proven\b/.test(row));
    expect(bare).toEqual([]);
  });

  it('a test that is not there is seen', () => {
    const named = testsNamedIn(
      'x `src/port/peer.test.ts` › "a call ends at its limit" and `src/port/peer.test.ts` › "no such words", `src/none.test.ts` › "x"',
    );
    expect(named.map(missingTest)).toEqual([
      [],
      ['src/port/peer.test.ts has no test "no such words"'],
      ['src/none.test.ts does not exist'],
    ]);
  });

  it('titles are read in all their forms', () => {
    const source = `test('one', () => 1);\nit.only("two", x);\ntest.each([\n  [1],\n])('three %s', x);\nit.each(rows)('four', x);\ntest(\`five \${how}: rest\`, x);\nfor (const way of ways) test('it\\'s six', x);`;
    expect(titlesIn(source).toSorted()).toEqual(
      ['one', 'two', 'three %s', 'four', 'five ${how}: rest', "it's six"].toSorted(),
    );
  });
});
