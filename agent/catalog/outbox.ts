// What waits to be pushed: dirty rows become a batch, the batch lies in the outbox byte for byte until it is
// acknowledged, then the rows that it carried are clean. Only agent/push calls this.
import type { Catalog } from './catalog.ts';
import { writeUpload } from './proxies.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_ROWS, PROTOCOL_VERSION } from '../../protocol/limits.ts';
import type { AssetFacts, AssetRow, Batch, EvidenceRow, LocationRow, NearRow, PlaceRow, ProblemRow, RootRow, ScanComplete, ScanRow, StackRow, SuccessorRow, VolumeRow } from '../../protocol/rows.ts';

/** Room for the batch's own fields and commas. */
const HEAD_BYTES = 2_000;
/** Copies of assets alone: a row that stopped being one keeps its hash until the next completed scan, and is not pushed. */
const COPIES = "AND sha256 IS NOT NULL AND seen_as = 'asset'";
/** Rows of one kind read at a time while a batch fills. */
const READ_ROWS = 500;

export interface StoredBatch { seq: number; body: string }

/** The highest revision of each table that a batch carried; everything dirty up to it is clean once it is acknowledged. */
type Sent = Record<PushedTable, number>;
const PUSHED_TABLES = ['volumes', 'roots', 'assets', 'files', 'scans', 'problems', 'stacks', 'places', 'successors', 'near'] as const;
type PushedTable = (typeof PUSHED_TABLES)[number];

/** The large tables with the index of what waits: left to itself SQLite prefers one that holds every row. */
function from(table: PushedTable): string {
  return table === 'files' || table === 'assets' || table === 'stacks' || table === 'places' || table === 'successors' || table === 'near' ? `${table} INDEXED BY ${table}_to_push` : table;
}

export interface BatchHead { agentId: string; epoch: string; seq: number; homeZone: string }

/** The oldest batch that was not acknowledged. */
export function firstInOutbox(catalog: Catalog): StoredBatch | undefined {
  const row = catalog.prepare('SELECT seq, body FROM outbox ORDER BY seq LIMIT 1').get();
  return row ? { seq: Number(row['seq']), body: String(row['body']) } : undefined;
}

/** How many rows are found and not yet in the Worker's hands. */
export function countDirty(catalog: Catalog): number {
  return Number(catalog.prepare(`SELECT (SELECT count(*) FROM assets INDEXED BY assets_to_push WHERE revision > pushed_revision) + (SELECT count(*) FROM files INDEXED BY files_to_push WHERE revision > pushed_revision ${COPIES}) AS n`).get()?.['n'] ?? 0);
}

/** True when there is something that a batch would carry. */
export function hasDirty(catalog: Catalog): boolean {
  return PUSHED_TABLES.some((t) => catalog.prepare(`SELECT 1 FROM ${from(t)} WHERE revision > pushed_revision ${t === 'files' ? COPIES : ''} LIMIT 1`).get() !== undefined);
}

/**
 * Fills the next batch from dirty rows and stores it. Rows go by revision, so that what is left behind is newer than
 * what went. At most MAX_BATCH_BYTES and MAX_BATCH_ROWS. `evenEmpty` stores one that carries nothing: a mark.
 */
