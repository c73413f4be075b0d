import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EpochChecker } from './check.mjs';
import { Log } from './log.mjs';

const key = ['e', 'exact', '0'];
const free = ['e', 'free', '0'];
const receipt = (/** @type {string} */ op) => ['e', 'receipt', op];
const done = { durability: 'strict', isComplete: true };
const entry = (/** @type {string[]} */ at, /** @type {number} */ revision, /** @type {string} */ op) => ({
  key: at,
  revision,
  op,
  isIntact: true,
});

/** A log that is written by hand. */
class Story {
  log = new Log(() => undefined);

  /** @param {string} op @param {any[]} writes @param {object} [more] */
  begin(op, writes, more = {}) {
    this.log.begin('client', 'e', { type: 'begin', op, kind: 'put', level: 'strict', writes, ...more });
    return this;
  }

  /** @param {string} op @param {number[]} revisions @param {object} [more] */
  acknowledge(op, revisions, more = {}) {
    const writes = this.log.operations.get(op)?.writes ?? [];
    const committed = revisions.map((revision, at) => ({ key: writes[at]?.key, revision }));
    this.log.end('client', { type: 'end', op, isOk: true, committed, transaction: done, ...more });
    return this;
  }

  /** @param {string} op @param {string} code @param {object} [more] */
  refuse(op, code = 'state/conflict', more = {}) {
    this.log.end('client', { type: 'end', op, isOk: false, code, ...more });
    return this;
  }

  /** A write that was acknowledged. @param {string} op @param {string[]} at @param {number} revision */
  put(op, at, revision, more = {}) {
    return this.begin(op, [{ type: 'put', key: at, ...more }]).acknowledge(op, [revision]);
  }

  /** @param {object} state */
  reasons(state, checker = new EpochChecker()) {
    const whole = { entries: [], absent: [], records: [], ...state };
    return [...new Set(checker.check(this.log.of('e'), whole).map(({ reason }) => reason))];
  }
}

describe('keys', () => {
  it('what was acknowledged and is there is fine', () => {
    const story = new Story().put('a', free, 1).put('b', free, 2);
    expect(story.reasons({ entries: [entry(free, 2, 'b')] })).toEqual([]);
  });

  it('an acknowledged write that is not there is lost, wherever it went', () => {
    const story = () => new Story().put('a', free, 1).put('b', free, 2);
    for (const state of [{}, { entries: [entry(free, 1, 'a')] }, { absent: [{ key: free, revision: 2 }] }])
      expect(story().reasons(state)).toContain('acknowledged, then lost');
    // another value under its revision
    expect(story().reasons({ entries: [entry(free, 2, 'a')] })).toContain('acknowledged, then lost');
  });

  it('an acknowledged delete that is undone is lost', () => {
    const story = new Story().put('a', free, 1).begin('d', [{ type: 'delete', key: free }]);
    story.acknowledge('d', [2]);
    expect(story.reasons({ entries: [entry(free, 2, 'a')] })).toContain('acknowledged, then lost');
  });

  it('what nobody heard the end of may be there or not', () => {
    const story = () => new Story().put('a', free, 1).begin('b', [{ type: 'put', key: free }]);
    expect(story().reasons({ entries: [entry(free, 1, 'a')] })).toEqual([]);
    expect(story().reasons({ entries: [entry(free, 2, 'b')] })).toEqual([]);
    expect(story().reasons({ entries: [entry(free, 3, 'b')] })).toEqual(['revision skipped']);
    const unknown = story().refuse('b', 'state/write-failed', { isUnknown: true });
    expect(unknown.reasons({ entries: [entry(free, 2, 'b')] })).toEqual([]);
  });

  it('what was refused must not be there', () => {
    const story = new Story()
      .put('a', free, 1)
      .begin('b', [{ type: 'put', key: free }])
      .refuse('b');
    expect(story.reasons({ entries: [entry(free, 2, 'b')] })).toContain('applied although refused');
  });

  it('two winners of one revision, a comparison that was none, and a revision out of order are seen', () => {
    const two = new Story().put('a', key, 1).put('b', key, 1);
    expect(two.reasons({ entries: [entry(key, 1, 'b')] })).toContain('two winners of one revision');
    const blind = new Story().put('a', free, 1).put('b', free, 2).put('c', free, 3, { expectedRevision: 1 });
    expect(blind.reasons({ entries: [entry(free, 3, 'c')] })).toContain('compared wrongly');
    const created = new Story().put('a', free, 1).put('b', free, 2, { expectedRevision: 0 });
    expect(created.reasons({ entries: [entry(free, 2, 'b')] })).toContain('compared wrongly');
    const late = new Story().put('a', free, 2).put('b', free, 1);
    expect(late.reasons({ entries: [entry(free, 2, 'a')] })).toEqual(['out of order']);
  });

  it('a condition that did not hold is seen', () => {
    const story = new Story().put('a', key, 1).put('b', key, 2);
    story.begin('c', [
      { type: 'check', key, expectedRevision: 1 },
      { type: 'put', key: free },
    ]);
    story.acknowledge('c', [1, 1]);
    expect(story.reasons({ entries: [entry(free, 1, 'c')] })).toContain('compared wrongly');
  });

  it('a value of nobody, and one that is damaged, are seen', () => {
    expect(new Story().reasons({ entries: [entry(free, 1, 'x')] })).toEqual(['from nowhere']);
    const damaged = { ...entry(free, 1, 'a'), isIntact: false };
    expect(new Story().put('a', free, 1).reasons({ entries: [damaged] })).toEqual(['damaged value']);
  });

  it('a revision that goes back between two openings is seen', () => {
    const checker = new EpochChecker();
    const story = new Story()
      .begin('a', [{ type: 'put', key: free }])
      .begin('b', [{ type: 'put', key: free }]);
    expect(story.reasons({ entries: [entry(free, 2, 'b')] }, checker)).toEqual([]);
    expect(story.reasons({ entries: [entry(free, 1, 'a')] }, checker)).toEqual(['revision went back']);
  });
});

