// Processes that run one tower: bounded, started at need, ended when idle. Processes and no threads, because a thread that hangs or
// crashes in the model's native code cannot be ended alone. One that dies or hangs takes its job with it and nothing else.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { siblingScript } from '../sibling.ts';
import type { TowerJob, TowerReply, TowerRequest } from './tower-worker.ts';
import { TowerUnloadable, type TowerSpec } from './towers.ts';

/** A picture takes 0.1 s on a fast core; so long is a hang. */
export const JOB_TIMEOUT_MS = 60_000;
/** The large text tower is read from a cold disk. */
const LOAD_TIMEOUT_MS = 180_000;

export interface TowerPoolOptions {
  spec: TowerSpec;
  size: number;
  /** Processes that found no work for so long give their memory back. */
  idleMs: number;
  timeoutMs?: number | undefined;
  /** For tests alone: another script that hangs or dies on purpose. */
  script?: URL | undefined;
}

interface Waiting { id: number; order: number; job: TowerJob; resolve: (vector: Float32Array) => void; reject: (error: Error) => void }
interface Tower { child: ChildProcess; loaded: boolean; busy: Waiting | null; timer: NodeJS.Timeout | undefined; idle: NodeJS.Timeout | undefined }

export class TowerPool {
  readonly #options: TowerPoolOptions;
  readonly #towers = new Set<Tower>();
  readonly #queue: Waiting[] = [];
  /** Processes that were killed and have not ended yet. */
  readonly #ending = new Set<Promise<unknown>>();
  #nextId = 1;
  #closed = false;

  constructor(options: TowerPoolOptions) { this.#options = options; }

  /**
   * The job's vector, of length 1. Jobs of a lower `order` overtake. Throws TowerUnloadable where the model is at fault,
   * Error where the job is or the process died over it.
   */
  run(job: TowerJob, order = 0): Promise<Float32Array> {
    if (this.#closed) return Promise.reject(new Error('the search model is closed'));
    return new Promise((resolve, reject) => {
      const waiting = { id: this.#nextId++, order, job, resolve, reject };
      const at = this.#queue.findIndex((w) => w.order > order);
      if (at < 0) this.#queue.push(waiting); else this.#queue.splice(at, 0, waiting);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const error = new Error('the search model is closed');
    for (const waiting of this.#queue.splice(0)) waiting.reject(error);
    for (const tower of this.#towers) this.#end(tower, error);
    await Promise.all(this.#ending);
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      let tower = [...this.#towers].find((t) => t.busy === null);
      if (!tower) {
        if (this.#towers.size >= this.#options.size) return;
        tower = this.#start();
      }
      this.#give(tower, this.#queue.shift() as Waiting);
    }
  }

  #start(): Tower {
    const child = fork(fileURLToPath(this.#options.script ?? siblingScript('tower-worker', import.meta.url)), [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    const tower: Tower = { child, loaded: false, busy: null, timer: undefined, idle: undefined };
    const over = (what: string): string => (tower.loaded ? `the search model's process ${what}` : `the search model's process ${what} while it loaded ${this.#options.spec.file}`);
    child.on('message', (reply: TowerReply) => { this.#answer(tower, reply); });
    child.on('error', (error) => this.#end(tower, new Error(over(`could not run: ${error.message}`))));
    child.on('exit', (code, signal) => this.#end(tower, new Error(over(`crashed (${signal ?? `exit ${code}`})`))));
    this.#towers.add(tower);
    this.#tell(tower, { type: 'load', spec: this.#options.spec });
    return tower;
  }

  #give(tower: Tower, waiting: Waiting): void {
    clearTimeout(tower.idle);
    tower.busy = waiting;
    tower.child.ref();
    tower.child.channel?.ref();
    // The first job's time starts when the tower is loaded.
    if (tower.loaded) this.#begin(tower, waiting);
    else this.#watch(tower, LOAD_TIMEOUT_MS);
  }

  #begin(tower: Tower, waiting: Waiting): void {
    this.#watch(tower, this.#options.timeoutMs ?? JOB_TIMEOUT_MS);
    this.#tell(tower, { type: 'job', id: waiting.id, job: waiting.job });
  }

  #watch(tower: Tower, ms: number): void {
    clearTimeout(tower.timer);
    tower.timer = setTimeout(() => this.#end(tower, new Error(`the search model's process did not answer within ${Math.round(ms / 1000)} s`)), ms);
  }

  /** To a process that has just died, too: its exit says the rest. */
  #tell(tower: Tower, request: TowerRequest): void {
    if (tower.child.connected) tower.child.send(request, () => undefined);
  }

  #answer(tower: Tower, reply: TowerReply): void {
    if (!this.#towers.has(tower)) return;
    if (reply.type === 'loaded') {
      tower.loaded = true;
      if (tower.busy) this.#begin(tower, tower.busy);
      return;
    }
    if (reply.type === 'unloadable') {
      // Another process would fail at the same: nobody waits for that.
      const error = new TowerUnloadable(reply.file, reply.message);
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
      this.#end(tower, error);
      return;
    }
    const waiting = tower.busy;
    if (!waiting || waiting.id !== reply.id) return;
    clearTimeout(tower.timer);
    tower.busy = null;
    if (reply.type === 'vector') waiting.resolve(reply.vector); else waiting.reject(new Error(reply.message));
    this.#dispatch();
    if (tower.busy) return;
    // An idle process does not hold the event loop.
    tower.child.unref();
    tower.child.channel?.unref();
    tower.idle = setTimeout(() => { if (!tower.busy) this.#end(tower, new Error('idle')); }, this.#options.idleMs);
    tower.idle.unref();
  }

  #end(tower: Tower, error: Error): void {
    if (!this.#towers.delete(tower)) return;
    clearTimeout(tower.timer);
    clearTimeout(tower.idle);
    const { child, busy } = tower;
    tower.busy = null;
    child.ref();
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const ended = new Promise<void>((resolve) => { child.once('exit', () => { this.#ending.delete(ended); resolve(); }); });
      this.#ending.add(ended);
    }
    child.kill('SIGKILL');
    busy?.reject(error);
    if (!this.#closed) this.#dispatch();
  }
}
