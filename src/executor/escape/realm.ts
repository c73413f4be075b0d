/** Executors for the escape suite, with all walls, with some missing, and with none. Only for showing what the walls do; never for guests. */
import { systemClock } from '../../platform/index.ts';
import { silentHub } from '../../telemetry/index.ts';
import { assembleExecutor, createExecutor, createTrustDomain } from '../create-executor.ts';
import type { Executor } from '../executor.ts';
import { serveSandboxes } from '../guest/sandbox-server.ts';
import { languages } from '../language/languages.ts';
import type { LanguageName } from '../language/language.ts';
import type { ExecutorLimits } from '../limits.ts';
import { resolveLimits } from '../limits.ts';
import { resolvePolicy } from '../policy/policy.ts';
import type { FrameKind } from '../sandbox/frame.ts';
import type { AssetLocation } from '../sandbox/guest-files.ts';
import { SandboxExecutor } from '../sandbox/sandbox-executor.ts';
import { TrustDomain } from '../sandbox/trust-domain.ts';
import { connectHost, frameWalls } from '../sandbox/walls.ts';
import type { BuildWalls } from '../sandbox/walls.ts';
import type { EscapeLanguage, EscapeRealm, RealmOptions, WallKind } from './attempt.ts';
import { bareLanguage, writeBareGuest } from './bare-guest.ts';

/** Guests' workers belong to the page's own origin. */
const noWalls: BuildWalls = ({ clock = systemClock }, { frameAnswerMs }) => ({
  isStripped: false,
  createHost(signal) {
    const { port1, port2 } = new MessageChannel();
    const realm = serveSandboxes(port2);
    const remove = (): void => realm[Symbol.dispose]();
    return connectHost({ port: port1, remove }, { clock, answerMs: frameAnswerMs, signal });
  },
});

/** The frame with its rules, but with every global of a worker left in place. */
const frameAlone: BuildWalls = (given, limits) => ({ ...frameWalls(given, limits), isStripped: false });

const builders: Readonly<Record<WallKind, BuildWalls>> = {
  whole: frameWalls,
  'frame alone': frameAlone,
  none: noWalls,
};

export interface EscapeRealmOptions {
  readonly assets: AssetLocation;
  readonly frame: FrameKind;
  /** What guests of the language `worker` are made of, by name. */
  readonly scripts: Readonly<Record<string, string>>;
}

/**
 * Enough for a suite's attempts at a time; each interpreter of Python has some 50 MB, so none is made ahead, and nothing is put aside. How long one
 * takes to start says nothing about walls, nor does how long a busy machine keeps the frame from answering, or one from reaching its own limit.
 */
const suiteLimits: Partial<ExecutorLimits> = {
  wallTimeMs: 60_000,
  concurrentExecutions: 8,
  sessions: 16,
  warmSandboxes: 0,
  checkpointBytes: 0,
  bootTimeoutMs: 240_000,
  frameAnswerMs: 60_000,
};

/** An executor whose guests are hostile scripts. */
function createBareExecutor(
  walls: WallKind,
  given: EscapeRealmOptions,
  { limits: asked = {}, policy, hub = silentHub }: RealmOptions,
): Executor {
  const clock = systemClock;
  const limits = resolveLimits({ ...suiteLimits, ...asked }, bareLanguage.leastMemoryBytes);
  const { createHost, isStripped } = builders[walls](given, limits);
  const source = writeBareGuest(given.scripts);
  const domain = new TrustDomain({
    createHost,
    fetchFiles: () => Promise.resolve({ worker: source, assets: [] }),
    clock,
    hub,
    bootTimeoutMs: limits.bootTimeoutMs,
  });
  return new SandboxExecutor({
    language: bareLanguage,
    domain,
    ownsDomain: true,
    isStripped,
    limits,
    policy: resolvePolicy(policy),
    clock,
    hub,
  });
}

/**
 * Executors of every language behind walls of one kind. With all of them, languages share one frame as they do in use; where walls are missing each has
 * a realm of its own, and without any JavaScript is run by the platform itself. The caller disposes it.
 */
export function openEscapeRealm(walls: WallKind, options: EscapeRealmOptions): EscapeRealm {
  const { assets, frame } = options;
  const opened: Executor[] = [];
  const keep = (executor: Executor): Executor => {
    opened.push(executor);
    return executor;
  };
  const domain = walls === 'whole' ? createTrustDomain({ assets, frame, limits: suiteLimits }) : undefined;
  const open = (language: EscapeLanguage, asked: RealmOptions = {}): Executor => {
    if (language === 'worker' || (language === 'javascript' && walls === 'none')) {
      return createBareExecutor(walls, options, asked);
    }
    const limits = { ...suiteLimits, ...asked.limits };
    return assembleExecutor({ ...asked, language, assets, frame, limits }, builders[walls]);
  };
  const first = (language: LanguageName): Executor =>
    domain ? createExecutor({ language, domain, limits: suiteLimits }) : open(language);
  const known = Object.keys(languages).map((name) => [name, keep(first(name as LanguageName))] as const);
  const executors = Object.fromEntries([...known, ['worker', keep(open('worker'))]]) as Record<
    EscapeLanguage,
    Executor
  >;
  return {
    walls,
    executors,
    open,
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((executor) => executor[Symbol.asyncDispose]()));
      domain?.[Symbol.dispose]();
    },
  };
}
