// Open pages that listen on /live: a bounded set of event streams. Events carry no content, so what a slow page has not
// read yet is merged, and nothing can pile up. Lives in memory only: a page whose stream ends comes back by itself.
import { LIVE_EVENTS, type LiveEvent } from '../../protocol/link.ts';

/** Streams at once. A person has a few tabs; every stream costs the Durable Object memory and a write an event. */
export const MAX_LISTENERS = 100;
/** Below the minute after which proxies and browsers give up on a silent stream. */
const KEEP_ALIVE_MS = 20_000;
/** A page asks again this soon after its stream ended. */
const RETRY_MS = 2_000;
/** One event of a kind at most this often: an ingest of 100,000 assets is news once a second, not once a batch. */
const EVENT_GAP_MS = 1_000;

interface Listener { writer: WritableStreamDefaultWriter<Uint8Array>; waiting: Set<LiveEvent>; busy: boolean }

export interface LiveListeners {
  /** A new stream, or undefined when there are MAX_LISTENERS. `cameBack` gets every event once, for it may have missed some. */
  open(cameBack: boolean): ReadableStream<Uint8Array> | undefined;
  /** Tells all, now or when EVENT_GAP_MS have passed since this event was last told. */
  tell(event: LiveEvent): void;
  count(): number;
}

export function createLiveListeners(): LiveListeners {
  const encoder = new TextEncoder();
  const listeners = new Set<Listener>();
  const toldAt = new Map<LiveEvent, number>();
  const timers = new Map<LiveEvent, ReturnType<typeof setTimeout>>();
  let keepAlive: ReturnType<typeof setInterval> | undefined;
  let id = Date.now();

  const drop = (listener: Listener) => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    if (keepAlive !== undefined) clearInterval(keepAlive);
    keepAlive = undefined;
  };
  const send = (listener: Listener, text: string) => {
    listener.busy = true;
    listener.writer.write(encoder.encode(text)).then(() => { listener.busy = false; flush(listener); }, () => drop(listener));
  };
  const flush = (listener: Listener) => {
    if (listener.busy || listener.waiting.size === 0) return;
    const text = [...listener.waiting].map((event) => `id: ${id}\nevent: ${event}\ndata: ${event}\n\n`).join('');
    listener.waiting.clear();
    send(listener, text);
  };
  const tellNow = (event: LiveEvent) => {
    toldAt.set(event, Date.now());
    id += 1;
    for (const listener of listeners) { listener.waiting.add(event); flush(listener); }
  };

  return {
    open(cameBack) {
      if (listeners.size >= MAX_LISTENERS) return undefined;
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const listener: Listener = { writer: writable.getWriter(), waiting: new Set(cameBack ? LIVE_EVENTS : []), busy: false };
      listeners.add(listener);
      listener.writer.closed.then(() => drop(listener), () => drop(listener));
      keepAlive ??= setInterval(() => { for (const l of listeners) if (!l.busy) send(l, ': still here\n\n'); }, KEEP_ALIVE_MS);
      send(listener, `retry: ${RETRY_MS}\nid: ${id}\n\n`);
      return readable;
    },
    tell(event) {
      if (listeners.size === 0 || timers.has(event)) return;
      const wait = (toldAt.get(event) ?? 0) + EVENT_GAP_MS - Date.now();
      if (wait <= 0) { tellNow(event); return; }
      timers.set(event, setTimeout(() => { timers.delete(event); tellNow(event); }, wait));
    },
    count: () => listeners.size,
  };
}
