// One client: random operations on the store, several at once, until it is told to stop or dies.
import { acquireWriterLease, createGroupCommitter, saveRecord } from '../../../src/state/index.ts';
import { replaceIn } from './broken/replace.mjs';
import {
  chooseExactKey,
  chooseFreeKey,
  chooseGroup,
  chooseKind,
  chooseRecord,
  makeCompare,
  makeWrites,
} from './operations.mjs';
import { makeValue } from './values.mjs';

const maxCancelMs = 4;
/** How long the lease is waited for before it is taken by force, how often its holder writes, and how long it pauses in between. */
const leaseWaitMs = 60;
const writesPerLease = 3;
const maxPauseMs = 60;
/** Of holders that take the lease without a lock and never hear that it is over: the store alone can stop them. */
const deafShare = 0.6;

const sleep = (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs));

/** A store that is told nothing, as in a tab that is frozen: whoever holds a lease through it cannot hear that it is over. */
function deafen(store) {
  const capabilities = { ...store.capabilities, watch: false };
  return replaceIn(store, { capabilities });
}

/** What the log is told of an error. @param {any} error */
const refusalOf = (error) => ({
  isOk: false,
  code: typeof error?.code === 'string' && error.code.includes('/') ? error.code : `untyped: ${error}`,
  isUnknown: error?.fields?.outcome === 'unknown',
});

const seenOf = ({ key, revision, value }) => ({ key, revision, op: value?.op ?? null });

export class Client {
  #name;
  #epoch;
  #random;
  #store;
  #committer;
  #line;
  #engine;
  #count = 0;
  #isStopping = false;

  constructor({ name, epoch, random, store, line, engine }) {
    this.#name = name;
    this.#epoch = epoch;
    this.#random = random;
    this.#store = store;
    this.#line = line;
    this.#engine = engine;
    this.#committer = createGroupCommitter(store);
  }

  /** Works until it is stopped. @param {number} atOnce operations under way */
  async work(atOnce) {
    const workers = Array.from({ length: atOnce }, async () => {
      while (!this.#isStopping) await this.#step();
    });
    await Promise.all([...workers, this.#lead()]);
  }

  /** Takes the epoch's lease, by force if need be, and writes under it. */
  async #lead() {
    while (!this.#isStopping) {
      await sleep(this.#random.next() * maxPauseMs);
      const isDeaf = this.#random.isHit(deafShare);
      // the engine is made to fail now and then: then it is another's turn
      const lease = await acquireWriterLease(
        isDeaf ? deafen(this.#store) : this.#store,
        this.#epoch,
        isDeaf ? { locks: null } : { waitTimeoutMs: leaseWaitMs, whenBusy: 'steal' },
      ).catch(() => undefined);
      for (let at = 0; lease && at < writesPerLease && !lease.signal.aborted; at++)
        await this.#writeLed(lease);
      await lease?.release();
    }
  }

  async #writeLed(lease) {
    const context = this.#nextContext();
    const { op, random } = context;
    const level = random.isHit(0.5) ? 'strict' : 'relaxed';
    const writes = makeWrites('led', context);
    const filled = this.#fill(writes, context);
    await this.#line.begin(op, { kind: 'led', level, token: lease.token, writes });
    await sleep(random.next() * maxPauseMs);
    await this.#settle(op, () => lease.commit(filled, { durability: level }));
  }

  stop() {
    this.#isStopping = true;
  }

  #nextContext() {
    const op = `${this.#name}.${this.#count++}`;
    return { epoch: this.#epoch, op, random: this.#random };
  }

  #step() {
    const kind = chooseKind(this.#random);
    switch (kind) {
      case 'get':
        return this.#read('get', chooseFreeKey(this.#epoch, this.#random));
      case 'list-group':
        return this.#read('list', chooseGroup(this.#epoch, this.#random));
      case 'compare':
        return this.#compare();
      case 'several':
        return this.#several();
      case 'record':
        return this.#save();
      default:
        return this.#write(kind);
    }
  }

  /** @param {'get' | 'list'} kind @param {string[]} key */
  async #read(kind, key) {
    const { op } = this.#nextContext();
    await this.#line.begin(op, { kind, key });
    try {
      const found = kind === 'get' ? [await this.#store.get(key)] : await this.#store.list(key);
      const entries = found.filter((entry) => entry !== undefined).map(seenOf);
      this.#line.end(op, { isOk: true, entries });
      return entries;
    } catch (error) {
      this.#line.end(op, refusalOf(error));
      return undefined;
    }
  }

  async #compare() {
    const key = chooseExactKey(this.#epoch, this.#random);
    const entries = await this.#read('get', key);
    if (!entries) return;
    const context = this.#nextContext();
    await this.#commit('compare', context, makeCompare(context, key, entries[0]?.revision ?? 0));
  }

  /** @param {string} kind */
  async #write(kind) {
    const context = this.#nextContext();
    const isCancelled = kind === 'cancelled';
    const writes = makeWrites(isCancelled ? 'group' : kind, context);
    const aborter = new AbortController();
    if (isCancelled) void sleep(this.#random.next() * maxCancelMs).then(() => aborter.abort());
    await this.#commit(kind, context, writes, isCancelled ? aborter.signal : undefined);
  }

  /** Writes with their values, which name the operation. */
  #fill(writes, { op, random }) {
    return writes.map((write) =>
      write.type === 'delete' || write.type === 'check' ? write : { ...write, value: makeValue(op, random) },
    );
  }

  async #commit(kind, context, writes, signal) {
    const { op, random } = context;
    const level = random.isHit(0.5) ? 'strict' : 'relaxed';
    const filled = this.#fill(writes, context);
    const isGrouped = random.isHit(0.3);
    await this.#line.begin(op, { kind, level, isGrouped, writes });
    const options = signal ? { signal } : {};
    await this.#settle(op, () =>
      isGrouped
        ? this.#committer.commit(filled, level, options)
        : this.#store.commit(filled, { durability: level, ...options }),
    );
  }

