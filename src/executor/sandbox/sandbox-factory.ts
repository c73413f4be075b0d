/** Starts interpreters of one language in the realm of its trust domain. */
import { CodedError, isCodedError, messageOf } from '../../base/index.ts';
import { withDeadline } from '../../platform/index.ts';
import type { Clock } from '../../platform/index.ts';
import type { Hub } from '../../telemetry/index.ts';
import type { ExecutorLimits } from '../limits.ts';
import type { Language } from '../language/language.ts';
import type { GuestSettings } from './protocol.ts';
import type { OpenedGuest, SandboxHost } from './sandbox-host.ts';
import { createSandboxId } from './sandbox-id.ts';
import { Sandbox } from './sandbox.ts';
import type { TrustDomain } from './trust-domain.ts';

export interface FactoryOptions {
  readonly language: Language;
  readonly domain: TrustDomain;
  readonly settings: GuestSettings;
  readonly limits: ExecutorLimits;
  readonly clock: Clock;
  readonly hub: Hub;
}

export class SandboxFactory {
  readonly #options: FactoryOptions;
  readonly #closing = new AbortController();
  #isToldNotIsolated = false;

  constructor(options: FactoryOptions) {
    this.#options = options;
  }

  /**
   * A booted interpreter. Rejects with `executor/boot-failed`, `executor/frame-lost`, `executor/frame-unavailable` or `executor/disposed`; all
   * but the last are told to the hub as `sandbox-fail`.
   */
  async open(): Promise<Sandbox> {
    const { clock, limits, hub, language } = this.#options;
    const startMs = clock.monotonic();
    const limit = { timeoutMs: limits.bootTimeoutMs, signal: this.#closing.signal };
    let sandbox: Sandbox;
    try {
      sandbox = await withDeadline(clock, limit, (signal) => this.#start(signal));
    } catch (error) {
      const failure = this.#failure(error);
      this.#tellFailure(failure, clock.monotonic() - startMs);
      throw failure;
    }
    hub.emit({
      type: 'sandbox-start',
      sandbox: sandbox.id,
      language: language.name,
      durationMs: clock.monotonic() - startMs,
      isFromSnapshot: sandbox.isFromSnapshot,
    });
    return sandbox;
  }

  /** Ends the starts in progress, and starts no more; what was handed out is its holder's. */
  dispose(): void {
    this.#closing.abort(new CodedError('executor/disposed', 'the executor has been disposed'));
  }

  async #start(signal: AbortSignal): Promise<Sandbox> {
    const { language, domain, settings, limits, clock } = this.#options;
    const { host, kind, snapshot } = await domain.prepare(language, limits.memoryBytes);
    signal.throwIfAborted();
    if (!host.isIsolated) this.#tellNotIsolated();
    if (snapshot?.use === 'load') {
      // half of the time is left for a start without it
      const limit = { timeoutMs: limits.bootTimeoutMs / 2, signal };
      try {
        return await withDeadline(clock, limit, (ended) =>
          this.#boot(host, { kind, settings, snapshot: 'load' }, ended),
        );
      } catch (error) {
        if (signal.aborted || host.isLost) throw error;
        snapshot.refuse(messageOf(error));
      }
    }
    const sandbox = await this.#boot(host, { kind, settings }, signal);
    snapshot?.makeIfMissing(settings);
    return sandbox;
  }

  async #boot(host: SandboxHost, guest: OpenedGuest, signal: AbortSignal): Promise<Sandbox> {
    const { language, limits: bounds, hub, clock } = this.#options;
    const { keepsTime } = language.capabilities;
    const sandbox = new Sandbox({ id: createSandboxId(), host, guest, bounds, hub, clock, keepsTime });
    signal.addEventListener('abort', () => sandbox.kill('disposed'), { once: true });
    await sandbox.ready.catch((error: unknown) => {
      // a worker that did not get to its end may go on for ever
      sandbox.kill('died');
      throw error;
    });
    return sandbox;
  }

  #tellNotIsolated(): void {
    if (this.#isToldNotIsolated) return;
    this.#isToldNotIsolated = true;
    this.#options.hub.emit({
      type: 'platform-degrade',
      what: 'interrupt',
      from: 'shared-memory',
      to: 'termination',
      reason: 'the frame shares no memory: a run that is interrupted ends with its interpreter',
    });
  }

  /** An executor that was disposed meanwhile did not fail. */
  #tellFailure({ code, message }: CodedError, durationMs: number): void {
    if (this.#closing.signal.aborted) return;
    const { hub, language } = this.#options;
    hub.emit({ type: 'sandbox-fail', language: language.name, durationMs, error: { code, message } });
  }

  #failure(error: unknown): CodedError {
    if (isCodedError(error) && error.code.startsWith('executor/')) return error;
    const isTimeout = isCodedError(error, 'port/timeout');
    const why = isTimeout ? `it took longer than ${this.#options.limits.bootTimeoutMs} ms` : messageOf(error);
    return new CodedError('executor/boot-failed', `no interpreter could be started: ${why}`, {
      cause: error,
      isRetryable: isTimeout || (isCodedError(error) && error.isRetryable),
    });
  }
}
