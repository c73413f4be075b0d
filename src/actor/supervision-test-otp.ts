/**
 * The reference: the functions of OTP's supervisor, named and shaped as there, acting on processes that are objects.
 * It shares nothing with the supervisor that it judges. `fixtures/otp` holds what real OTP did, and it does the same.
 */
import type { Command, ScenarioChild, ScenarioSupervisor, Step, World } from './supervision-test-scenario.ts';

type Pid = Process | 'restarting' | undefined;
type Reason = 'normal' | 'shutdown' | 'crashed' | 'lost';
type Outcome = 'ok' | 'shutdown';

interface Child {
  readonly spec: ScenarioChild;
  pid: Pid;
}

interface Process {
  readonly path: string;
  readonly parent: OtpSupervisor | undefined;
  isAlive: boolean;
}

const isProcess = (pid: Pid): pid is Process => typeof pid === 'object';

class OtpSupervisor implements Process {
  readonly path: string;
  readonly parent: OtpSupervisor | undefined;
  readonly spec: ScenarioSupervisor;
  readonly world: OtpWorld;
  isAlive = true;
  /** Newest first, as OTP keeps them. */
  children: Child[] = [];
  restarts: number[] = [];

  constructor(spec: ScenarioSupervisor, path: string, parent: OtpSupervisor | undefined, world: OtpWorld) {
    this.spec = spec;
    this.path = path;
    this.parent = parent;
    this.world = world;
  }

  /** Answers whether it runs. */
  init(): boolean {
    const started = this.startChildren(this.spec.children.map((spec) => ({ spec, pid: undefined })));
    this.children = started.children;
    if (started.failed === undefined) return true;
    this.terminateChildren(this.children);
    this.isAlive = false;
    return false;
  }

  /** In start order; answers them in termination order. */
  startChildren(children: readonly Child[]): { children: Child[]; failed?: Child } {
    const done: Child[] = [];
    for (const [at, child] of children.entries()) {
      const pid = this.doStartChild(child.spec);
      if (pid === undefined)
        return { children: [...children.slice(at).toReversed(), ...done], failed: child };
      child.pid = pid;
      done.unshift(child);
    }
    return { children: done };
  }

  doStartChild(spec: ScenarioChild): Process | undefined {
    const path = `${this.path}/${spec.id}`;
    if (spec.type === 'actor') return this.world.spawn(path, this);
    const supervisor = new OtpSupervisor(spec, path, this, this.world);
    return supervisor.init() ? supervisor : undefined;
  }

  /** In termination order; answers those to start again, in start order. */
  terminateChildren(children: readonly Child[]): Child[] {
    const kept: Child[] = [];
    for (const child of children) {
      this.doTerminate(child);
      child.pid = undefined;
      if (child.spec.restart !== 'temporary') kept.unshift(child);
    }
    return kept;
  }

  doTerminate({ pid }: Child): void {
    if (!isProcess(pid) || !pid.isAlive) return;
    pid.isAlive = false;
    if (pid instanceof OtpSupervisor) pid.terminateChildren(pid.children);
    else this.world.log.push(`stop ${pid.path}`);
  }

  find(id: string): Child | undefined {
    return this.children.find((child) => child.spec.id === id);
  }

  delChild(child: Child): void {
    if (child.spec.restart === 'temporary') this.children = this.children.filter((other) => other !== child);
    else child.pid = undefined;
  }

  handleExit(pid: Process, reason: Reason): Outcome {
    const child = this.children.find((other) => other.pid === pid);
    return child ? this.doRestart(reason, child) : 'ok';
  }

  doRestart(reason: Reason, child: Child): Outcome {
    if (child.spec.restart === 'permanent') return this.restart([child]);
    if (reason === 'normal' || reason === 'shutdown' || child.spec.restart === 'temporary') {
      this.delChild(child);
      return this.doAutoShutdown(child);
    }
    return this.restart([child]);
  }

  doAutoShutdown(child: Child): Outcome {
    if (!child.spec.isSignificant) return 'ok';
    switch (this.spec.autoShutdown) {
      case 'never':
        return 'ok';
      case 'any-significant':
        return 'shutdown';
      case 'all-significant':
        return this.children.some(({ spec, pid }) => pid !== undefined && spec.isSignificant)
          ? 'ok'
          : 'shutdown';
    }
  }

