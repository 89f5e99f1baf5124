// The instance that a command talks to: the one that runs already on this data folder, or one started for the command's
// own duration. Commands see no difference but `engine`, which only an own instance has.
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import { CommandError, EXIT, openDataDir, type AgentIdentity, type Options } from '../config.ts';
import { callWorker, WorkerRefused, WorkerUnreachable, type WorkerAddress } from '../push/client.ts';
import { REQUESTS, type AgentOptions, type RequestArgs, type RequestName, type RequestResult } from '../../protocol/link.ts';
import { assertRoom } from '../files/room.ts';
import { createEngine, type Engine } from './engine.ts';
import { endLeftovers, readRunFile, removeRunFile, takeLock, writeRunFile } from './run-file.ts';
import { startMiniflare } from './worker-host.ts';

export interface Instance {
  worker: WorkerAddress;
  identity: AgentIdentity;
  /** Undefined when another process's instance is used. */
  engine: Engine | undefined;
  /** A request to the agent, by whichever way reaches it. Throws Error with a sentence for people. */
  ask<N extends RequestName>(name: N, args: RequestArgs<N>): Promise<RequestResult<N>>;
  close(): Promise<void>;
}

/** How long a started agent may take to be seen by its Worker. */
const CONNECT_MS = 10_000;
/** A running instance answers at once; a hung one is not waited for. */
const PROBE_MS = 3_000;
/** Somebody holds the data but is just starting, or too busy to answer within PROBE_MS: asked again for so long. */
const HELD_WAIT_MS = 10_000;
const HELD_POLL_MS = 250;

/** Connects to the running instance or starts one. Throws CommandError (exit 4) when the data is held and nobody answers. */
export async function connectOrStart(options: Options): Promise<Instance> {
  const instance = await findOrStart(options);
  try { await applyChoices((chosen) => instance.ask('set_options', chosen), options); } catch (error) { await instance.close(); throw error; }
  return instance;
}

/** Tells the agent what the command line chooses; it keeps it. */
export async function applyChoices(setOptions: (chosen: Partial<AgentOptions>) => Promise<unknown>, { chosen }: Options): Promise<void> {
  if (Object.keys(chosen).length > 0) await setOptions(chosen);
}

async function findOrStart(options: Options): Promise<Instance> {
  const identity = openDataDir(options.dataDir);
  const running = await findRunning(options.dataDir, identity.token);
  if (running) return remoteInstance(running, identity);
  const lock = takeLock(options.dataDir);
  if (!lock) {
    for (const until = Date.now() + HELD_WAIT_MS; Date.now() < until;) {
      await new Promise((done) => { setTimeout(done, HELD_POLL_MS); });
      const late = await findRunning(options.dataDir, identity.token);
      if (late) return remoteInstance(late, identity);
    }
    throw new CommandError(`Another Jharokha holds the data folder ${options.dataDir} and does not answer. Wait for it to finish, or end it (its process is in run.json there).`, EXIT.held);
  }
  try {
    await endLeftovers(options.dataDir);
    const host = await startMiniflare({ dataDir: options.dataDir, port: 0, token: identity.token });
    const worker = { url: host.url, token: identity.token };
    writeRunFile(options.dataDir, host.url);
    const engine = await createEngine({ dataDir: options.dataDir, identity, worker, watch: false });
    await waitConnected(worker, options.dataDir);
    return {
      worker, identity, engine,
      ask: (name, args) => (engine.handlers[name] as (a: typeof args) => Promise<RequestResult<typeof name>>)(args),
      close: async () => { await engine.close(); await host.close(); removeRunFile(options.dataDir); lock.release(); },
    };
  } catch (error) { lock.release(); throw error; }
}

/** The running instance's address, or undefined when none answers. */
export async function findRunning(dataDir: string, token: string): Promise<WorkerAddress | undefined> {
  const run = readRunFile(dataDir);
  if (!run) return undefined;
  const worker = { url: run.url, token };
  try {
    const response = await callWorker(worker, '/api/status', { timeoutMs: PROBE_MS });
    await response.arrayBuffer();
  } catch { return undefined; }
  // A Worker that a killed start left behind answers too; only one whose agent's process lives is running.
  try { process.kill(run.pid, 0); } catch { return undefined; }
  return worker;
}

export function remoteInstance(worker: WorkerAddress, identity: AgentIdentity): Instance {
  return { worker, identity, engine: undefined, ask: (name, args) => askOver(worker, name, args), close: async () => {} };
}

async function askOver<N extends RequestName>(worker: WorkerAddress, name: N, args: RequestArgs<N>): Promise<RequestResult<N>> {
  try {
    const response = await callWorker(worker, `/api/request/${name}`, { method: 'POST', body: JSON.stringify(args), type: 'application/json', timeoutMs: 30_000 });
    return REQUESTS[name].result.parse(await response.json()) as RequestResult<N>;
  } catch (error) {
    if (error instanceof WorkerRefused && typeof error.body === 'object' && error.body !== null && 'error' in error.body) throw new Error(String(error.body.error), { cause: error });
    throw error;
  }
}

async function waitConnected(worker: WorkerAddress, dataDir: string): Promise<void> {
  const until = Date.now() + CONNECT_MS;
  for (;;) {
    const response = await callWorker(worker, '/healthz').catch((error: unknown) => { if (error instanceof WorkerUnreachable) return undefined; throw error; });
    // A Worker on a full disk cannot note who is connected.
    if (!response) assertRoom(dataDir);
    const health = response ? await response.json() as { agent?: string } : undefined;
    if (health?.agent === 'connected') return;
    if (Date.now() > until) throw new CommandError(`The agent (${SOFTWARE_VERSION}) could not connect to its own Worker at ${worker.url} within ${CONNECT_MS / 1000} s.`);
    await new Promise((done) => { setTimeout(done, 25); });
  }
}
