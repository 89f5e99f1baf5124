// The embedded vector index: a Durable Object that keeps vectors and filter columns in its own SQLite, and in memory the
// one space that is asked. Disk is written first; memory follows, or is dropped and read again.
import { DurableObject } from 'cloudflare:workers';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import { decodeVectorPack, spaceKey, textToVector, type PackedVector, type VectorSpace } from '../../protocol/vector.ts';
import { Sha256 } from '../../protocol/words.ts';
import type { Env } from '../env.ts';
import { LIMITS, LoadedSpace, vectorOf, writeMark } from './index-memory.ts';
import { bodyOf, BLOCK_SLOTS, IndexStore, markViews, type StoredSpace } from './index-store.ts';
import type { IndexColumns, IndexStats } from './reader.ts';
import { signStride, toIntQuery } from './scan.ts';

/** Answers cross a process border, where error classes are lost: so they are plain values. */
export type Told<T> = { ok: true; value: T } | { ok: false; message: string };

/** Refused for what was sent: a sentence for people. */
class Refused extends Error { override name = 'Refused'; }

export class VectorIndex extends DurableObject<Env> {
  /** Tests make them small. */
  limits = LIMITS;
  private readonly store: IndexStore;
  private loaded: LoadedSpace | undefined;
  private loadMs: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.store = new IndexStore(ctx.storage.sql);
  }

  /** A pack as encodeVectorPack makes it; a hash that is there is replaced. On disk when it resolves. */
  async put(pack: Uint8Array): Promise<Told<{ stored: number }>> {
    return this.telling(async () => {
      const { space: said, items: all } = readPack(pack);
      // The last of a hash wins, as if they had come one after the other.
      const items = [...new Map(all.map((item) => [item.sha256, item])).values()];
      const bodies = items.map((item) => { try { return bodyOf(item); } catch (error) { throw new Refused(`This pack cannot be kept: ${(error as Error).message}.`); } });
      const slots = this.write(() => {
        const space = this.store.ensureSpace(spaceKey(said), said.dimension);
        const bySha256 = this.store.ensureSlots(items.map((i) => i.sha256));
        const its = items.map((i) => bySha256.get(i.sha256) as number);
        this.store.putVectors(space, its, bodies);
        if (space.mean) this.writeMarks(space, its, items);
        return its;
      });
      this.follow(spaceKey(said), (loaded) => { loaded.put(slots, items); });
      return { stored: items.length };
    });
  }

  /** Sign codes of a space that has some. */
  private writeMarks(space: StoredSpace, slots: readonly number[], items: readonly PackedVector[] | null): void {
    const mean = new Float32Array(space.mean as ArrayBuffer);
    const stride = signStride(space.dimension);
    for (const [block, inBlock] of Map.groupBy(slots.keys(), (i) => Math.floor((slots[i] as number) / BLOCK_SLOTS))) {
      const body = this.store.markBlock(space, block, stride);
      for (const i of inBlock) {
        const slot = slots[i] as number;
        const item = items?.[i];
        if (item) writeMark(body, slot % BLOCK_SLOTS, stride, vectorOf(slot, item), mean);
        else markViews(body).present[slot % BLOCK_SLOTS] = 0;
      }
      this.store.putMarkBlock(space, block, body);
    }
  }

  /** Unknown hashes do not matter. */
  async remove(key: string, sha256s: string[]): Promise<Told<{ removed: number }>> {
    return this.telling(async () => {
      checkHashes(sha256s);
      const slots = this.write(() => {
        const space = this.store.space(key);
        if (!space) return [];
        const bySha256 = this.store.slotsOf(sha256s);
        const its = [...bySha256.values()];
        this.store.removeVectors(space, its);
        if (space.mean) this.writeMarks(space, its, null);
        this.store.freeUnused(bySha256);
        return its;
      });
      this.follow(key, (loaded) => { loaded.remove(slots); });
      return { removed: slots.length };
    });
  }

  /** Whole rows, replacing. */
  async setColumns(rows: IndexColumns[]): Promise<Told<number>> {
    return this.telling(async () => {
      for (const row of rows) checkColumns(row);
      const columns = this.write(() => this.store.setColumns(rows));
      this.follow(null, (loaded) => { loaded.setColumns(columns); });
      return rows.length;
    });
  }

  /** Without columns an asset is in no answer. Unknown hashes do not matter. */
  async removeColumns(sha256s: string[]): Promise<Told<number>> {
    return this.telling(async () => {
      checkHashes(sha256s);
      const columns = this.write(() => {
        const bySha256 = this.store.slotsOf(sha256s);
        const cleared = this.store.removeColumns([...bySha256.values()]);
        this.store.freeUnused(bySha256);
        return cleared;
      });
      this.follow(null, (loaded) => { loaded.setColumns(columns); });
      return columns.length;
    });
  }

  async query(question: VectorQuestion): Promise<Told<VectorAnswer>> {
    return this.telling(async () => {
      const { space: said, near, terms, limit } = question;
      const against = question.against === null ? null : toIntQuery(readVector(question.against, said, 'to compare with'));
      const asked = 'vector' in near ? readVector(near.vector, said, 'asked for') : undefined;
      const space = this.store.space(spaceKey(said));
      const loaded = space && space.vectors > 0 ? this.load(space) : undefined;
      const except = 'sha256' in near ? this.store.slotsOf([near.sha256]).get(near.sha256) : undefined;
      const itself = space && except !== undefined ? [...this.store.vectorsAt(space, [except])][0]?.codes : undefined;
      const vector = asked ?? itself;
      // Which terms are kept to depends on their kind alone, so an answer without hits tells it too.
      if (!loaded || !vector) return { hits: [], applied: terms.map(({ term }) => ['date', 'place', 'camera', 'type', 'favourite'].includes(term.kind)), mean: null, deviation: null, looked_at: 0 };
      return loaded.answer({ query: toIntQuery(vector), vector, against, except: except ?? -1, terms, limit });
    });
  }

  /** Vectors of the space, shown or not. */
  async count(key: string): Promise<number> {
    return this.store.space(key)?.vectors ?? 0;
  }

  /** Drops every other space. */
  async dropOthers(key: string): Promise<Told<{ dropped: number }>> {
    return this.telling(async () => {
      const dropped = this.write(() => this.store.dropOthers(key));
      if (this.loaded && this.loaded.key !== key) this.loaded = undefined;
      return { dropped };
    });
  }

  /** Forgets everything; feed and agent fill it again. */
  async clear(): Promise<void> {
    this.loaded = undefined;
    this.write(() => { this.store.clear(); });
  }

  async stats(): Promise<IndexStats> {
    const space = this.loaded ? this.store.space(this.loaded.key) : undefined;
    return { slots: this.store.capacity(), rows: space?.vectors ?? 0, space: this.loaded?.key ?? null, tier: this.loaded?.tier ?? null, bytes: this.loaded?.bytes ?? 0, disk_bytes: this.store.bytes, load_ms: this.loadMs };
  }

  private load(space: StoredSpace): LoadedSpace {
    if (this.loaded?.key === space.key && this.loaded.fits) return this.loaded;
    // First, so that two spaces never lie in memory at once.
    this.loaded = undefined;
    const started = performance.now();
    this.loaded = this.write(() => new LoadedSpace(this.store, space, this.limits));
    this.loadMs = performance.now() - started;
    return this.loaded;
  }

  /** All or nothing. What is answered afterwards waits until it is on disk (the object's output gate). */
  private write<T>(work: () => T): T {
    try { return this.ctx.storage.transactionSync(work); } catch (error) { this.store.forgetNames(); throw error; }
  }

  /** Memory after disk. What cannot follow is dropped, and read again with the next question. `key` null: whatever space is there. */
  private follow(key: string | null, change: (loaded: LoadedSpace) => void): void {
    if (!this.loaded || (key !== null && this.loaded.key !== key)) return;
    try {
      change(this.loaded);
      if (!this.loaded.fits) this.loaded = undefined;
    } catch (error) { console.warn('the vector index reads its space anew:', error); this.loaded = undefined; }
  }

  private async telling<T>(work: () => Promise<T>): Promise<Told<T>> {
    try {
      return { ok: true, value: await work() };
    } catch (error) {
      if (error instanceof Refused) return { ok: false, message: error.message };
      throw error;
    }
  }
}

function readPack(pack: Uint8Array): { space: VectorSpace; items: PackedVector[] } {
  try { return decodeVectorPack(pack); } catch (error) { throw new Refused(`This pack of vectors cannot be read: ${(error as Error).message}.`); }
}

function readVector(text: string, space: VectorSpace, what: string): Float32Array {
  const vector = textToVector(text, space.dimension);
  if (!vector?.some((v) => v !== 0)) throw new Refused(`The vector ${what} is none of ${space.dimension} numbers.`);
  return vector;
}

function checkHashes(sha256s: readonly string[]): void {
  const wrong = sha256s.find((s) => !Sha256.safeParse(s).success);
  if (wrong !== undefined) throw new Refused(`“${wrong.slice(0, 80)}” is no SHA-256.`);
}

function checkColumns(row: IndexColumns): void {
  checkHashes([row.sha256]);
  if (!Number.isInteger(row.day) || row.day < 0 || row.day > 99_991_231) throw new Refused(`${row.day} is no day of ${row.sha256}.`);
  if (!Number.isInteger(row.traits) || row.traits < 0 || row.traits > 0xffff) throw new Refused(`${row.traits} are no traits of ${row.sha256}.`);
}