export function storeNextBatch(catalog: Catalog, head: BatchHead, evenEmpty: boolean): StoredBatch | undefined {
  const batch: Batch = {
    protocol: PROTOCOL_VERSION, agent_id: head.agentId, epoch: head.epoch, seq: head.seq, home_zone: head.homeZone,
    volumes: [], roots: [], assets: [], locations: [], evidence: [], scans: [], problems: [], stacks: [], places: [], successors: [], near: [],
  };
  const sent: Sent = { volumes: 0, roots: 0, assets: 0, files: 0, scans: 0, problems: 0, stacks: 0, places: 0, successors: 0, near: 0 };
  let bytes = HEAD_BYTES;
  let rows = 0;
  const fill = (table: PushedTable, shareBytes: number, add: (row: Record<string, unknown>) => unknown[][]) => {
    const select = catalog.prepare(`SELECT * FROM ${from(table)} WHERE revision > pushed_revision AND revision > ?1 ${table === 'files' ? COPIES : ''} ORDER BY revision LIMIT ${READ_ROWS}`);
    for (;;) {
      const dirty = select.all(sent[table]);
      for (const row of dirty) {
        const added = add(row);
        const size = added.reduce((n, [, value]) => n + Buffer.byteLength(JSON.stringify(value)) + 1, 0);
        if (bytes + size > shareBytes || rows + added.length > MAX_BATCH_ROWS) return;
        for (const [list, value] of added) (list as unknown[]).push(value);
        bytes += size; rows += added.length; sent[table] = Number(row['revision']);
      }
      if (dirty.length < READ_ROWS) return;
    }
  };
  fill('volumes', MAX_BATCH_BYTES, (r) => [[batch.volumes, volumeRow(r)]]);
  fill('roots', MAX_BATCH_BYTES, (r) => [[batch.roots, rootRow(r)]]);
  // Assets and their locations in one batch where they fit: an asset is shown once it has a location.
  fill('assets', MAX_BATCH_BYTES * 0.6, (r) => [[batch.assets, assetRow(r)]]);
  fill('files', MAX_BATCH_BYTES * 0.9, (r) => [[batch.locations, locationRow(r)], [batch.evidence, evidenceRow(r)]]);
  fill('stacks', MAX_BATCH_BYTES, (r) => [[batch.stacks, stackRow(r)]]);
  fill('successors', MAX_BATCH_BYTES, (r) => [[batch.successors, successorRow(r)]]);
  fill('near', MAX_BATCH_BYTES, (r) => [[batch.near, nearRow(r)]]);
  fill('places', MAX_BATCH_BYTES, (r) => [[batch.places, placeRow(r)]]);
  fill('problems', MAX_BATCH_BYTES, (r) => [[batch.problems, problemRow(r)]]);
  fill('scans', MAX_BATCH_BYTES, (r) => [[batch.scans, scanRow(r)]]);
  if (rows === 0 && !evenEmpty) return undefined;
  const body = JSON.stringify(batch);
  catalog.prepare('INSERT INTO outbox (seq, body, sent) VALUES (?1, ?2, ?3)').run(head.seq, body, JSON.stringify(sent));
  return { seq: head.seq, body };
}

/** Takes an acknowledged batch out of the outbox and marks its rows clean, in one transaction. */
export function acknowledgeBatch(catalog: Catalog, seq: number): void {
  const row = catalog.prepare('SELECT sent FROM outbox WHERE seq = ?1').get(seq);
  if (!row) return;
  const sent = JSON.parse(String(row['sent'])) as Sent;
  catalog.transact(() => {
    for (const table of PUSHED_TABLES) {
      // A batch stored by an earlier version says nothing of tables that came since.
      if ((sent[table] ?? 0) > 0) catalog.prepare(`UPDATE ${from(table)} SET pushed_revision = revision WHERE revision > pushed_revision AND revision <= ?1 ${table === 'files' ? COPIES : ''}`).run(sent[table]);
    }
    catalog.prepare('DELETE FROM outbox WHERE seq = ?1').run(seq);
    catalog.setMeta('acked_seq', String(seq));
  });
}

/**
 * Starts over with a new epoch: everything is pushed again. For a Worker that lost, or never had, what was pushed;
 * `renditionsToo` when its R2 cannot have them either, so that they are made again.
 */
export function startNewEpoch(catalog: Catalog, epoch: string, renditionsToo: boolean): void {
  catalog.transact(() => {
    catalog.db.exec('DELETE FROM outbox');
    for (const table of PUSHED_TABLES) catalog.db.exec(`UPDATE ${table} SET pushed_revision = 0`);
    if (renditionsToo) {
      // Renditions still in the spool are pushed from there; the others must be made anew from previews' originals.
      catalog.db.exec(`UPDATE assets SET grid_pushed = 0, preview_pushed = 0, proxy_pushed = 0, proxy_bytes = NULL,
        proxy_version = CASE WHEN proxy_version > 0 AND proxy_version = proxy_pushed THEN 0 ELSE proxy_version END,
        grid_version = CASE WHEN grid_version > 0 AND NOT EXISTS (SELECT 1 FROM spool s WHERE s.asset_sha256 = assets.sha256 AND s.key LIKE '%/grid.%') THEN 0 ELSE grid_version END,
        preview_version = CASE WHEN preview_version > 0 AND NOT EXISTS (SELECT 1 FROM spool s WHERE s.asset_sha256 = assets.sha256 AND s.key LIKE '%/preview.%') THEN 0 ELSE preview_version END`);
    }
    writeUpload(catalog, null);
    catalog.setMeta('epoch', epoch);
    catalog.setMeta('acked_seq', '0');
  });
}

export interface StoredCompletion { id: number; scanId: string; body: ScanComplete }

/** The oldest completion with an id above `after`. */
export function nextCompletion(catalog: Catalog, after: number): StoredCompletion | undefined {
  const row = catalog.prepare('SELECT id, scan_id, body FROM completions WHERE id > ? ORDER BY id LIMIT 1').get(after);
  return row ? { id: Number(row['id']), scanId: String(row['scan_id']), body: JSON.parse(String(row['body'])) as ScanComplete } : undefined;
}

