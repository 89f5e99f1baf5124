// The Durable Object between agent and pages: holds the agent's socket, knows presence as a lease, passes requests on,
// and tells open pages that something changed. Keeps no facts of the library; D1 does.
import { DurableObject } from 'cloudflare:workers';
import { AgentFrame, REQUESTS, type AgentStatus, type LiveEvent, type PresentVolume, type RequestName, type WorkerFrame } from '../../protocol/link.ts';
import { LINK_REQUEST_TIMEOUT_MS, MAX_FRAME_BYTES, PRESENCE_LEASE_MS, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { Env } from '../env.ts';
import { createLiveListeners } from './live-listeners.ts';

/** Requests waiting for an answer at once; pages ask one at a time, so this many means that something runs wild. */
const MAX_WAITING = 64;
/** Close codes of our own (4000 to 4999 are free for applications). */
const CLOSE_REPLACED = 4001;
const CLOSE_PROTOCOL = 4002;
const CLOSE_BAD_FRAME = 4003;
const CLOSE_TOO_BIG = 1009;
/** A clean goodbye: the agent was stopped, so there is no lease to wait for. */
const CLOSE_GOODBYE = new Set([1000, 1001]);
/** Agents whose last words are kept. */
const MAX_AGENTS = 16;

interface SocketState { agent_id: string; since_ms: number }
interface AgentState { agent_id: string; version: string; host: string; lease_until_ms: number; volumes: PresentVolume[]; status: AgentStatus | null }
interface Waiting { name: RequestName; socket: WebSocket; answer(answer: LinkAnswer): void }

export interface Presence { connected: boolean; volumes: PresentVolume[] }
/** Answers cross a process border, where error classes and unknown types are lost: so they are plain values. */
export type LinkAnswer = { ok: true; result_json: string } | { ok: false; why: 'away' | 'refused'; message: string | null };

export class AgentLink extends DurableObject<Env> {
  private readonly listeners = createLiveListeners();
  private readonly waiting = new Map<string, Waiting>();
  /** Read once after each wake; storage is the truth. */
  private readonly agents = new Map<string, AgentState>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    void ctx.blockConcurrencyWhile(async () => {
      for (const [, state] of await ctx.storage.list<AgentState>({ prefix: 'agent:' })) this.agents.set(state.agent_id, state);
    });
  }

  /** `/link` takes the agent's socket, `/live` opens a stream of events. Hosts, origins and tokens were checked before. */
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === '/live') return this.openLive(request);
    const pair = new WebSocketPair();
    this.ctx.acceptWebSocket(pair[1]);
    return new Response(null, { status: 101, webSocket: pair[0] });
  }

  private openLive(request: Request): Response {
    const stream = this.listeners.open(request.headers.has('Last-Event-ID'));
    if (!stream) return new Response('Too many pages are listening.\n', { status: 503, headers: { 'Retry-After': '30' } });
    return new Response(stream, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' } });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== 'string') { socket.close(CLOSE_BAD_FRAME, 'frames are text'); return; }
    // A UTF-16 unit is at most three bytes; the cheap bound first.
    if (message.length > MAX_FRAME_BYTES) { socket.close(CLOSE_TOO_BIG, 'frame too large'); return; }
    let json: unknown;
    try { json = JSON.parse(message); } catch { socket.close(CLOSE_BAD_FRAME, 'frame is not JSON'); return; }
    const parsed = AgentFrame.safeParse(json);
    if (!parsed.success) { socket.close(CLOSE_BAD_FRAME, 'frame is none of ours'); return; }
    const frame = parsed.data;
    if (frame.type === 'hello') { await this.greet(socket, frame); return; }
    const state = this.agents.get((socket.deserializeAttachment() as SocketState | null)?.agent_id ?? '');
    if (!state) { socket.close(CLOSE_BAD_FRAME, 'hello comes first'); return; }
    if (frame.type === 'presence') await this.renew(state, frame.volumes, frame.lease_ms);
    else if (frame.type === 'status') await this.keepStatus(state, frame.status);
    else this.takeReply(frame, socket);
  }

  private async greet(socket: WebSocket, hello: Extract<AgentFrame, { type: 'hello' }>): Promise<void> {
    if (hello.protocol > PROTOCOL_VERSION) { socket.close(CLOSE_PROTOCOL, `this Worker speaks protocol ${PROTOCOL_VERSION}`); return; }
    for (const other of this.socketsOf(hello.agent_id)) {
      if (other === socket) continue;
      this.failWaiting(other);
      other.serializeAttachment(null);
      other.close(CLOSE_REPLACED, 'a newer socket took over');
    }
    socket.serializeAttachment({ agent_id: hello.agent_id, since_ms: Date.now() } satisfies SocketState);
    const known = this.agents.get(hello.agent_id);
    const state: AgentState = { agent_id: hello.agent_id, version: hello.version, host: hello.host, lease_until_ms: known?.lease_until_ms ?? 0, volumes: known?.volumes ?? [], status: known?.status ?? null };
    // What was connected before the socket broke is believed only while its own lease lasts.
    if (!this.isPresent(state)) state.volumes = [];
    await this.renew(state, state.volumes, PRESENCE_LEASE_MS);
    const welcome: WorkerFrame = { type: 'welcome', protocol: PROTOCOL_VERSION };
    socket.send(JSON.stringify(welcome));
  }

  private async renew(state: AgentState, volumes: PresentVolume[], leaseMs: number): Promise<void> {
    const before = this.isPresent(state) ? describe(state.volumes) : null;
    state.volumes = volumes;
    state.lease_until_ms = Date.now() + Math.min(Math.max(leaseMs, 0), PRESENCE_LEASE_MS);
    await this.keep(state);
    await this.ctx.storage.setAlarm(this.nextLeaseEnd() ?? state.lease_until_ms);
    if (before !== describe(volumes)) this.listeners.tell('presence');
  }

  private async keepStatus(state: AgentState, status: AgentStatus): Promise<void> {
    state.status = status;
    await this.keep(state);
    this.listeners.tell('status');
  }

  private async keep(state: AgentState): Promise<void> {
    this.agents.set(state.agent_id, state);
    await this.ctx.storage.put(`agent:${state.agent_id}`, state);
    if (this.agents.size <= MAX_AGENTS) return;
    const oldest = [...this.agents.values()].sort((a, b) => a.lease_until_ms - b.lease_until_ms)[0];
    if (!oldest) return;
    this.agents.delete(oldest.agent_id);
    await this.ctx.storage.delete(`agent:${oldest.agent_id}`);
  }

  /** A lease ran out: nobody said goodbye, and pages must hear of it all the same. */
  override async alarm(): Promise<void> {
    const next = this.nextLeaseEnd();
    if (next !== undefined) await this.ctx.storage.setAlarm(next);
    this.listeners.tell('presence');
    this.listeners.tell('status');
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    this.failWaiting(socket);
    if (!CLOSE_GOODBYE.has(code)) return;
    const agentId = (socket.deserializeAttachment() as SocketState | null)?.agent_id;
    const state = agentId === undefined ? undefined : this.agents.get(agentId);
    if (state && !this.socketsOf(state.agent_id).some((s) => s !== socket)) {
      state.lease_until_ms = 0;
      await this.keep(state);
      this.listeners.tell('presence');
      this.listeners.tell('status');
    }
    // Our half of the goodbye, without which the agent's socket waits some 10 s. It leaves after what was kept is on disk.
    socket.close(code);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    this.failWaiting(socket);
  }

  private takeReply(frame: Extract<AgentFrame, { type: 'reply' }>, socket: WebSocket): void {
    const waiting = this.waiting.get(frame.id);
    // Too late, or an answer to a question that was put to another socket.
    if (!waiting || waiting.socket !== socket) return;
    if (frame.error !== undefined) { waiting.answer({ ok: false, why: 'refused', message: frame.error.slice(0, 1_000) }); return; }
    const result = REQUESTS[waiting.name].result.safeParse(frame.result);
    waiting.answer(result.success ? { ok: true, result_json: JSON.stringify(result.data) } : { ok: false, why: 'refused', message: 'The agent’s answer could not be read.' });
  }

  private failWaiting(socket: WebSocket): void {
    for (const waiting of this.waiting.values()) if (waiting.socket === socket) waiting.answer({ ok: false, why: 'away', message: null });
  }

  private socketsOf(agentId: string): WebSocket[] {
    return this.ctx.getWebSockets().filter((s) => s.readyState === WebSocket.OPEN && (s.deserializeAttachment() as SocketState | null)?.agent_id === agentId);
  }

  private newestSocket(): WebSocket | undefined {
    const since = (s: WebSocket) => (s.deserializeAttachment() as SocketState | null)?.since_ms ?? 0;
    return this.ctx.getWebSockets().filter((s) => s.readyState === WebSocket.OPEN && since(s) > 0).sort((a, b) => since(b) - since(a))[0];
  }

  private isPresent(state: AgentState): boolean {
    return state.lease_until_ms > Date.now();
  }

  private nextLeaseEnd(): number | undefined {
    const ends = [...this.agents.values()].filter((a) => this.isPresent(a)).map((a) => a.lease_until_ms);
    return ends.length > 0 ? Math.min(...ends) : undefined;
  }

  /** Asks the agent that connected last. Never throws; `away` after `timeoutMs` or when its socket goes. */
  async request(name: RequestName, args: unknown, timeoutMs: number = LINK_REQUEST_TIMEOUT_MS): Promise<LinkAnswer> {
    const socket = this.newestSocket();
    if (!socket || this.waiting.size >= MAX_WAITING) return { ok: false, why: 'away', message: null };
    const id = crypto.randomUUID();
    return new Promise<LinkAnswer>((resolve) => {
      const timer = setTimeout(() => answer({ ok: false, why: 'away', message: 'The agent did not answer in time.' }), timeoutMs);
      const answer = (value: LinkAnswer) => { clearTimeout(timer); this.waiting.delete(id); resolve(value); };
      this.waiting.set(id, { name, socket, answer });
      const frame: WorkerFrame = { type: 'request', id, name, args };
      try { socket.send(JSON.stringify(frame)); } catch { answer({ ok: false, why: 'away', message: null }); }
    });
  }

  /** Asks the agent that connected last and leaves its answer unread. False where none is connected. Never throws. */
  async tell(name: RequestName, args: unknown): Promise<boolean> {
    const socket = this.newestSocket();
    if (!socket) return false;
    const frame: WorkerFrame = { type: 'request', id: crypto.randomUUID(), name, args };
    try { socket.send(JSON.stringify(frame)); } catch { return false; }
    return true;
  }

  /** What is connected now, over all agents whose lease lasts. */
  async presence(): Promise<Presence> {
    const present = [...this.agents.values()].filter((a) => this.isPresent(a));
    return { connected: present.length > 0, volumes: present.flatMap((a) => a.volumes) };
  }

  /** The last status of the agent that is connected (the one whose lease lasts longest), or null. */
  async status(): Promise<AgentStatus | null> {
    const present = [...this.agents.values()].filter((a) => this.isPresent(a)).sort((a, b) => b.lease_until_ms - a.lease_until_ms);
    return present[0]?.status ?? null;
  }

  /** Tells open pages, at most once a second an event. */
  async notify(event: LiveEvent): Promise<void> {
    this.listeners.tell(event);
  }

  /** Pages that listen now; for tests and the status page. */
  async countListeners(): Promise<number> {
    return this.listeners.count();
  }
}

/** What of a presence pages show: free space changes with every file that is written, and is no news. */
function describe(volumes: readonly PresentVolume[]): string {
  return JSON.stringify(volumes.map((v) => [v.volume_id, v.label, v.mount_point, v.read_only]).sort());
}