describe('commits', () => {
  const compare = (/** @type {string} */ op) => [
    { type: 'put', key, expectedRevision: 0 },
    { type: 'put', key: receipt(op) },
  ];

  it('half of one is seen, whichever half it is', () => {
    const story = () => new Story().begin('a', compare('a'));
    expect(story().reasons({ entries: [entry(key, 1, 'a'), entry(receipt('a'), 1, 'a')] })).toEqual([]);
    expect(story().reasons({})).toEqual([]);
    expect(story().reasons({ entries: [entry(key, 1, 'a')] })).toContain('torn commit');
    expect(story().reasons({ entries: [entry(receipt('a'), 1, 'a')] })).toContain('torn commit');
  });

  it('keys of a group that part are seen, in the store and by readers', () => {
    const group = ['a', 'b', 'c'].map((member) => ['e', 'group', '0', member]);
    const writes = group.map((each) => ({ type: 'put', key: each }));
    const story = new Story().begin('x', writes).acknowledge('x', [1, 1, 1]).begin('y', writes);
    const torn = [entry(group[0], 2, 'y'), entry(group[1], 1, 'x'), entry(group[2], 1, 'x')];
    story.begin('r', [], { kind: 'list', key: ['e', 'group', '0'], level: undefined });
    story.log.end('client', { type: 'end', op: 'r', isOk: true, entries: torn });
    expect(story.reasons({ entries: torn })).toEqual(['torn commit', 'torn read']);
  });

  it('what was out when all were dead must stay out', () => {
    const checker = new EpochChecker();
    const story = new Story().begin('a', compare('a'));
    expect(story.reasons({}, checker)).toEqual([]);
    const late = { entries: [entry(key, 1, 'a'), entry(receipt('a'), 1, 'a')] };
    expect(story.reasons(late, checker)).toContain('applied although refused');
  });

  it('appended numbers have no gap, no twin and an author', () => {
    const at = (/** @type {number} */ number) => ['e', 'log', '0', String(number).padStart(15, '0')];
    const writes = [{ type: 'append', key: ['e', 'log', '0'] }];
    const story = () => new Story().begin('a', writes).begin('b', writes);
    expect(story().reasons({ entries: [entry(at(1), 1, 'b'), entry(at(2), 1, 'a')] })).toEqual([]);
    expect(story().reasons({ entries: [entry(at(1), 1, 'b'), entry(at(3), 1, 'a')] })).toEqual([
      'number skipped',
    ]);
    expect(story().reasons({ entries: [entry(at(1), 1, 'b'), entry(at(2), 1, 'b')] })).toEqual([
      'applied twice',
    ]);
    expect(story().reasons({ entries: [entry(at(1), 1, 'z')] })).toEqual(['from nowhere']);
    const lost = story();
    lost.log.end('client', {
      type: 'end',
      op: 'a',
      isOk: true,
      committed: [{ key: at(1), revision: 1 }],
      transaction: done,
    });
    expect(lost.reasons({})).toEqual(['acknowledged, then lost']);
  });
});

describe('leases', () => {
  it('a holder that writes after the next one did is seen', () => {
    const at = (/** @type {number} */ number) => ['e', 'led', String(number).padStart(15, '0')];
    const writes = [{ type: 'append', key: ['e', 'led'] }];
    const story = () => new Story().begin('a', writes, { token: 1 }).begin('b', writes, { token: 2 });
    expect(story().reasons({ entries: [entry(at(1), 1, 'a'), entry(at(2), 1, 'b')] })).toEqual([]);
    expect(story().reasons({ entries: [entry(at(1), 1, 'b'), entry(at(2), 1, 'a')] })).toEqual([
      'an older token after a newer',
    ]);
  });
});

