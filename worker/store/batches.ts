// The marks of batches: what each agent has had acknowledged, and the answers to give again. Rows are ingest.ts's.
import { and, eq } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/d1';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { BatchAnswer, SyncState } from '../../protocol/rows.ts';
import { agents, batches } from '../db/schema.ts';

/** Answers kept for an agent that asks again; it sends one batch at a time, so one would nearly do. */
const MARKS_KEPT = 50;

export interface Mark { epoch: string; acked_seq: number }

/** What this agent has had acknowledged; undefined for a new one. */
export async function readMark(db: D1Database, agentId: string): Promise<Mark | undefined> {
  return drizzle(db).select({ epoch: agents.epoch, acked_seq: agents.acked_seq }).from(agents).where(eq(agents.agent_id, agentId)).get();
}

/** The answer that a batch was given, while it is kept. */
export async function readAnswer(db: D1Database, agentId: string, epoch: string, seq: number): Promise<BatchAnswer | undefined> {
  const row = await drizzle(db).select({ answer: batches.answer }).from(batches)
    .where(and(eq(batches.agent_id, agentId), eq(batches.epoch, epoch), eq(batches.seq, seq))).get();
  return row && (JSON.parse(row.answer) as BatchAnswer);
}

export interface MarkRow { agent_id: string; epoch: string; seq: number; home_zone: string; max_revision: number; answer: BatchAnswer }

/** The mark of one batch: the agent's row, the answer, and the oldest answers taken away. Part of the rows' transaction. */
export function writeMark(db: D1Database, mark: MarkRow, nowMs: number): D1PreparedStatement[] {
  return [
    db.prepare(`INSERT INTO agents (agent_id, epoch, acked_seq, max_revision, home_zone, seen_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (agent_id) DO UPDATE SET epoch = excluded.epoch, acked_seq = excluded.acked_seq, max_revision = max(agents.max_revision, excluded.max_revision),
home_zone = excluded.home_zone, seen_at_ms = excluded.seen_at_ms WHERE agents.epoch IS NOT excluded.epoch OR agents.acked_seq < excluded.acked_seq`)
      .bind(mark.agent_id, mark.epoch, mark.seq, mark.max_revision, mark.home_zone, nowMs),
    db.prepare('INSERT INTO batches (agent_id, epoch, seq, applied_at_ms, answer) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING')
      .bind(mark.agent_id, mark.epoch, mark.seq, nowMs, JSON.stringify(mark.answer)),
    db.prepare('DELETE FROM batches WHERE agent_id = ?1 AND epoch = ?2 AND seq <= ?3').bind(mark.agent_id, mark.epoch, mark.seq - MARKS_KEPT),
  ];
}

/** `max_revision` is of all agents: revisions of one hash from two catalogs can be compared only if they share a scale. */
export async function readSyncState(db: D1Database, agentId: string): Promise<SyncState> {
  const mark = await readMark(db, agentId);
  const max = await db.prepare('SELECT coalesce(max(max_revision), 0) AS n FROM agents').first<number>('n');
  return { protocol: PROTOCOL_VERSION, epoch: mark?.epoch ?? null, acked_seq: mark?.acked_seq ?? 0, max_revision: max ?? 0 };
}
