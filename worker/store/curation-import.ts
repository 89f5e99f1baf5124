// Reads lines of a curation file back (protocol/curation.ts). One transaction a chunk, and the same chunk again changes
// nothing. What is not in the library yet is kept and speaks once it is: curation, albums and memberships hang on no row of
// another table, words about a drive wait in volume_words. Whose word wins is docs/adr/0017-curation-files.md's.
import { MAX_IMPORT_EDIT_ASSETS, type ChunkAnswer, type CurationChunk, type CurationLine, type CurationPart, type Imported, type SettingLine } from '../../protocol/curation.ts';
import { cellOf } from '../../protocol/place.ts';
import { ofOwner } from './album-members.ts';
import { ALBUM_REF } from './curation-export.ts';
import { finish } from './ingest.ts';
import { refreshNearSql } from './near.ts';
import { editSide, OWNER_FIELDS, tagEntries, type OwnerField } from './owner-fields.ts';
import { HOME_ZONE_CHOSEN, isZone, writeSettings } from './settings.ts';
import { markSql } from './timeline-items.ts';

type Lines<P extends CurationPart> = Extract<CurationLine, { type: P }>[];
const of = <P extends CurationPart>(lines: readonly CurationLine[], part: P): Lines<P> => lines.filter((line): line is Extract<CurationLine, { type: P }> => line.type === part);

const NOTHING: Imported = { applied: 0, unchanged: 0, kept: 0, waiting: 0 };
interface Counted { applied: number | null; unchanged: number | null; kept: number | null; waiting: number | null }
const toImported = (row: Counted | undefined): Imported => ({ applied: row?.applied ?? 0, unchanged: row?.unchanged ?? 0, kept: row?.kept ?? 0, waiting: row?.waiting ?? 0 });
/** SQL of the counts of a list: whether a line says something else than what is here, and whether it may. */
const countsOf = (differs: string, wins: string, waits: string) => `SELECT sum(${differs} AND ${wins}) AS applied, sum(NOT (${differs})) AS unchanged, sum(${differs} AND NOT (${wins})) AS kept, sum(${waits}) AS waiting`;

// ---- Assets: [hash, changed_at_ms, fields in the order of OWNER_FIELDS] in ?1; ?2: the file's word wins whenever it is from.
const field = (name: OwnerField) => `(j.value->>${OWNER_FIELDS.indexOf(name) + 2})`;
const FROM_ASSETS = 'FROM json_each(?1) j LEFT JOIN curation c ON c.sha256 = j.value->>0';
const ASSET_DIFFERS = `(c.sha256 IS NULL OR ${OWNER_FIELDS.map((f) => `c.${f} IS NOT ${field(f)}`).join(' OR ')})`;
const ASSET_WINS = '(?2 OR c.sha256 IS NULL OR j.value->>1 > c.changed_at_ms)';
const ASSET_CHANGES = `${ASSET_DIFFERS} AND ${ASSET_WINS}`;
export const COUNT_ASSETS_SQL = `${countsOf(ASSET_DIFFERS, ASSET_WINS, 'NOT EXISTS (SELECT 1 FROM assets a WHERE a.sha256 = j.value->>0)')} ${FROM_ASSETS}`;
/** The edit that goes on, while it stands and has room; else the one that was just made. `?n`: the one before. */
const openEdit = (n: number) => `SELECT edit_id FROM edits WHERE edit_id = ?${n} AND undone_at_ms IS NULL AND assets < ${MAX_IMPORT_EDIT_ASSETS}`;
const editOf = (n: number) => `coalesce((${openEdit(n)}), (SELECT max(edit_id) FROM edits))`;
const ADD_EDIT = `INSERT INTO edits (at_ms, summary, assets) SELECT ?1, ?2, 0 WHERE NOT EXISTS (${openEdit(3)})`;
const COUNT_EDIT = `UPDATE edits SET assets = (SELECT count(*) FROM edit_rows r WHERE r.edit_id = edits.edit_id) WHERE edit_id = ${editOf(1)} RETURNING edit_id, assets`;
const DROP_EMPTY_EDIT = 'DELETE FROM edits WHERE edit_id = (SELECT max(edit_id) FROM edits) AND assets = 0';
const ADD_EDIT_ROWS = `INSERT INTO edit_rows (edit_id, sha256, before, after) SELECT ${editOf(3)}, j.value->>0, ${editSide((f) => `c.${f}`, tagEntries('c.tags', field('tags')), "'[]'")}, ${editSide(field, tagEntries(field('tags'), 'c.tags'), "'[]'")} ${FROM_ASSETS} WHERE ${ASSET_CHANGES}
ON CONFLICT (edit_id, sha256) DO UPDATE SET after = excluded.after`;
const MARK_ASSETS = markSql(`SELECT j.value->>0 AS sha256 ${FROM_ASSETS} WHERE ${ASSET_CHANGES}`, '?3');
// What comes to a content that was succeeded goes on to its successor.
const HAND_ON = `UPDATE successors SET handed_at_ms = NULL WHERE handed_at_ms IS NOT NULL AND old_sha256 IN (SELECT j.value->>0 ${FROM_ASSETS} WHERE ${ASSET_CHANGES})`;
const WRITE_ASSETS = `INSERT INTO curation (sha256, changed_at_ms, ${OWNER_FIELDS.join(', ')}) SELECT j.value->>0, j.value->>1, ${OWNER_FIELDS.map(field).join(', ')} ${FROM_ASSETS} WHERE ${ASSET_CHANGES}
ON CONFLICT (sha256) DO UPDATE SET ${['changed_at_ms', ...OWNER_FIELDS].map((f) => `${f} = excluded.${f}`).join(', ')}`;

