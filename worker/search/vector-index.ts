// The embedded vector index: a Durable Object. (Stands in until it is built.)
import { DurableObject } from 'cloudflare:workers';
import type { VectorAnswer, VectorQuestion } from '../../protocol/link.ts';
import type { IndexColumns } from './reader.ts';

/** Answers cross a process border, where error classes are lost: so they are plain values. */
export type Told<T> = { ok: true; value: T } | { ok: false; message: string };

export class VectorIndex extends DurableObject {
  async setColumns(_rows: IndexColumns[]): Promise<Told<number>> { return { ok: true, value: 0 }; }
  async removeColumns(_sha256s: string[]): Promise<Told<number>> { return { ok: true, value: 0 }; }
  async count(_space: string): Promise<number> { return 0; }
  async query(question: VectorQuestion): Promise<Told<VectorAnswer>> { return { ok: true, value: { hits: [], applied: question.terms.map(() => false), mean: null, deviation: null, looked_at: 0 } }; }
}