  /** @param {string} op @param {() => Promise<readonly any[]>} work */
  async #settle(op, work) {
    try {
      this.#acknowledge(op, await work());
    } catch (error) {
      this.#line.end(op, refusalOf(error));
    }
  }

  #acknowledge(op, committed) {
    const done = committed.map(({ key, revision }) => ({ key, revision }));
    this.#line.end(op, { isOk: true, committed: done, transaction: this.#engine.take(op) });
  }

  /** Groups of one transaction, each all or nothing for itself. */
  async #several() {
    const level = this.#random.isHit(0.5) ? 'strict' : 'relaxed';
    const key = chooseExactKey(this.#epoch, this.#random);
    const entries = await this.#read('get', key);
    if (!entries) return;
    const contexts = [this.#nextContext(), this.#nextContext(), this.#nextContext()];
    const groups = contexts.map((context, at) =>
      at < 2 ? makeCompare(context, key, entries[0]?.revision ?? 0) : makeWrites('group', context),
    );
    await Promise.all(
      contexts.map(({ op }, at) => this.#line.begin(op, { kind: 'several', level, writes: groups[at] })),
    );
    const filled = groups.map((writes, at) => this.#fill(writes, contexts[at]));
    try {
      const outcomes = await this.#store.commitEach(filled, { durability: level });
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.ok) this.#acknowledge(contexts[at].op, outcome.value);
        else this.#line.end(contexts[at].op, refusalOf(outcome.error));
      }
    } catch (error) {
      for (const { op } of contexts) this.#line.end(op, refusalOf(error));
    }
  }

  async #save() {
    const { op, random } = this.#nextContext();
    const id = chooseRecord(this.#epoch, random);
    const level = random.isHit(0.5) ? 'strict' : 'relaxed';
    await this.#line.begin(op, { kind: 'record', level, id });
    try {
      const { sequence } = await saveRecord(this.#store, id, makeValue(op, random), {
        durability: level,
        metadata: { op },
      });
      this.#line.end(op, { isOk: true, version: sequence, transaction: this.#engine.take(op) });
    } catch (error) {
      this.#line.end(op, refusalOf(error));
    }
  }
}