  /** Ours, not OTP's: children that one lost worker took are one failure. */
  handleLoss(pids: readonly Process[]): Outcome {
    const lost = this.children.toReversed().filter((child) => pids.includes(child.pid as Process));
    for (const child of lost) if (child.spec.restart === 'temporary') this.delChild(child);
    const again = lost.filter((child) => child.spec.restart !== 'temporary');
    const gone = lost.filter((child) => child.spec.restart === 'temporary');
    if (gone.some((child) => this.doAutoShutdown(child) === 'shutdown')) return 'shutdown';
    return again.length === 0 ? 'ok' : this.restart(again);
  }

  /** `children`: those that failed together, in start order. */
  restart(children: readonly Child[]): Outcome {
    const [first] = children as [Child];
    if (!this.addRestart()) {
      this.world.log.push(`gave-up ${this.path}`);
      for (const child of children) this.delChild(child);
      return 'shutdown';
    }
    for (const failed of this.restartBy(this.spec.strategy, children, first)) {
      failed.pid = 'restarting';
      this.world.cast(() => this.tryAgainRestart(failed.spec.id), this);
    }
    return 'ok';
  }

  tryAgainRestart(id: string): Outcome {
    const child = this.find(id);
    return child?.pid === 'restarting' ? this.restart([child]) : 'ok';
  }

  /** Answers those that did not start. */
  restartBy(strategy: string, children: readonly Child[], first: Child): Child[] {
    if (strategy === 'one-for-one') {
      return children.filter((child) => (child.pid = this.doStartChild(child.spec)) === undefined);
    }
    const end = strategy === 'one-for-all' ? this.children.length : this.children.indexOf(first) + 1;
    const [after, before] = [this.children.slice(0, end), this.children.slice(end)];
    for (const child of children) child.pid = undefined;
    const started = this.startChildren(this.terminateChildren(after));
    this.children = [...started.children, ...before];
    return started.failed ? [started.failed] : [];
  }

  addRestart(): boolean {
    const now = this.world.seconds;
    const kept: number[] = [];
    for (const at of this.restarts) {
      if (at < now - this.spec.maxSeconds) break;
      kept.push(at);
    }
    this.restarts = [now, ...kept];
    return this.restarts.length <= this.spec.maxRestarts;
  }

  startChild(spec: ScenarioChild): string {
    const old = this.find(spec.id);
    if (old) return isProcess(old.pid) ? 'already-started' : 'already-present';
    const pid = this.doStartChild(spec);
    if (!pid) return 'start-failed';
    this.children.unshift({ spec, pid });
    return 'done';
  }

  terminateChild(id: string): string {
    const child = this.find(id);
    if (!child) return 'not-found';
    this.doTerminate(child);
    this.delChild(child);
    return 'done';
  }

  restartChild(id: string): string {
    const child = this.find(id);
    if (!child) return 'not-found';
    if (child.pid !== undefined) return child.pid === 'restarting' ? 'restarting' : 'running';
    child.pid = this.doStartChild(child.spec);
    return child.pid ? 'done' : 'start-failed';
  }

  deleteChild(id: string): string {
    const child = this.find(id);
    if (!child) return 'not-found';
    if (child.pid !== undefined) return child.pid === 'restarting' ? 'restarting' : 'running';
    this.children = this.children.filter((other) => other !== child);
    return 'done';
  }
}

/** Processes, a clock, and the order in which messages are taken. */
export class OtpWorld implements World {
  readonly log: string[] = [];
  seconds = 0;
  readonly #top: OtpSupervisor;
  readonly #failures = new Map<string, number>();
  readonly #processes = new Map<string, Process>();
  readonly #mail: (() => void)[] = [];
  #hasStarted = false;

  constructor(tree: ScenarioSupervisor) {
    this.#top = new OtpSupervisor(tree, tree.id, undefined, this);
  }

  spawn(path: string, parent: OtpSupervisor): Process | undefined {
    const left = this.#failures.get(path) ?? 0;
    if (left > 0) {
      this.#failures.set(path, left - 1);
      this.log.push(`fail ${path}`);
      return undefined;
    }
    const process: Process = { path, parent, isAlive: true };
    this.#processes.set(path, process);
    this.log.push(`start ${path}`);
    return process;
  }

