// One transfer: parts from the agent on one side, a browser's stream on the other, at most MAX_HELD_PARTS between them. In memory
// only: what is lost with it ends as a broken download, never as a short file that looks whole.
import { MAX_HELD_PARTS, TRANSFER_WAIT_MS } from '../../protocol/limits.ts';
import type { TransferEnd } from '../../protocol/transfer.ts';

/** How long is waited for whom before it ends by itself. */
export const PATIENCE = {
  /** A browser follows the address at once; a person who is asked where to save it takes a while. */
  unfetched_ms: 120_000,
  /** The agent asks again every TRANSFER_WAIT_MS while there is no room; a drive that has to start needs some 20 s. */
  silent_ms: 60_000,
  /** A download that was paused. */
  stalled_ms: 1_800_000,
  look_ms: 2_000, wait_ms: TRANSFER_WAIT_MS,
};

/** `left`: the browser went away, or never came. */
export type Outcome = TransferEnd['outcome'] | 'left';
export interface Announced { name: string; size_bytes: number; mime: string }

export class Transfer {
  announced: Announced | undefined;
  fetched = false;
  ended: { outcome: Outcome; reason: string | null } | undefined;
  /** Nothing of it is held any more. */
  over = false;
  private readonly parts: Uint8Array[] = [];
  private next = 0;
  private writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  private readonly waiting = new Set<() => void>();
  private heardMs = Date.now();
  private movedMs = Date.now();
  private readonly watch: ReturnType<typeof setInterval>;
  private readonly patience: typeof PATIENCE;

  constructor(patience: typeof PATIENCE) {
    this.patience = patience;
    this.watch = setInterval(() => { this.look(); }, patience.look_ms);
  }

  /** Whether part `n` would be taken. `order`: it is not its turn, or there is no room. One that was taken before is taken again, and left. */
  mayTake(n: number): 'taken' | 'order' | 'ended' {
    this.heardMs = Date.now();
    if (this.ended) return 'ended';
    if (n < this.next) return 'taken';
    return n > this.next || this.parts.length >= MAX_HELD_PARTS ? 'order' : 'taken';
  }

  take(n: number, bytes: Uint8Array): 'taken' | 'order' | 'ended' {
    const may = this.mayTake(n);
    if (may !== 'taken' || n < this.next) return may;
    this.next += 1;
    this.parts.push(bytes);
    this.wake();
    return 'taken';
  }

  /** Whether there is room for a part; waits for it. */
  async room(): Promise<boolean> {
    this.heardMs = Date.now();
    const until = Date.now() + this.patience.wait_ms;
    while (!this.ended && this.parts.length >= MAX_HELD_PARTS && Date.now() < until) await this.news(until - Date.now());
    this.heardMs = Date.now();
    return this.parts.length < MAX_HELD_PARTS;
  }

  /** The bytes, once; a stream of exactly the announced length that errors where they do not come. */
  fetch({ size_bytes }: Announced): ReadableStream<Uint8Array> {
    this.fetched = true;
    this.movedMs = Date.now();
    const { readable, writable } = new FixedLengthStream(size_bytes);
    this.writer = writable.getWriter();
    this.writer.closed.catch(() => { this.breakOff('left', null); });
    void this.pump(this.writer, size_bytes);
    return readable;
  }

  /** The agent's last word. What was sent whole is still handed on; all else ends the stream as broken at once. */
  end(outcome: TransferEnd['outcome'], reason: string | null): void {
    this.heardMs = Date.now();
    if (this.ended) return;
    if (outcome !== 'sent') { this.breakOff(outcome, reason); return; }
    this.ended = { outcome, reason };
    this.wake();
  }

  private breakOff(outcome: Outcome, reason: string | null): void {
    if (this.over) return;
    if (!this.ended || this.ended.outcome === 'sent') this.ended = { outcome, reason };
    this.writer?.abort(new Error(reason ?? outcome)).catch(() => undefined);
    this.close();
  }

  private close(): void {
    this.over = true;
    this.parts.length = 0;
    clearInterval(this.watch);
    this.wake();
  }

  private async pump(writer: WritableStreamDefaultWriter<Uint8Array>, sizeBytes: number): Promise<void> {
    let sent = 0;
    try {
      while (!this.over) {
        const part = this.parts[0];
        if (part) {
          await writer.write(part);
          sent += part.byteLength;
          // Only now is there room: what the browser has not taken counts.
          this.parts.shift();
          this.movedMs = Date.now();
          this.wake();
        } else if (this.ended) {
          // The agent said that this is all: if it is not, the reader must not take it for whole.
          if (sent !== sizeBytes) { this.breakOff('failed', 'It ended early.'); return; }
          await writer.close();
          this.close();
        } else await this.news(this.patience.wait_ms);
      }
    } catch (error) { this.breakOff(this.ended ? 'failed' : 'left', String(error)); }
  }

  private look(): void {
    const now = Date.now();
    if (now - this.movedMs > (this.fetched ? this.patience.stalled_ms : this.patience.unfetched_ms)) this.breakOff('left', null);
    else if (!this.ended && now - this.heardMs > this.patience.silent_ms) this.breakOff('failed', 'The agent went away in the middle of it.');
  }

  private news(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => { clearTimeout(timer); this.waiting.delete(done); resolve(); };
      const timer = setTimeout(done, ms);
      this.waiting.add(done);
    });
  }

  private wake(): void { for (const done of [...this.waiting]) done(); }
}
