// Opens the catalog and owns its transactions, its one revision counter and its meta values. Knows no noun.
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DATA_VERSION, GRID_VERSION, PREVIEW_VERSION, PROXY_VERSION } from '../../protocol/versions.ts';
import { assertRoom, DiskFullError } from '../files/room.ts';
import { remakeOldLooks } from './looks.ts';
import { ADDED_COLUMNS, CATALOG_SCHEMA } from './schema.ts';

/** Another process of ours (a `status` beside the agent) may hold the lock for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
/** Hashes are random, so that large catalogs are read all over; SQLite's own 2 MB made relating 200,000 names cost half as much again. */
const CACHE_KIB = 32 * 1024;
/** The log is cut back to this after a checkpoint; renditions in the spool make it grow. */
const JOURNAL_LIMIT_BYTES = 64 * 1024 * 1024;

/** The data folder was written by a newer version of Jharokha: nothing in it may be touched. */
export class NewerDataError extends Error {
  constructor(found: number) {
    super(`The data folder was made by a newer version of Jharokha (its data version is ${found}, this one knows ${DATA_VERSION}). Update Jharokha, or choose another folder with --data.`);
    this.name = 'NewerDataError';
  }
}

export interface Catalog {
  readonly db: DatabaseSync;
  readonly agentId: string;
  /** New with every new catalog. */
  readonly epoch: string;
  /** A prepared statement, made once. `arrays` returns rows as arrays, which is faster for many. */
  prepare(sql: string, arrays?: boolean): StatementSync;
  /** One transaction; nested calls join the outer one. Throws DiskFullError for a full disk; then nothing of it is kept. */
  transact<T>(fn: () => T): T;
  /** Throws DiskFullError while the disk is about to be full; ask before work that makes the catalog grow. */
  assertRoom(): void;
  /** The next number of the counter. Only inside a transaction, which also keeps it. */
  nextRevision(): number;
  /** The last number given out. */
  revision(): number;
  /** Makes sure that the counter is above what the Worker has seen from this agent. */
  raiseRevision(above: number): void;
  getMeta(key: string): string | undefined;
  setMeta(key: string, value: string): void;
  close(): void;
}

/** A full disk, as SQLite says it (SQLITE_FULL 13; an extended code has it in the low byte). */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 13;
}

/**
 * Opens or makes the catalog at `file`; a new one belongs to `agentId`. synchronous=NORMAL: with WAL a power cut can lose the last commits but never
 * tear one, and a lost commit is a file that the next scan reads again; a batch that the Worker already has is answered
 * as a repeat. The counter starts above the clock, so numbers of lost commits are not given out twice.
 */
export function openCatalog(file: string, agentId?: string): Catalog {
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS });
  try { return prepareCatalog(db, dirname(file), agentId ?? randomUUID()); } catch (error) { db.close(); throw isDiskFull(error) ? new DiskFullError(dirname(file)) : error; }
}

/** A catalog from an earlier version gets the columns that came since; its rows keep everything. */
function addColumns(db: DatabaseSync): void {
  const has = db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?');
  for (const [table, column, definition] of ADDED_COLUMNS) {
    if (!has.get(table, column)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
  }
}

function prepareCatalog(db: DatabaseSync, folder: string, agentId: string): Catalog {
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${JOURNAL_LIMIT_BYTES}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -${CACHE_KIB};`);
  const hasMeta = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'meta'").get() !== undefined;
  const readMeta = (key: string): string | undefined => db.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined;
  const version = hasMeta ? Number(readMeta('data_version') ?? DATA_VERSION) : DATA_VERSION;
  if (version > DATA_VERSION) throw new NewerDataError(version);
  if (!hasMeta) db.exec('BEGIN IMMEDIATE');
  else addColumns(db);
  db.exec(CATALOG_SCHEMA);
  if (!hasMeta) db.exec('COMMIT');

  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string, arrays = false): StatementSync => {
    const key = arrays ? `[]${sql}` : sql;
    let statement = statements.get(key);
    if (!statement) {
      statement = db.prepare(sql);
      if (arrays) statement.setReturnArrays(true);
      statements.set(key, statement);
    }
    return statement;
  };
  const getMeta = (key: string): string | undefined => prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] as string | undefined;
  const setMeta = (key: string, value: string): void => {
    prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value').run(key, value);
  };

  let revision = Math.max(Number(getMeta('revision') ?? 0) + 1, Date.now() * 1000);
  let kept = revision;
  let depth = 0;
  const transact = <T>(fn: () => T): T => {
    if (depth > 0) return fn();
    try {
      db.exec('BEGIN IMMEDIATE');
      depth += 1;
      const result = fn();
      if (revision !== kept) setMeta('revision', String(revision));
      db.exec('COMMIT');
      kept = revision;
      return result;
    } catch (error) {
      // SQLite ends the transaction by itself on some errors (a full disk), and not on others.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw isDiskFull(error) ? new DiskFullError(folder) : error;
    } finally { depth = 0; }
  };

  transact(() => {
    for (const [key, value] of [['data_version', String(DATA_VERSION)], ['agent_id', agentId], ['epoch', randomUUID()]] as const) {
      if (getMeta(key) === undefined) setMeta(key, value);
    }
    remakeOldRenditions();
    remakeOldLooks({ prepare, getMeta, setMeta });
  });

  /** A raised version puts every asset back on its stage's list, those that could not be made too. */
  function remakeOldRenditions(): void {
    const now = `${GRID_VERSION}.${PREVIEW_VERSION}`;
    const before = getMeta('render_versions');
    if (before !== undefined && before !== now) {
      prepare('UPDATE assets SET grid_version = 0 WHERE grid_version < ?').run(GRID_VERSION);
      prepare('UPDATE assets SET preview_version = 0 WHERE preview_version < ?').run(PREVIEW_VERSION);
    }
    setMeta('render_versions', now);
    const proxy = getMeta('proxy_made_as');
    if (proxy !== undefined && proxy !== String(PROXY_VERSION)) prepare('UPDATE assets SET proxy_version = 0 WHERE proxy_version < ? AND proxy_version <> 0').run(PROXY_VERSION);
    setMeta('proxy_made_as', String(PROXY_VERSION));
  }

  return {
    db, agentId: getMeta('agent_id') ?? '', epoch: getMeta('epoch') ?? '', prepare, transact,
    assertRoom: () => { assertRoom(folder); },
    nextRevision: () => { revision += 1; return revision; },
    revision: () => revision,
    raiseRevision: (above) => { revision = Math.max(revision, above + 1); },
    getMeta, setMeta,
    close: () => { statements.clear(); db.close(); },
  };
}
