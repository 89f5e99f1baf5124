// What the embedded index keeps on disk: the Durable Object's own SQLite. Every asset that has columns or a vector has a
// slot; vectors lie one a row (for rescoring by key), columns and sign codes in blocks of 256 slots (for a quick start).
// Whoever calls a method that writes holds a transaction.
import type { PackedVector } from '../../protocol/vector.ts';
import type { IndexColumns } from './reader.ts';

export const BLOCK_SLOTS = 256;
/** Room for the slots of one space among the keys: 2^32 photos are more than anybody took. */
const SPACE_STEP = 2 ** 32;
/** A vector's row: its hash, one by the length of its codes (float32), its codes. */
const HASH_BYTES = 32;
export const BODY_HEAD_BYTES = HASH_BYTES + 4;
/** Columns of a block: day, place, camera (four bytes each), traits (two), flags (one). */
const COLUMNS_BYTES = BLOCK_SLOTS * 15;
/** Names kept in one statement's list: SQLite takes 2 MB in a parameter. */
const LIST = 5_000;

export const FLAG_KNOWN = 1;
export const FLAG_SHOWN = 2;
export const FLAG_FAVOURITE = 4;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS spaces (space_id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, dimension INTEGER NOT NULL, vectors INTEGER NOT NULL, mean BLOB, marked_vectors INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS slots (sha256 BLOB PRIMARY KEY, slot INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS free_slots (slot INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS next_slot (one INTEGER PRIMARY KEY, slot INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS columns (block INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS names (name_id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name));
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS marks (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT OR IGNORE INTO next_slot VALUES (1, 0);`;

export interface StoredSpace { space_id: number; key: string; dimension: number; vectors: number; mean: ArrayBuffer | null; marked_vectors: number }
export interface StoredVector { slot: number; sha256: Uint8Array; factor: number; codes: Int8Array }
/** Columns of one asset with its names as numbers; 0 is none. */
export interface SlotColumns { slot: number; day: number; place: number; camera: number; traits: number; flags: number }
type Place = Pick<IndexColumns, 'country_code' | 'region' | 'city'>;

/** Views into a block of columns. */
export function columnViews(body: ArrayBuffer) {
  return {
    day: new Int32Array(body, 0, BLOCK_SLOTS), place: new Uint32Array(body, 4 * BLOCK_SLOTS, BLOCK_SLOTS), camera: new Uint32Array(body, 8 * BLOCK_SLOTS, BLOCK_SLOTS),
    traits: new Uint16Array(body, 12 * BLOCK_SLOTS, BLOCK_SLOTS), flags: new Uint8Array(body, 14 * BLOCK_SLOTS, BLOCK_SLOTS),
  };
}

/** Views into a block of sign codes: which slots have a vector, how far each reaches from the mean, its signs. */
export function markViews(body: ArrayBuffer) {
  return { reach: new Float32Array(body, 0, BLOCK_SLOTS), present: new Uint8Array(body, 4 * BLOCK_SLOTS, BLOCK_SLOTS), signs: new Uint8Array(body, 5 * BLOCK_SLOTS) };
}

export function bodyOf(item: PackedVector): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(BODY_HEAD_BYTES + item.codes.length);
  body.set(hexToBytes(item.sha256));
  let squares = 0;
  for (const c of item.codes) squares += c * c;
  if (squares === 0) throw new Error(`the vector of ${item.sha256} has no direction`);
  new DataView(body.buffer).setFloat32(HASH_BYTES, 1 / Math.sqrt(squares), true);
  body.set(new Uint8Array(item.codes.buffer, item.codes.byteOffset, item.codes.length), BODY_HEAD_BYTES);
  return body;
}

export function readBody(slot: number, body: ArrayBuffer): StoredVector {
  return { slot, sha256: new Uint8Array(body, 0, HASH_BYTES), factor: new Float32Array(body, HASH_BYTES, 1)[0] as number, codes: new Int8Array(body, BODY_HEAD_BYTES) };
}

export function hexToBytes(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length / 2);
  for (let i = 0; i < out.length; i += 1) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));
export function bytesToHex(bytes: Uint8Array): string {
  let text = '';
  for (const b of bytes) text += HEX[b];
  return text;
}

export class IndexStore {
  private readonly sql: SqlStorage;
  /** Read when they are first needed. */
  private places: Map<string, number> | undefined;
  private cameras: Map<string, number> | undefined;
  private placeList: { id: number; place: Place }[] | undefined;

  constructor(sql: SqlStorage) {
    this.sql = sql;
    this.sql.exec(SCHEMA);
  }

  space(key: string): StoredSpace | undefined {
    return this.sql.exec('SELECT * FROM spaces WHERE key = ?', key).toArray()[0] as StoredSpace | undefined;
  }

  ensureSpace(key: string, dimension: number): StoredSpace {
    this.sql.exec('INSERT OR IGNORE INTO spaces (key, dimension, vectors, marked_vectors) VALUES (?, ?, 0, 0)', key, dimension);
    return this.space(key) as StoredSpace;
  }

  /** Slots given away so far: every slot lies below. */
  capacity(): number { return this.one('SELECT slot FROM next_slot'); }

  get bytes(): number { return this.sql.databaseSize; }

  /** Slots of these hashes, those that have one. */
  slotsOf(sha256s: readonly string[]): Map<string, number> {
    const found = new Map<string, number>();
    for (let from = 0; from < sha256s.length; from += LIST) {
      const part = sha256s.slice(from, from + LIST);
      for (const [at, slot] of this.sql.exec('SELECT j.key, s.slot FROM json_each(?) j JOIN slots s ON s.sha256 = unhex(j.value)', JSON.stringify(part)).raw()) found.set(part[at as number] as string, slot as number);
    }
    return found;
  }

  /** The same, giving slots to those that have none. */
  ensureSlots(sha256s: readonly string[]): Map<string, number> {
    const found = this.slotsOf(sha256s);
    const missing = sha256s.filter((s) => !found.has(s));
    const free = [...this.sql.exec('SELECT slot FROM free_slots ORDER BY slot LIMIT ?', missing.length).raw()].map((r) => r[0] as number);
    let next = this.capacity();
    for (const [i, sha256] of missing.entries()) {
      const slot = free[i] ?? next++;
      this.sql.exec('INSERT INTO slots VALUES (?, ?)', hexToBytes(sha256), slot);
      found.set(sha256, slot);
    }
    this.sql.exec('DELETE FROM free_slots WHERE slot IN (SELECT value FROM json_each(?))', JSON.stringify(free));
    this.sql.exec('UPDATE next_slot SET slot = ?', next);
    return found;
  }

  /** Adds and replaces; the rows' bodies in the order of `slots`. */
  putVectors(space: StoredSpace, slots: readonly number[], bodies: readonly Uint8Array<ArrayBuffer>[]): void {
    const before = this.countAmong(space, slots);
    for (const [i, slot] of slots.entries()) this.sql.exec('INSERT INTO vectors VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body', idOf(space, slot), bodies[i] as Uint8Array<ArrayBuffer>);
    this.addToCount(space, slots.length - before);
  }

  removeVectors(space: StoredSpace, slots: readonly number[]): void {
    const before = this.countAmong(space, slots);
    this.sql.exec('DELETE FROM vectors WHERE id IN (SELECT value FROM json_each(?))', idsOf(space, slots));
    this.addToCount(space, -before);
  }

  private countAmong(space: StoredSpace, slots: readonly number[]): number { return this.one('SELECT count(*) FROM vectors WHERE id IN (SELECT value FROM json_each(?))', idsOf(space, slots)); }

  private addToCount(space: StoredSpace, more: number): void { this.sql.exec('UPDATE spaces SET vectors = vectors + ? WHERE space_id = ?', more, space.space_id); }

  /** The vectors in these slots, those that are there, in the order of slots. */
  *vectorsAt(space: StoredSpace, slots: readonly number[]): Generator<StoredVector> {
    for (let from = 0; from < slots.length; from += LIST) yield* this.readVectors(space, this.sql.exec('SELECT id, body FROM vectors WHERE id IN (SELECT value FROM json_each(?))', idsOf(space, slots.slice(from, from + LIST))));
  }

  vectors(space: StoredSpace): Generator<StoredVector> {
    return this.readVectors(space, this.sql.exec('SELECT id, body FROM vectors WHERE id >= ? AND id < ? ORDER BY id', idOf(space, 0), idOf(space, SPACE_STEP)));
  }

  private *readVectors(space: StoredSpace, cursor: SqlStorageCursor<Record<string, SqlStorageValue>>): Generator<StoredVector> {
    const base = idOf(space, 0);
    for (const row of cursor.raw()) yield readBody((row[0] as number) - base, row[1] as ArrayBuffer);
  }

  setColumns(rows: readonly IndexColumns[]): SlotColumns[] {
    const slots = this.ensureSlots([...new Set(rows.map((r) => r.sha256))]);
    const columns = rows.map((r): SlotColumns => ({
      slot: slots.get(r.sha256) as number, day: r.day, traits: r.traits, flags: FLAG_KNOWN | (r.shown ? FLAG_SHOWN : 0) | (r.favourite ? FLAG_FAVOURITE : 0),
      place: r.country_code === null ? 0 : this.nameId('place', placeName(r)), camera: r.camera === null ? 0 : this.nameId('camera', r.camera),
    }));
    this.writeColumns(columns);
    return columns;
  }

  removeColumns(slots: readonly number[]): SlotColumns[] {
    const columns = slots.map((slot) => ({ slot, day: 0, place: 0, camera: 0, traits: 0, flags: 0 }));
    this.writeColumns(columns);
    return columns;
  }

  private writeColumns(columns: readonly SlotColumns[]): void {
    for (const [block, inBlock] of Map.groupBy(columns, (c) => Math.floor(c.slot / BLOCK_SLOTS))) {
      const body = this.columnBlock(block);
      const views = columnViews(body);
      for (const { slot, day, place, camera, traits, flags } of inBlock) {
        const at = slot % BLOCK_SLOTS;
        views.day[at] = day; views.place[at] = place; views.camera[at] = camera; views.traits[at] = traits; views.flags[at] = flags;
      }
      this.sql.exec('INSERT INTO columns VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body', block, body);
    }
  }

  private columnBlock(block: number): ArrayBuffer {
    return (this.sql.exec('SELECT body FROM columns WHERE block = ?', block).toArray()[0]?.['body'] as ArrayBuffer | undefined) ?? new ArrayBuffer(COLUMNS_BYTES);
  }

  *columnBlocks(): Generator<{ block: number; body: ArrayBuffer }> {
    for (const row of this.sql.exec('SELECT block, body FROM columns').raw()) yield { block: row[0] as number, body: row[1] as ArrayBuffer };
  }

  /** Every place that some asset had, by its number. */
  listPlaces(): { id: number; place: Place }[] {
    return this.placeList ??= [...this.namesOf('place')].map(([name, id]) => { const [country_code, region, city] = JSON.parse(name) as [string, string | null, string | null]; return { id, place: { country_code, region, city } }; });
  }

  cameraId(camera: string): number | undefined { return this.namesOf('camera').get(camera); }

  private nameId(kind: 'place' | 'camera', name: string): number {
    const names = this.namesOf(kind);
    let id = names.get(name);
    if (id === undefined) {
      id = this.one('INSERT INTO names (kind, name) VALUES (?, ?) RETURNING name_id', kind, name);
      names.set(name, id);
      this.placeList = undefined;
    }
    return id;
  }

  private namesOf(kind: 'place' | 'camera'): Map<string, number> {
    const read = () => new Map([...this.sql.exec('SELECT name, name_id FROM names WHERE kind = ?', kind).raw()].map((r) => [r[0] as string, r[1] as number]));
    return kind === 'place' ? (this.places ??= read()) : (this.cameras ??= read());
  }

  /** After a transaction that was rolled back: what was read may never have been. */
  forgetNames(): void { this.places = undefined; this.cameras = undefined; this.placeList = undefined; }

  /** Gives back the slots of assets that have neither columns nor a vector. */
  freeUnused(slotBySha256: ReadonlyMap<string, number>): void {
    const spaces = this.sql.exec('SELECT * FROM spaces').toArray() as unknown as StoredSpace[];
    for (const [block, group] of Map.groupBy(slotBySha256, ([, slot]) => Math.floor(slot / BLOCK_SLOTS))) {
      const { flags } = columnViews(this.columnBlock(block));
      for (const [sha256, slot] of group) {
        if (flags[slot % BLOCK_SLOTS] !== 0 || spaces.some((s) => this.countAmong(s, [slot]) > 0)) continue;
        this.sql.exec('DELETE FROM slots WHERE sha256 = ?', hexToBytes(sha256));
        this.sql.exec('INSERT OR IGNORE INTO free_slots VALUES (?)', slot);
      }
    }
  }

  /** Drops every space but this one; how many were dropped. */
  dropOthers(key: string): number {
    const others = (this.sql.exec('SELECT * FROM spaces WHERE key <> ?', key).toArray() as unknown as StoredSpace[]);
    for (const space of others) {
      for (const table of ['vectors', 'marks']) this.sql.exec(`DELETE FROM ${table} WHERE id >= ? AND id < ?`, idOf(space, 0), idOf(space, SPACE_STEP));
      this.sql.exec('DELETE FROM spaces WHERE space_id = ?', space.space_id);
    }
    if (others.length > 0) this.freeUnused(this.slotsWithoutColumns());
    return others.length;
  }

  private slotsWithoutColumns(): Map<string, number> {
    const known = new Map([...this.columnBlocks()].map(({ block, body }) => [block, columnViews(body).flags]));
    const found = new Map<string, number>();
    for (const [sha256, slot] of this.sql.exec('SELECT sha256, slot FROM slots').raw()) {
      if (!known.get(Math.floor((slot as number) / BLOCK_SLOTS))?.[(slot as number) % BLOCK_SLOTS]) found.set(bytesToHex(new Uint8Array(sha256 as ArrayBuffer)), slot as number);
    }
    return found;
  }

  /** Block `block` of sign codes, empty where there is none. */
  markBlock(space: StoredSpace, block: number, stride: number): ArrayBuffer {
    return (this.sql.exec('SELECT body FROM marks WHERE id = ?', idOf(space, block)).toArray()[0]?.['body'] as ArrayBuffer | undefined) ?? new ArrayBuffer(BLOCK_SLOTS * (5 + stride));
  }

  putMarkBlock(space: StoredSpace, block: number, body: ArrayBuffer): void {
    this.sql.exec('INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body', idOf(space, block), body);
  }

  *markBlocks(space: StoredSpace): Generator<{ block: number; body: ArrayBuffer }> {
    for (const row of this.sql.exec('SELECT id, body FROM marks WHERE id >= ? AND id < ?', idOf(space, 0), idOf(space, SPACE_STEP)).raw()) yield { block: (row[0] as number) - idOf(space, 0), body: row[1] as ArrayBuffer };
  }

  /** All sign codes of a space are void: they are about another mean. */
  resetMarks(space: StoredSpace, mean: Float32Array<ArrayBuffer>): void {
    this.sql.exec('DELETE FROM marks WHERE id >= ? AND id < ?', idOf(space, 0), idOf(space, SPACE_STEP));
    this.sql.exec('UPDATE spaces SET mean = ?, marked_vectors = vectors WHERE space_id = ?', mean.buffer, space.space_id);
  }

  clear(): void {
    for (const table of ['spaces', 'slots', 'free_slots', 'columns', 'names', 'vectors', 'marks']) this.sql.exec(`DELETE FROM ${table}`);
    this.sql.exec('UPDATE next_slot SET slot = 0');
    this.forgetNames();
  }

  private one(sql: string, ...values: (string | number)[]): number { return Number(Object.values(this.sql.exec(sql, ...values).one())[0]); }
}

function idOf(space: StoredSpace, within: number): number { return space.space_id * SPACE_STEP + within; }
function idsOf(space: StoredSpace, slots: readonly number[]): string { return JSON.stringify(slots.map((s) => idOf(space, s))); }
function placeName(p: Place): string { return JSON.stringify([p.country_code, p.region, p.city]); }
