// The agent's one outbound WebSocket to the Worker: says who is here, renews presence, tells status, and answers
// requests from pages. Reconnects by itself; knows nothing of what a request does.
import { hostname } from 'node:os';
import { LINK_REQUEST_TIMEOUT_MS, PRESENCE_LEASE_MS, PRESENCE_RENEW_MS, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { REQUESTS, WorkerFrame, type AgentFrame, type AgentStatus, type PresentVolume, type RequestArgs, type RequestName, type RequestResult } from '../../protocol/link.ts';
import type { WorkerAddress } from '../push/client.ts';

/** Waits between tries to connect, in milliseconds; the last one repeats. */
const RECONNECT_MS = [200, 500, 1_000, 2_000, 5_000, 15_000] as const;
/** A Worker on this machine answers a goodbye in some milliseconds. */
const GOODBYE_MS = 1_000;
/** Status goes out at most this often: people read no faster, and pages fetch on each. */
const STATUS_EVERY_MS = 500;

export type Handlers = { [N in RequestName]: (args: RequestArgs<N>) => Promise<RequestResult<N>> };

export interface LinkOptions {
  worker: WorkerAddress; agentId: string; version: string;
  handlers: Handlers;
  presentVolumes(): Promise<PresentVolume[]>;
  status(): AgentStatus;
  /** Called each time the socket opens: the moment to push what waited. */
  onConnect(): void;
  warn(line: string): void;
}

export interface Link {
  /** Sends presence now: a drive came or went. Resolves when it is on its way, before anything that is said afterwards. */
  presenceChanged(): Promise<void>;
  /** Sends the status soon; many calls become one frame. */
  statusChanged(): void;
  /** Sends the status now: before an answer that people will compare with it. */
  flushStatus(): void;
  connected(): boolean;
  /** Says goodbye and resolves when the Worker has noted it, or after GOODBYE_MS: a Worker that ends first would believe in us until the lease runs out. */
  close(): Promise<void>;
}

/** Opens the link and keeps it open until `close`. Never throws: with no Worker in reach it tries again, quietly. */
export function openLink(options: LinkOptions): Link {
  let socket: WebSocket | undefined;
  let closed = false;
  let tries = 0;
  let renew: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let statusTimer: NodeJS.Timeout | undefined;
  let lastStatus = '';

  const send = (frame: AgentFrame) => { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame)); };
  const sendPresence = async () => {
    try { send({ type: 'presence', volumes: (await options.presentVolumes()).slice(0, 200), lease_ms: PRESENCE_LEASE_MS }); } catch (error) { options.warn(`Could not list drives: ${String(error)}`); }
  };
  const sendStatus = () => {
    statusTimer = undefined;
    const status = options.status();
    const text = JSON.stringify(status);
    if (text === lastStatus) return;
    lastStatus = text;
    send({ type: 'status', status });
  };

  const connect = () => {
    retry = undefined;
    const url = new URL('/link', options.worker.url);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    // Node's WebSocket takes headers in its options; the token never goes into an address, which gets logged.
    const opened = new WebSocket(url, { headers: { authorization: `Bearer ${options.worker.token}` } } as unknown as string[]);
    socket = opened;
    opened.addEventListener('open', () => {
      tries = 0;
      lastStatus = '';
      send({ type: 'hello', protocol: PROTOCOL_VERSION, agent_id: options.agentId, version: options.version, host: hostname() });
      void sendPresence();
      sendStatus();
      renew = setInterval(() => { void sendPresence(); }, PRESENCE_RENEW_MS);
      options.onConnect();
    });
    opened.addEventListener('message', (event) => { void answer(String(event.data)); });
    opened.addEventListener('error', () => { /* close follows */ });
    opened.addEventListener('close', () => {
      clearInterval(renew);
      if (closed || socket !== opened) return;
      const wait = RECONNECT_MS[Math.min(tries, RECONNECT_MS.length - 1)] ?? 15_000;
      tries += 1;
      retry = setTimeout(connect, wait);
    });
  };

  const answer = async (text: string) => {
    let frame: WorkerFrame;
    try { frame = WorkerFrame.parse(JSON.parse(text)); } catch { options.warn('The Worker sent a frame that this agent does not understand.'); return; }
    if (frame.type !== 'request') return;
    const { id, name } = frame;
    try {
      if (!Object.hasOwn(REQUESTS, name)) throw new Error(`This agent does not know the request ${JSON.stringify(name)}. Update Jharokha on this computer.`);
      const known = name as RequestName;
      const args = REQUESTS[known].args.safeParse(frame.args);
      if (!args.success) throw new Error(`${name}: ${args.error.issues[0]?.path.join('.') ?? ''} ${args.error.issues[0]?.message ?? ''}`);
      const handler = options.handlers[known] as (args: unknown) => Promise<unknown>;
      const result = await withTimeout(handler(args.data), LINK_REQUEST_TIMEOUT_MS, name);
      send({ type: 'reply', id, result });
    } catch (error) {
      send({ type: 'reply', id, error: error instanceof Error ? error.message : String(error) });
    }
  };

  connect();
  return {
    presenceChanged: sendPresence,
    statusChanged: () => { statusTimer ??= setTimeout(sendStatus, STATUS_EVERY_MS); },
    flushStatus: () => { clearTimeout(statusTimer); sendStatus(); },
    connected: () => socket?.readyState === WebSocket.OPEN,
    close: async () => {
      closed = true;
      clearInterval(renew); clearTimeout(retry); clearTimeout(statusTimer);
      const open = socket;
      if (open?.readyState !== WebSocket.OPEN) { open?.close(); return; }
      await new Promise<void>((done) => {
        const late = setTimeout(done, GOODBYE_MS);
        open.addEventListener('close', () => { clearTimeout(late); done(); });
        open.close(1000, 'agent stops');
      });
    },
  };
}

async function withTimeout<T>(work: Promise<T>, ms: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => { timer = setTimeout(() => { fail(new Error(`${name} took longer than ${ms / 1000} s`)); }, ms); });
  try { return await Promise.race([work, late]); } finally { clearTimeout(timer); }
}