// ---- Albums: [ref, key, imported, title, owner_title, sort, cover, query, made_at_ms, removed_at_ms]. They carry no time of
// their last change: what is said here stands, and what nobody said is filled in; with ?2 the file's word stands.
const ALBUM_HERE = "b.album_id = CASE WHEN j.value->>2 THEN (SELECT i.album_id FROM albums i WHERE i.import_key = j.value->>1) ELSE (SELECT o.album_id FROM albums o WHERE o.album_key = j.value->>1) END";
const ALBUM_FIELDS = { owner_title: 4, cover_sha256: 6, query: 7, made_at_ms: 8, removed_at_ms: 9 } as const;
const FROM_ALBUMS = `FROM json_each(?1) j LEFT JOIN albums b ON ${ALBUM_HERE}`;
const albumSets: Record<string, string> = {
  // An imported album's title is the export's, whoever says it.
  title: 'CASE WHEN ?2 AND NOT j.value->>2 THEN j.value->>3 ELSE b.title END',
  sort: "CASE WHEN ?2 OR b.sort = 'oldest' THEN j.value->>5 ELSE b.sort END",
  ...Object.fromEntries(Object.entries(ALBUM_FIELDS).map(([f, i]) => [f, `CASE WHEN ?2 THEN j.value->>${i} ELSE coalesce(b.${f}, j.value->>${i}) END`])),
};
const ALBUM_CHANGES = `(b.album_id IS NULL OR ${Object.entries(albumSets).map(([f, sql]) => `b.${f} IS NOT ${sql}`).join(' OR ')})`;
const ALBUM_DIFFERS = `(b.album_id IS NULL OR (NOT j.value->>2 AND b.title IS NOT j.value->>3) OR b.sort IS NOT j.value->>5 OR ${Object.entries(ALBUM_FIELDS).map(([f, i]) => `b.${f} IS NOT j.value->>${i}`).join(' OR ')})`;
const COUNT_ALBUMS = `${countsOf(ALBUM_DIFFERS, ALBUM_CHANGES, '0')} ${FROM_ALBUMS}`;
const MARK_ALBUMS = markSql(`SELECT m.sha256 ${FROM_ALBUMS} JOIN album_assets m ON m.album_id = b.album_id WHERE ${ALBUM_CHANGES}`, '?3');
const ADD_ALBUMS = `INSERT INTO albums (import_key, album_key, title, owner_title, sort, cover_sha256, query, made_at_ms, removed_at_ms)
SELECT CASE WHEN j.value->>2 THEN j.value->>1 END, CASE WHEN NOT j.value->>2 THEN j.value->>1 END, ${[3, 4, 5, 6, 7, 8, 9].map((i) => `j.value->>${i}`).join(', ')} ${FROM_ALBUMS} WHERE b.album_id IS NULL`;
const SET_ALBUMS = `UPDATE albums AS b SET ${Object.entries(albumSets).map(([f, sql]) => `${f} = ${sql}`).join(', ')} FROM json_each(?1) j WHERE ${ALBUM_HERE} AND ${ALBUM_CHANGES}`;