describe('acknowledgements', () => {
  it('before complete, although aborted, and weaker than asked, are seen', () => {
    const never = new Story().begin('a', [{ type: 'put', key: receipt('a') }]);
    never.acknowledge('a', [1], { transaction: undefined });
    expect(never.reasons({})).toContain('acknowledged before it was written');
    const early = new Story().begin('a', [{ type: 'put', key: free }]);
    early.acknowledge('a', [1], { transaction: { durability: 'strict', isComplete: false } });
    expect(early.reasons({ entries: [entry(free, 1, 'a')] })).toEqual(['acknowledged before complete']);
    const aborted = new Story().begin('a', [{ type: 'put', key: free }]);
    aborted.acknowledge('a', [1], { transaction: { ...done, isComplete: false, isAborted: true } });
    expect(aborted.reasons({})).toContain('acknowledged although aborted');
    const weak = new Story().begin('a', [{ type: 'put', key: free }]);
    weak.acknowledge('a', [1], { transaction: { durability: 'relaxed', isComplete: true } });
    expect(weak.reasons({ entries: [entry(free, 1, 'a')] })).toEqual(['weaker than asked']);
  });

  it('an error without a type is seen', () => {
    const story = new Story().begin('a', [{ type: 'put', key: free }]).refuse('a', 'untyped: AbortError');
    expect(story.reasons({})).toEqual(['untyped error']);
  });
});

describe('reads', () => {
  /** @param {Story} story @param {any[]} entries */
  const read = (story, entries) => {
    story.begin('r', [], { kind: 'get', key: free, level: undefined });
    story.log.end('client', { type: 'end', op: 'r', isOk: true, entries });
    return story.reasons({ entries: [entry(free, 2, 'b')] });
  };

  it('older than what had been acknowledged are seen', () => {
    const story = () => new Story().put('a', free, 1).put('b', free, 2);
    expect(read(story(), [entry(free, 2, 'b')])).toEqual([]);
    expect(read(story(), [entry(free, 1, 'a')])).toEqual(['stale read']);
    expect(read(story(), [])).toEqual(['stale read']);
  });
});

describe('records', () => {
  const saved = () =>
    new Story().begin('a', [], { kind: 'record', id: 'i' }).acknowledge('a', [], { version: 1 });
  const found = (/** @type {object} */ more) => ({
    records: [{ id: 'i', version: 1, op: 'a', isIntact: true, ...more }],
  });

  it('are whole, and those that were acknowledged are there', () => {
    expect(saved().reasons(found({}))).toEqual([]);
    expect(saved().reasons({})).toEqual(['acknowledged, then lost']);
    expect(saved().reasons(found({ op: null, isIntact: false, code: 'state/checksum-failed' }))).toContain(
      'damaged record',
    );
    expect(saved().reasons(found({ version: 2 }))).toContain('number skipped');
  });
});

/** What a right store would have done: every commit at one moment between its begin and its end, or never. */
const commitArbitrary = fc.record({
  isDelete: fc.boolean(),
  compares: fc.boolean(),
  fate: fc.constantFrom('acknowledged', 'acknowledged', 'applied', 'not applied'),
});

/** @param {readonly { isDelete: boolean, compares: boolean, fate: string }[]} commits */
function play(commits) {
  const story = new Story();
  let [revision, op] = [0, /** @type {string | undefined} */ (undefined)];
  const receipts = [];
  for (const [at, { isDelete, compares, fate }] of commits.entries()) {
    const name = `op${at}`;
    const type = isDelete && op !== undefined ? 'delete' : 'put';
    const expected = op === undefined ? 0 : revision;
    const write = { type, key, ...(compares || type === 'delete' ? { expectedRevision: expected } : {}) };
    story.begin(name, [write, { type: 'put', key: receipt(name) }]);
    if (fate === 'not applied') continue;
    [revision, op] = [revision + 1, type === 'put' ? name : undefined];
    receipts.push(entry(receipt(name), 1, name));
    if (fate === 'acknowledged') story.acknowledge(name, [revision, 1]);
  }
  return { story, revision, op, receipts };
}

describe('any history', () => {
  it('of a right store is found right, and with its last acknowledged commit undone it is not', () => {
    fc.assert(
      fc.property(fc.array(commitArbitrary, { minLength: 1, maxLength: 20 }), (commits) => {
        const { story, revision, op, receipts } = play(commits);
        const entries = op === undefined ? receipts : [...receipts, entry(key, revision, op)];
        const absent = op === undefined ? [{ key, revision }] : [];
        expect(story.reasons({ entries, absent })).toEqual([]);
        const last = receipts.findLast((each) => story.log.operations.get(each.op)?.isOk);
        if (!last) return;
        const without = entries.filter((each) => each !== last);
        expect(play(commits).story.reasons({ entries: without, absent })).toContain(
          'acknowledged, then lost',
        );
      }),
    );
  });
});
