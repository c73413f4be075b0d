/** Ways to get supervision wrong: each replaces a piece of the judgement's own source. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'the window excludes its edge',
    file: 'restart.ts',
    find: 'seconds >= since',
    replace: 'seconds > since',
  },
  {
    name: 'the window is a second too long',
    file: 'restart.ts',
    find: 'nowSeconds - limits.maxSeconds',
    replace: 'nowSeconds - limits.maxSeconds - 1',
  },
  {
    name: 'one restart too few is allowed',
    file: 'restart.ts',
    find: 'kept.length <= limits.maxRestarts',
    replace: 'kept.length < limits.maxRestarts',
  },
  {
    name: 'one restart too many is allowed',
    file: 'restart.ts',
    find: 'kept.length <= limits.maxRestarts',
    replace: 'kept.length <= limits.maxRestarts + 1',
  },
  {
    name: 'old restarts are never forgotten',
    file: 'restart.ts',
    find: '.filter((seconds) => seconds >= since)',
    replace: '',
  },
  {
    name: 'failed attempts are not counted',
    file: 'supervision-failure.ts',
    find: 'draft.set({ history });',
    replace: 'if (isExit) draft.set({ history });',
  },
  {
    name: 'failed attempts cannot make it give up',
    file: 'supervision-failure.ts',
    find: 'if (!isAllowed) return',
    replace: 'if (!isAllowed && isExit) return',
  },
  {
    name: 'one entry for each child of one failure',
    file: 'supervision-failure.ts',
    find: 'draft.set({ history });',
    replace: 'draft.set({ history: [...ids.slice(1).map(() => draft.nowSeconds), ...history] });',
  },
  {
    name: 'a permanent child is not restarted after a normal end',
    file: 'restart.ts',
    find: "if (type === 'permanent') return true;",
    replace: "if (type === 'permanent') return !isNormalExit;",
  },
  {
    name: 'a transient child is restarted after a normal end',
    file: 'restart.ts',
    find: "type === 'transient' && !isNormalExit",
    replace: "type === 'transient'",
  },
  {
    name: 'a temporary child is restarted',
    file: 'restart.ts',
    find: "return type === 'transient' && !isNormalExit",
    replace: 'return !isNormalExit',
  },
  {
    name: 'a temporary child that ended is kept',
    file: 'supervision-failure.ts',
    find: "if (child.restart === 'temporary') draft.forget(id);\n    else draft.setStatus",
    replace: 'draft.setStatus',
  },
  {
    name: 'siblings stop in the order of their start',
    file: 'supervision-strategy.ts',
    find: 'toStop: taken.map((child) => child.id).toReversed()',
    replace: 'toStop: taken.map((child) => child.id)',
  },
  {
    name: 'siblings start in reverse',
    file: 'supervision-strategy.ts',
    find: 'toStart: taken.map((child) => child.id)',
    replace: 'toStart: taken.map((child) => child.id).toReversed()',
  },
  {
    name: 'a temporary sibling is started again',
    file: 'supervision-job.ts',
    find: "(child.restart === 'temporary' || job.isRemoval)",
    replace: "((child.restart === 'temporary' && job.type === 'terminate') || job.isRemoval)",
  },
  {
    name: 'rest-for-one takes earlier siblings too',
    file: 'supervision-strategy.ts',
    find: 'children.slice(first)',
    replace: 'children.slice(Math.max(0, first - 1))',
  },
  {
    name: 'rest-for-one leaves the later siblings alone',
    file: 'supervision-strategy.ts',
    find: 'children.slice(first)',
    replace: 'children.slice(first, first + 1)',
  },
  {
    name: 'rest-for-one begins at the last of those that failed together',
    file: 'supervision-strategy.ts',
    find: 'children.findIndex(',
    replace: 'children.findLastIndex(',
  },
  {
    name: 'one-for-all forgets to stop the others',
    file: 'supervision-strategy.ts',
    find: 'toStop: taken.map((child) => child.id).toReversed()',
    replace: "toStop: strategy === 'one-for-all' ? [] : taken.map((child) => child.id).toReversed()",
  },
  {
    name: 'one-for-all behaves as rest-for-one',
    file: 'supervision-strategy.ts',
    find: "strategy === 'one-for-all' ? children : children.slice(first)",
    replace: 'children.slice(first)',
  },
  {
    name: 'one-for-one behaves as one-for-all',
    file: 'supervision-strategy.ts',
    find: "if (strategy === 'one-for-one') return { toStop: [], toStart: failed };",
    replace: '',
  },
  {
    name: 'a sibling that had finished is not started with its group',
    file: 'supervision-strategy.ts',
    find: 'toStart: taken.map(',
    replace:
      "toStart: taken.filter(({ id, restart }) => restart === 'permanent' || failed.includes(id)).map(",
  },
  {
    name: 'a failed start is not tried again',
    file: 'supervision-job.ts',
    find: "if (!isAwaited) draft.order({ type: 'retry', cause });",
    replace: '',
  },
  {
    name: 'after a failed start the later siblings are started nevertheless',
    file: 'supervision-job.ts',
    find: "if (job.type === 'restart') return tryAgain(draft, child, event.cause);",
    replace:
      "if (job.type === 'restart') { tryAgain(draft, child, event.cause); return begin(draft, { ...job, toStop: [] }); }",
  },
  {
    name: 'giving up leaves the children running',
    file: 'supervision-job.ts',
    find: 'const toStop = children.map((child) => child.id).toReversed();',
    replace: "const toStop = ending === 'gave-up' ? [] : children.map((child) => child.id).toReversed();",
  },
  {
    name: 'giving up is a failure to the supervisor above',
    file: 'supervision-job.ts',
    find: 'isNormal: true',
    replace: "isNormal: ending !== 'gave-up'",
  },
  {
    name: 'one significant end of several is enough',
    file: 'supervision-failure.ts',
    find: "if (autoShutdown !== 'all-significant') return autoShutdown === 'any-significant';",
    replace: "if (autoShutdown !== 'never') return true;",
  },
  {
    name: 'significant ends never end the supervisor',
    file: 'supervision-failure.ts',
    find: 'if (hasSignificantEnded &&',
    replace: 'if (failed.length > 9 &&',
  },
  {
    name: 'any end for good ends the supervisor',
    file: 'supervision-failure.ts',
    find: 'hasSignificantEnded ||= child.isSignificant && !willRestart;',
    replace: 'hasSignificantEnded ||= !willRestart;',
  },
  {
    name: 'a significant child that fails ends the supervisor though it is restarted',
    file: 'supervision-failure.ts',
    find: 'child.isSignificant && !willRestart;',
    replace: 'child.isSignificant;',
  },
  {
    name: 'giving up stops the first child first',
    file: 'supervision-job.ts',
    find: 'const toStop = children.map((child) => child.id).toReversed();',
    replace: 'const toStop = children.map((child) => child.id);',
  },
  {
    name: 'a first start that fails keeps what had started',
    file: 'supervision-job.ts',
    find: "if (job.type === 'first-start') return beginShutdown(draft, 'start-failed', child.id);",
    replace: '',
  },
  {
    name: 'a child that could not be added is kept',
    file: 'supervision-job.ts',
    find: "if (job.type === 'add') draft.forget(child.id);",
    replace: '',
  },
  {
    name: 'an added child that fails to start is restarted',
    file: 'supervision-job.ts',
    find: "if (job.type === 'restart') return tryAgain",
    replace: "if (job.type === 'restart' || job.type === 'add') return tryAgain",
  },
  {
    name: 'a child is added before the others',
    file: 'supervision-request.ts',
    find: "draft.add({ ...child, status: 'stopped', run: 0 });",
    replace: "draft.set({ children: [{ ...child, status: 'stopped', run: 0 }, ...draft.state.children] });",
  },
  {
    name: 'a terminated child is forgotten',
    file: 'supervision-request.ts',
    find: "asked.type === 'child-remove');",
    replace: 'true);',
  },
  {
    name: 'a restart that was asked for is counted',
    file: 'supervision-request.ts',
    find: "  if (asked.type === 'child-restart') {",
    replace:
      "  if (asked.type === 'child-restart') {\n    draft.set({ history: [draft.nowSeconds, ...draft.state.history] });",
  },
];