// ---- Members: [ref, hash, layer, position]. The owner's word about one asset in one album is 'owner' or 'left', one of them.
const FROM_MEMBERS = `FROM json_each(?1) j LEFT JOIN (SELECT album_id, ${ALBUM_REF('b')} AS ref FROM albums b) k ON k.ref = j.value->>0
LEFT JOIN album_assets m ON m.album_id = k.album_id AND m.sha256 = j.value->>1 AND m.layer = (SELECT x.layer FROM album_assets x WHERE x.album_id = k.album_id AND x.sha256 = j.value->>1 AND ${ofOwner('x')} ORDER BY x.layer = j.value->>2 DESC LIMIT 1)`;
const MEMBER_DIFFERS = '(m.sha256 IS NULL OR m.layer IS NOT j.value->>2 OR m.position IS NOT j.value->>3)';
const MEMBER_WINS = '(?2 OR m.sha256 IS NULL OR (m.layer IS j.value->>2 AND m.position IS NULL))';
const MEMBER_CHANGES = `${MEMBER_DIFFERS} AND ${MEMBER_WINS}`;
export const COUNT_MEMBERS_SQL = `${countsOf(MEMBER_DIFFERS, MEMBER_WINS, 'NOT EXISTS (SELECT 1 FROM assets a WHERE a.sha256 = j.value->>1)')} ${FROM_MEMBERS}`;
// A hash may have a row in this edit already: of its own line, or of another album.
const append = (side: 'before' | 'after') => `${side} = json_set(edit_rows.${side}, '$.albums', (SELECT json_group_array(json(x.entry) ORDER BY x.part, x.n) FROM (
  SELECT 0 AS part, key AS n, value AS entry FROM json_each(edit_rows.${side}, '$.albums') UNION ALL SELECT 1, key, value FROM json_each(excluded.${side}, '$.albums')) x))`;
const memberSide = (layer: string, position: string) => editSide((f) => `c.${f}`, "'[]'", `json_group_array(json_array(k.album_id, ${layer}, ${position}) ORDER BY j.key)`);
const ADD_MEMBER_ROWS = `INSERT INTO edit_rows (edit_id, sha256, before, after) SELECT ${editOf(3)}, j.value->>1, ${memberSide('m.layer', 'm.position')}, ${memberSide('j.value->>2', 'j.value->>3')}
${FROM_MEMBERS} LEFT JOIN curation c ON c.sha256 = j.value->>1 WHERE k.album_id IS NOT NULL AND ${MEMBER_CHANGES} GROUP BY j.value->>1
ON CONFLICT (edit_id, sha256) DO UPDATE SET ${append('before')}, ${append('after')}`;
const MARK_MEMBERS = markSql(`SELECT j.value->>1 AS sha256 ${FROM_MEMBERS} WHERE k.album_id IS NOT NULL AND ${MEMBER_CHANGES}`, '?3');
const HAND_MEMBERS_ON = `UPDATE successors SET handed_at_ms = NULL WHERE handed_at_ms IS NOT NULL AND old_sha256 IN (SELECT j.value->>1 ${FROM_MEMBERS} WHERE ${MEMBER_CHANGES})`;
const DROP_OTHER_LAYER = `DELETE FROM album_assets WHERE ?2 AND (album_id, sha256, layer) IN (SELECT k.album_id, j.value->>1, CASE j.value->>2 WHEN 'owner' THEN 'left' ELSE 'owner' END
  FROM json_each(?1) j JOIN (SELECT album_id, ${ALBUM_REF('b')} AS ref FROM albums b) k ON k.ref = j.value->>0)`;
const WRITE_MEMBERS = `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT k.album_id, j.value->>1, j.value->>2, j.value->>3 ${FROM_MEMBERS} WHERE k.album_id IS NOT NULL AND ${MEMBER_CHANGES}
ON CONFLICT (album_id, sha256, layer) DO UPDATE SET position = excluded.position`;