export function countCompletions(catalog: Catalog): number { return Number(catalog.prepare('SELECT count(*) AS n FROM completions').get()?.['n'] ?? 0); }

export function removeCompletion(catalog: Catalog, id: number): void { catalog.prepare('DELETE FROM completions WHERE id = ?1').run(id); }

type Row = Record<string, unknown>;
const text = (v: unknown) => (v === null || v === undefined ? null : String(v));
const number = (v: unknown) => (v === null || v === undefined ? null : Number(v));
const pathOf = (r: Row) => (r['dir'] === '' ? String(r['name']) : `${String(r['dir'])}/${String(r['name'])}`);

function volumeRow(r: Row): VolumeRow {
  return { volume_id: String(r['volume_id']), revision: Number(r['revision']), identity: String(r['identity']) as VolumeRow['identity'], label: String(r['label']), fs_type: String(r['fs_type']), capacity_bytes: number(r['capacity_bytes']), free_bytes: number(r['free_bytes']), read_only: r['read_only'] === 1, ...(r['replaces'] === null ? {} : { replaces: String(r['replaces']) }) };
}
function rootRow(r: Row): RootRow {
  return { root_id: String(r['root_id']), revision: Number(r['revision']), volume_id: String(r['volume_id']), path: String(r['path']), excludes: JSON.parse(String(r['excludes'])) as string[], removed: r['removed'] === 1 };
}
function assetRow(r: Row): AssetRow {
  const facts = JSON.parse(String(r['facts'])) as AssetFacts;
  return { ...facts, revision: Number(r['revision']), facets: { facts: Number(r['facts_version']), grid: Number(r['grid_pushed']), preview: Number(r['preview_pushed']), proxy: Number(r['proxy_pushed']) }, proxy_bytes: number(r['proxy_bytes']) };
}
function locationRow(r: Row): LocationRow {
  return { volume_id: String(r['volume_id']), path: pathOf(r), revision: Number(r['revision']), sha256: String(r['sha256']), size_bytes: Number(r['size_bytes']), mtime_ms: Math.round(Number(r['mtime_ms'])), fs_id: text(r['fs_id']), inode: text(r['inode']), in_package: r['in_package'] === 1 };
}
function evidenceRow(r: Row): EvidenceRow {
  return {
    volume_id: String(r['volume_id']), path: pathOf(r), revision: Number(r['revision']), time_claims: JSON.parse(String(r['time_claims'])) as EvidenceRow['time_claims'],
    imports: JSON.parse(String(r['imports'])) as EvidenceRow['imports'], albums: JSON.parse(String(r['albums'])) as EvidenceRow['albums'],
  };
}
function stackRow(r: Row): StackRow {
  return { member_sha256: String(r['member_sha256']), primary_sha256: String(r['primary_sha256']), type: String(r['type']) as StackRow['type'], basis: String(r['basis']), revision: Number(r['revision']), removed: r['removed'] === 1 };
}
function successorRow(r: Row): SuccessorRow {
  return { old_sha256: String(r['old_sha256']), new_sha256: String(r['new_sha256']), revision: Number(r['revision']) };
}
function nearRow(r: Row): NearRow {
  return { member_sha256: String(r['member_sha256']), group_sha256: String(r['group_sha256']), spare_bytes: Number(r['spare_bytes']), revision: Number(r['revision']), removed: r['removed'] === 1 };
}
function placeRow(r: Row): PlaceRow {
  const said = JSON.parse(String(r['said'])) as Omit<PlaceRow, 'cell' | 'rank' | 'revision'>;
  return { ...said, cell: String(r['cell']), rank: Number(r['rank']), revision: Number(r['revision']) };
}
function problemRow(r: Row): ProblemRow {
  return { volume_id: String(r['volume_id']), path: String(r['path']), revision: Number(r['revision']), code: String(r['code']) as ProblemRow['code'], reason: String(r['reason']).slice(0, 1_000), stage: String(r['stage']), at_ms: Number(r['at_ms']), solved: r['solved'] === 1 };
}
function scanRow(r: Row): ScanRow {
  return { scan_id: String(r['scan_id']), revision: Number(r['revision']), volume_id: String(r['volume_id']), root_id: String(r['root_id']), state: String(r['state']) as ScanRow['state'], started_ms: Number(r['started_ms']), ended_ms: number(r['ended_ms']), counts: JSON.parse(String(r['counts'])) as ScanRow['counts'], vanished: Number(r['vanished']), reason: text(r['reason']) };
}
