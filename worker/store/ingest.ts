// Applies one batch: validates each row alone, writes the changed ones and the batch's mark in one transaction, then has
// the touched assets resolved (timeline-items.ts says how that survives a crash). Knows nothing of HTTP.
import { BATCH_ROWS, type Batch, type BatchAnswer, type BatchList, type EvidenceRow, type LocationRow, type Rejected } from '../../protocol/rows.ts';
import type { z } from 'zod';
import { selectChangedAssets, upsertAssets } from './assets.ts';
import { readAnswer, readMark, writeMark } from './batches.ts';
import { selectChangedEvidence, selectChangedLocations, upsertEvidence, upsertLocations } from './locations.ts';
import { writeNear } from './near.ts';
import { writeProblems } from './problems.ts';
import { selectWaitingForZone, upsertPlaces } from './places.ts';
import { markCellsDue } from './search-due.ts';
import { upsertRoots } from './roots.ts';
import { upsertScans } from './scans.ts';
import { adoptHomeZone, isZone } from './settings.ts';
import { selectChangedStacks, upsertStacks } from './stacks.ts';
import { handOver, upsertSuccessors } from './successors.ts';
import { markUnresolved, resolveMarked } from './timeline-items.ts';
import { retireReplaced, upsertVolumes } from './volumes.ts';

type Rows = { [L in BatchList]: z.infer<(typeof BATCH_ROWS)[L]>[] };
type Changed = Pick<Rows, 'assets' | 'locations' | 'evidence' | 'stacks'>;

export type IngestOutcome =
  | { kind: 'applied' | 'repeated'; answer: BatchAnswer; libraryChanged: boolean; problemsChanged: boolean }
  /** Out of order, or of an epoch that was left: nothing was changed. */
  | { kind: 'gap'; ackedSeq: number; epoch: string | null };

/** Longest name of a rejected row in an answer. */
const NAME_CHARS = 300;
/** Fields that rows are found by; half characters or NULs in them would not survive the way to SQLite and back. */
const KEY_FIELDS = ['sha256', 'member_sha256', 'primary_sha256', 'old_sha256', 'new_sha256', 'group_sha256', 'cell', 'volume_id', 'path', 'root_id', 'scan_id', 'inode', 'fs_id', 'replaces'] as const;

/** Applies a batch whose envelope has been parsed. Idempotent by (agent, epoch, seq). */
export async function applyBatch(db: D1Database, batch: Batch, nowMs: number): Promise<IngestOutcome> {
  const mark = await readMark(db, batch.agent_id);
  const acked = mark?.epoch === batch.epoch ? mark.acked_seq : 0;
  if (batch.seq <= acked) {
    const answer = (await readAnswer(db, batch.agent_id, batch.epoch, batch.seq)) ?? { acked_seq: acked, rejected: [] };
    return { kind: 'repeated', answer, libraryChanged: await finish(db, nowMs), problemsChanged: false };
  }
  if (batch.seq !== acked + 1) return { kind: 'gap', ackedSeq: acked, epoch: mark?.epoch ?? null };
  // A first batch of another epoch is a new catalog, unless that epoch has been here before: then it is a late repeat.
  if (mark && mark.epoch !== batch.epoch && (await readAnswer(db, batch.agent_id, batch.epoch, 1))) return { kind: 'gap', ackedSeq: mark.acked_seq, epoch: mark.epoch };

  const { rows, rejected } = validateRows(batch);
  const answer: BatchAnswer = { acked_seq: batch.seq, rejected };
  const { changed, touched } = await keepChanged(db, rows);
  const statements: D1PreparedStatement[] = [];
  const write = (list: readonly unknown[], make: () => D1PreparedStatement) => { if (list.length > 0) statements.push(make()); };
  write(rows.volumes, () => upsertVolumes(db, batch.agent_id, rows.volumes, nowMs));
  write(rows.roots, () => upsertRoots(db, rows.roots));
  if (rows.volumes.some((v) => v.replaces !== undefined)) statements.push(...retireReplaced(db));
  write(rows.scans, () => upsertScans(db, rows.scans));
  write(rows.places, () => markCellsDue(db, rows.places));
  write(rows.places, () => upsertPlaces(db, rows.places));
  if (rows.near.length > 0) statements.push(...writeNear(db, rows.near));
  const otherEnd = statements.length;
  statements.push(...writeProblems(db, rows.problems));
  const problemsEnd = statements.length;
  write(changed.assets, () => upsertAssets(db, changed.assets, nowMs));
  write(changed.locations, () => upsertLocations(db, changed.locations));
  write(changed.evidence, () => upsertEvidence(db, changed.evidence));
  write(changed.stacks, () => upsertStacks(db, changed.stacks));
  write(rows.successors, () => upsertSuccessors(db, rows.successors));
  if (touched.size > 0) statements.push(markUnresolved(db, touched));
  if (isZone(batch.home_zone)) statements.push(adoptHomeZone(db, batch.home_zone));
  statements.push(...writeMark(db, { agent_id: batch.agent_id, epoch: batch.epoch, seq: batch.seq, home_zone: batch.home_zone, max_revision: maxRevision(rows), answer }, nowMs));
  const done = await db.batch(statements);

  const wrote = (from: number, to: number) => done.slice(from, to).some((d) => d.meta.changes > 0);
  const resolved = await finish(db, nowMs);
  return { kind: 'applied', answer, libraryChanged: resolved || wrote(0, otherEnd), problemsChanged: wrote(otherEnd, problemsEnd) };
}