  /** Whatever a supervisor handles may end it. */
  cast(handle: () => Outcome, supervisor: OtpSupervisor): void {
    this.#mail.push(() => {
      if (supervisor.isAlive && handle() === 'shutdown') this.#terminate(supervisor);
    });
  }

  #terminate(supervisor: OtpSupervisor): void {
    supervisor.terminateChildren(supervisor.children);
    this.#exit(supervisor, 'shutdown');
  }

  #exit(process: Process, reason: Reason): void {
    process.isAlive = false;
    const { parent } = process;
    if (parent) this.cast(() => parent.handleExit(process, reason), parent);
  }

  perform(command: Command): Step {
    this.log.length = 0;
    const reply = this.#act(command);
    for (let next = this.#mail.shift(); next; next = this.#mail.shift()) next();
    const isRunning = this.#hasStarted && this.#top.isAlive;
    return { reply, log: [...this.log], isRunning, tree: isRunning ? listOf(this.#top) : [] };
  }

  #act(command: Command): string {
    switch (command.type) {
      case 'start':
        this.#hasStarted = this.#top.init();
        return this.#hasStarted ? 'done' : 'start-failed';
      case 'fail-next':
        this.#failures.set(command.path, command.count);
        return 'done';
      case 'advance':
        this.seconds += command.seconds;
        return 'done';
      case 'crash':
        return this.#crash(command.path, command.reason);
      case 'lose':
        return this.#lose(command.paths);
      case 'add':
      case 'remove':
      case 'terminate':
      case 'restart':
      case 'delete':
        return this.#ask(command);
    }
  }

  #crash(path: string, reason: Reason): string {
    const process = this.#processes.get(path);
    if (!process?.isAlive) return 'none';
    this.#exit(process, reason);
    return 'done';
  }

  /** All die at once; then every supervisor learns of its own, those above first. */
  #lose(paths: readonly string[]): string {
    const dead = paths.flatMap((path) => this.#processes.get(path) ?? []).filter((one) => one.isAlive);
    for (const process of dead) process.isAlive = false;
    const visit = (supervisor: OtpSupervisor): void => {
      const own = dead.filter((process) => process.parent === supervisor);
      const below = supervisor.children.toReversed().map((child) => child.pid);
      if (own.length > 0 && supervisor.handleLoss(own) === 'shutdown') this.#terminate(supervisor);
      for (const pid of below) if (pid instanceof OtpSupervisor && pid.isAlive) visit(pid);
    };
    if (this.#hasStarted && this.#top.isAlive) visit(this.#top);
    return dead.length > 0 ? 'done' : 'none';
  }

  #ask(command: Command & { readonly type: 'add' | 'remove' | 'terminate' | 'restart' | 'delete' }): string {
    const supervisor = this.#supervisorAt(command.path);
    if (!supervisor) return 'none';
    switch (command.type) {
      case 'add':
        return supervisor.startChild(command.child);
      case 'terminate':
        return supervisor.terminateChild(command.id);
      case 'restart':
        return supervisor.restartChild(command.id);
      case 'delete':
        return supervisor.deleteChild(command.id);
      case 'remove':
        supervisor.terminateChild(command.id);
        supervisor.deleteChild(command.id);
        return 'done';
    }
  }

  #supervisorAt(path: string): OtpSupervisor | undefined {
    let found: Pid = this.#hasStarted && this.#top.isAlive ? this.#top : undefined;
    for (const id of path.split('/').slice(1)) {
      found = found instanceof OtpSupervisor ? found.find(id)?.pid : undefined;
    }
    return found instanceof OtpSupervisor ? found : undefined;
  }
}

function listOf(supervisor: OtpSupervisor): [string, string][] {
  return supervisor.children.toReversed().flatMap(({ spec, pid }): [string, string][] => {
    const path = `${supervisor.path}/${spec.id}`;
    const status = pid === undefined ? 'stopped' : pid === 'restarting' ? 'restarting' : 'running';
    return [[path, status], ...(pid instanceof OtpSupervisor ? listOf(pid) : [])];
  });
}