// ---- Drives: [volume_id, label, note]; as albums, what is said here stands. A name that is the drive's own is none.
const FROM_VOLUMES = 'FROM json_each(?1) j LEFT JOIN volumes v ON v.volume_id = j.value->>0 LEFT JOIN volume_words w ON w.volume_id = j.value->>0 AND v.volume_id IS NULL';
const VOLUME_LABEL = 'nullif(j.value->>1, v.label)';
const volumeHas = (f: 'owner_label' | 'note') => `coalesce(v.${f}, w.${f})`;
const volumeSet = (f: 'owner_label' | 'note', said: string) => `CASE WHEN ?2 THEN ${said} ELSE coalesce(${volumeHas(f)}, ${said}) END`;
const VOLUME_CHANGES = `(${volumeHas('owner_label')} IS NOT ${volumeSet('owner_label', VOLUME_LABEL)} OR ${volumeHas('note')} IS NOT ${volumeSet('note', 'j.value->>2')})`;
const VOLUME_DIFFERS = `(${volumeHas('owner_label')} IS NOT ${VOLUME_LABEL} OR ${volumeHas('note')} IS NOT j.value->>2)`;
const COUNT_VOLUMES = `${countsOf(VOLUME_DIFFERS, VOLUME_CHANGES, 'v.volume_id IS NULL')} ${FROM_VOLUMES}`;
const WRITE_WORDS = `INSERT INTO volume_words (volume_id, owner_label, note) SELECT j.value->>0, ${volumeSet('owner_label', VOLUME_LABEL)}, ${volumeSet('note', 'j.value->>2')} ${FROM_VOLUMES} WHERE v.volume_id IS NULL
ON CONFLICT (volume_id) DO UPDATE SET owner_label = excluded.owner_label, note = excluded.note`;
const WRITE_VOLUMES = `UPDATE volumes SET (owner_label, note) = (SELECT ${volumeSet('owner_label', VOLUME_LABEL)}, ${volumeSet('note', 'j.value->>2')} ${FROM_VOLUMES} WHERE j.value->>0 = volumes.volume_id)
WHERE volume_id IN (SELECT j.value->>0 ${FROM_VOLUMES} WHERE v.volume_id IS NOT NULL AND ${VOLUME_CHANGES})`;

// ---- Look-alikes that all stay: [hash, word, at_ms].
const FROM_ALIKE = 'FROM json_each(?1) j LEFT JOIN near_kept k ON k.sha256 = j.value->>0';
const ALIKE_DIFFERS = '(k.sha256 IS NULL OR k.kept IS NOT j.value->>1)';
const ALIKE_WINS = '(?2 OR k.sha256 IS NULL OR j.value->>2 > k.at_ms)';
export const COUNT_ALIKE_SQL = `${countsOf(ALIKE_DIFFERS, ALIKE_WINS, 'NOT EXISTS (SELECT 1 FROM assets a WHERE a.sha256 = j.value->>0)')} ${FROM_ALIKE}`;
const WRITE_ALIKE = `INSERT INTO near_kept (sha256, kept, at_ms) SELECT j.value->>0, j.value->>1, j.value->>2 ${FROM_ALIKE} WHERE ${ALIKE_DIFFERS} AND ${ALIKE_WINS}
ON CONFLICT (sha256) DO UPDATE SET kept = excluded.kept, at_ms = excluded.at_ms`;
const REFRESH_ALIKE = refreshNearSql('SELECT n.group_sha256 FROM json_each(?1) j CROSS JOIN near n ON n.member_sha256 = j.value->>0');