/** What follows from rows once they are written. Each part says by itself what is left to do, so a crash between them loses nothing. */
export async function finish(db: D1Database, nowMs: number): Promise<boolean> {
  await handOver(db, nowMs);
  return resolveMarked(db, nowMs);
}

/** Each row by its own schema; one that fails is named and left out, the others go on. */
function validateRows(batch: Batch): { rows: Rows; rejected: Rejected[] } {
  const rows: Rows = { volumes: [], roots: [], assets: [], locations: [], evidence: [], scans: [], problems: [], stacks: [], places: [], successors: [], near: [] };
  const rejected: Rejected[] = [];
  for (const list of Object.keys(BATCH_ROWS) as BatchList[]) {
    batch[list].forEach((raw, i) => {
      const parsed = BATCH_ROWS[list].safeParse(raw);
      const reason = parsed.success ? badKey(parsed.data) : describeIssue(parsed.error);
      if (parsed.success && reason === undefined) (rows[list] as unknown[]).push(parsed.data);
      else rejected.push({ row: nameRow(list, i, raw), reason: reason ?? 'unreadable' });
    });
  }
  return { rows, rejected };
}

function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue ? `${issue.path.join('.') || 'row'}: ${issue.message}`.slice(0, NAME_CHARS) : 'unreadable';
}

function badKey(row: object): string | undefined {
  for (const field of KEY_FIELDS) {
    const value = (row as Record<string, unknown>)[field];
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return `${field}: holds a NUL or half a character`;
  }
  return undefined;
}

/** `locations 3 (volume/path)`: the list, the place in it, and the key as far as there is one. */
function nameRow(list: BatchList, i: number, raw: unknown): string {
  const row = (raw !== null && typeof raw === 'object' ? raw : {}) as Record<string, unknown>;
  const key = [row['sha256'], row['member_sha256'], row['old_sha256'], row['cell'], row['volume_id'], row['path'], row['root_id'], row['scan_id']].filter((v): v is string => typeof v === 'string');
  return `${list} ${i}${key.length > 0 ? ` (${key.join(' ')})` : ''}`.slice(0, NAME_CHARS).toWellFormed();
}

/**
 * The rows that are new or newer than what is stored, and the hashes whose answer they may change: their own, and those
 * that lay at their paths before. What is unchanged here stays so (revisions only rise), so the transaction that follows
 * needs no second look; its own guards stand for the rest.
 */
async function keepChanged(db: D1Database, rows: Rows): Promise<{ changed: Changed; touched: Set<string> }> {
  const changed: Changed = { assets: [], locations: [], evidence: [], stacks: [] };
  const touched = new Set<string>();
  if (rows.assets.length + rows.locations.length + rows.evidence.length + rows.stacks.length + rows.places.length === 0) return { changed, touched };
  const [assets, locations, evidence, stacks, waiting] = await db.batch<{ i: number; old: string | null; sha256: string | null }>([
    selectChangedAssets(db, rows.assets), selectChangedLocations(db, rows.locations), selectChangedEvidence(db, rows.evidence),
    selectChangedStacks(db, rows.stacks), selectWaitingForZone(db, rows.places),
  ]);
  for (const { i } of assets?.results ?? []) {
    const row = rows.assets[i];
    if (row) { changed.assets.push(row); touched.add(row.sha256); }
  }
  for (const { i, old } of locations?.results ?? []) {
    const row = rows.locations[i];
    if (row) { changed.locations.push(row); touched.add(row.sha256); if (old !== null) touched.add(old); }
  }
  // Evidence whose location comes in this batch is covered by the location's own hash, if that is new; else by the stored one.
  const coming = new Map(changed.locations.map((l) => [keyOf(l), l.sha256]));
  for (const { i, sha256 } of evidence?.results ?? []) {
    const row = rows.evidence[i];
    if (!row) continue;
    changed.evidence.push(row);
    for (const hash of [sha256, coming.get(keyOf(row))]) if (hash) touched.add(hash);
  }
  for (const { i, old } of stacks?.results ?? []) {
    const row = rows.stacks[i];
    if (!row) continue;
    changed.stacks.push(row);
    for (const hash of [row.member_sha256, row.primary_sha256, old]) if (hash) touched.add(hash);
  }
  for (const { sha256 } of waiting?.results ?? []) if (sha256) touched.add(sha256);
  return { changed, touched };
}

const keyOf = (row: LocationRow | EvidenceRow) => `${row.volume_id}\0${row.path}`;

function maxRevision(rows: Rows): number {
  let max = 0;
  for (const list of Object.values(rows)) for (const row of list) if (row.revision > max) max = row.revision;
  return max;
}
