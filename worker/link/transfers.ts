// The Durable Object that hands originals from the agent to a browser. It keeps nothing on disk, and few at once: each holds
// MAX_HELD_PARTS in a memory of 128 MB that other objects may share.
import { DurableObject } from 'cloudflare:workers';
import { TRANSFER_PART_BYTES } from '../../protocol/limits.ts';
import type { TransferEnd } from '../../protocol/transfer.ts';
import type { Env } from '../env.ts';
import { PATIENCE, Transfer, type Announced } from './transfer.ts';

export const MAX_TRANSFERS = 4;
/** Ended ones that can still say how they ended. */
const KEPT_ENDED = 20;

/** Answers cross a process border, where error classes are lost: so they are plain values. */
export type Told = { ok: true; room: boolean } | { ok: false; why: 'order' | 'ended' };

export class Transfers extends DurableObject<Env> {
  /** Tests make them short. */
  patience = PATIENCE;
  private readonly transfers = new Map<string, Transfer>();

  /** Makes room for one, before the agent is asked: its first part may come before its answer. False where too many are under way. */
  async begin(id: string): Promise<boolean> {
    const ended = [...this.transfers].filter(([, each]) => each.over);
    if (this.transfers.size - ended.length >= MAX_TRANSFERS) return false;
    for (const [old] of ended.slice(0, Math.max(0, ended.length - KEPT_ENDED))) this.transfers.delete(old);
    this.transfers.set(id, new Transfer(this.patience));
    return true;
  }

  async announce(id: string, what: Announced): Promise<void> {
    const transfer = this.transfers.get(id);
    if (transfer) transfer.announced = what;
  }

  private async take(id: string, n: number, request: Request): Promise<Told> {
    const why = this.transfers.get(id)?.mayTake(n) ?? 'ended';
    if (why !== 'taken') return { ok: false, why };
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.byteLength > TRANSFER_PART_BYTES) return { ok: false, why: 'order' };
    const taken = this.transfers.get(id)?.take(n, bytes) ?? 'ended';
    return taken === 'taken' ? this.wait(id) : { ok: false, why: taken };
  }

  /** Whether the next part may come, once it may or after TRANSFER_WAIT_MS. */
  async wait(id: string): Promise<Told> {
    const transfer = this.transfers.get(id);
    if (!transfer) return { ok: false, why: 'ended' };
    const room = await transfer.room();
    return transfer.ended ? { ok: false, why: 'ended' } : { ok: true, room };
  }

  async end(id: string, { outcome, reason }: TransferEnd): Promise<void> {
    this.transfers.get(id)?.end(outcome, reason);
    if (reason !== null) console.warn(`transfer ${id} broke (${outcome}): ${reason}`);
  }

  /** `PUT /{id}/{n}` takes a part. `GET /{id}` answers its bytes, once; else 404, 409 where somebody has them, 410 with how it ended. */
  override async fetch(request: Request): Promise<Response> {
    const [id = '', n] = new URL(request.url).pathname.slice(1).split('/');
    if (n !== undefined) return Response.json(await this.take(id, Number(n), request));
    const transfer = this.transfers.get(id);
    const announced = transfer?.announced;
    if (!transfer || !announced) return new Response(null, { status: 404 });
    if (transfer.ended && transfer.ended.outcome !== 'sent') return new Response(transfer.ended.reason, { status: 410 });
    if (transfer.fetched) return new Response(null, { status: 409 });
    const headers = { 'Content-Type': announced.mime, 'X-Name': encodeURIComponent(announced.name) };
    if (request.method === 'HEAD') return new Response(null, { headers: { ...headers, 'Content-Length': String(announced.size_bytes) } });
    return new Response(transfer.fetch(announced), { headers });
  }
}