/** Applies one chunk, or says what it would do. Everything touched is resolved before it answers. */
export async function importCuration(db: D1Database, chunk: CurationChunk, nowMs: number): Promise<ChunkAnswer & { changed: boolean }> {
  const replace = chunk.replace ? 1 : 0;
  const list = { asset: assetRows(chunk.lines), album: albumRows(chunk.lines), member: of(chunk.lines, 'member').map((l) => [l.album, l.sha256, l.layer, l.position]), volume: of(chunk.lines, 'volume').map((l) => [l.volume_id, l.label, l.note]), alike: of(chunk.lines, 'alike').map((l) => [l.sha256, l.kept, l.at_ms]) };
  const counting = ([['asset', COUNT_ASSETS_SQL], ['album', COUNT_ALBUMS], ['member', COUNT_MEMBERS_SQL], ['volume', COUNT_VOLUMES], ['alike', COUNT_ALIKE_SQL]] as const).filter(([part]) => list[part].length > 0);
  const json = { asset: JSON.stringify(list.asset), album: JSON.stringify(list.album), member: JSON.stringify(list.member), volume: JSON.stringify(list.volume), alike: JSON.stringify(list.alike) };
  const statements = counting.map(([part, sql]) => db.prepare(sql).bind(json[part], replace));
  const run = (part: keyof typeof json, ...sqls: string[]) => {
    if (list[part].length === 0 || chunk.dry_run) return;
    // D1 wants exactly as many values as the statement names.
    for (const sql of sqls) statements.push(db.prepare(sql).bind(...[json[part], replace, crypto.randomUUID()].slice(0, sql.includes('?3') ? 3 : sql.includes('?2') ? 2 : 1)));
  };
  run('volume', WRITE_WORDS, WRITE_VOLUMES);
  run('album', MARK_ALBUMS, SET_ALBUMS, ADD_ALBUMS);
  run('alike', WRITE_ALIKE, REFRESH_ALIKE);
  let editAt = -1;
  if (list.asset.length + list.member.length > 0 && !chunk.dry_run) {
    statements.push(db.prepare(ADD_EDIT).bind(nowMs, `Read back from ${chunk.name}`, chunk.edit_id));
    if (list.asset.length > 0) statements.push(db.prepare(ADD_EDIT_ROWS).bind(json.asset, replace, chunk.edit_id));
    run('asset', MARK_ASSETS, HAND_ON, WRITE_ASSETS);
    if (list.member.length > 0) statements.push(db.prepare(ADD_MEMBER_ROWS).bind(json.member, replace, chunk.edit_id));
    run('member', MARK_MEMBERS, HAND_MEMBERS_ON, WRITE_MEMBERS, DROP_OTHER_LAYER);
    editAt = statements.length;
    statements.push(db.prepare(COUNT_EDIT).bind(chunk.edit_id), db.prepare(DROP_EMPTY_EDIT));
  }
  const imported: ChunkAnswer['imported'] = { setting: NOTHING, volume: NOTHING, album: NOTHING, asset: NOTHING, member: NOTHING, alike: NOTHING };
  const done = statements.length > 0 ? await db.batch<Counted & { edit_id: number; assets: number }>(statements) : [];
  counting.forEach(([part], i) => { imported[part] = toImported(done[i]?.results[0]); });
  imported.setting = await importSettings(db, of(chunk.lines, 'setting'), chunk, nowMs);
  if (!chunk.dry_run) await finish(db, nowMs);
  const edit = done[editAt]?.results[0];
  return {
    imported, edit_id: edit && edit.assets > 0 ? edit.edit_id : chunk.edit_id,
    changed: !chunk.dry_run && Object.values(imported).some((i) => i.applied > 0),
  };
}

function assetRows(lines: readonly CurationLine[]): unknown[][] {
  return of(lines, 'asset').map((l) => {
    const at = l.position === null || l.position === 'none' ? null : l.position;
    const bit = (value: boolean | null) => (value === null ? null : Number(value));
    const row: Record<OwnerField, string | number | null> = {
      favourite: bit(l.favourite), archived: bit(l.archived), rating: l.rating, taken_at: l.taken_at, utc_offset_minutes: l.utc_offset_minutes, time_shift_s: l.time_shift_s,
      latitude: at?.latitude ?? null, longitude: at?.longitude ?? null, cell: at ? cellOf(at.latitude, at.longitude) : null, no_position: l.position === 'none' ? 1 : null,
      description: l.description, tags: l.tags && JSON.stringify(l.tags),
    };
    return [l.sha256, l.changed_at_ms, ...OWNER_FIELDS.map((f) => row[f])];
  });
}

function albumRows(lines: readonly CurationLine[]): unknown[][] {
  return of(lines, 'album').map((l) => [l.album, l.album.slice(l.album.indexOf(':') + 1), l.album.startsWith('import:'), l.title, l.owner_title, l.sort, l.cover, l.query, l.made_at_ms, l.removed_at_ms]);
}

/** A zone that the owner chose outranks one that a machine gave; of two choices the later one stands. */
async function importSettings(db: D1Database, lines: readonly SettingLine[], { replace, dry_run }: CurationChunk, nowMs: number): Promise<Imported> {
  const counts = { ...NOTHING };
  for (const line of lines) {
    const { results } = await db.prepare("SELECT key, value FROM settings WHERE key IN ('home_zone', ?1)").bind(HOME_ZONE_CHOSEN).all<{ key: string; value: string }>();
    const here = results.find((r) => r.key === 'home_zone')?.value;
    const chosen = results.find((r) => r.key === HOME_ZONE_CHOSEN)?.value;
    if (here === line.value) { counts.unchanged += 1; continue; }
    const wins = replace || chosen === undefined || (line.changed_at_ms !== null && line.changed_at_ms > Number(chosen));
    if (!wins || !isZone(line.value)) { counts.kept += 1; continue; }
    counts.applied += 1;
    if (!dry_run) await writeSettings(db, { home_zone: line.value }, nowMs, line.changed_at_ms);
  }
  return counts;
}
