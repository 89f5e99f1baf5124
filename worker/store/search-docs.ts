// Documents of the search: what is written of an asset, in fields, with its stack's members in it. Built for what is due
// (search-due.ts) in slices; FTS5 keeps no text of its own, so its rows change in the same transaction as the documents.
import { bulkUpsertSql, toJsonParts } from '../db/bulk.ts';
import { isMember, isShown, titleOf } from './album-members.ts';
import { countryNames } from './country-names.ts';
import { foldText, joinLines } from './search-text.ts';
import { traitsOf } from './search-traits.ts';

/** Fields of words, in the order of search_words' columns. */
export const DOC_FIELDS = ['names', 'folders', 'place', 'description', 'albums', 'people', 'tags', 'camera'] as const;
export type DocField = (typeof DOC_FIELDS)[number];

/** Longest text of one field: a description may be a book. */
const MAX_FIELD_CHARS = 20_000;
/** Locations of one asset that are named; a file may lie in a thousand backups. */
const MAX_PATHS = 50;

const PATHS = (sha256: string) => `(SELECT json_group_array(path) FROM (SELECT l.path FROM locations l WHERE l.sha256 = ${sha256} ORDER BY l.volume_id, l.path LIMIT ${MAX_PATHS}))`;
const ALBUMS = (sha256: string) => `(SELECT json_group_array(${titleOf('b')}) FROM (SELECT DISTINCT m.album_id FROM album_assets m WHERE m.sha256 = ${sha256} AND ${isMember('m')}) x CROSS JOIN albums b ON b.album_id = x.album_id WHERE ${isShown('b')})`;
export const DUE_FACTS_SQL = `SELECT s.asset_id, s.mark, d.mark AS old_mark, coalesce(a.sha256, d.sha256) AS sha256, a.mime, a.camera, a.lens, a.motion IS NOT NULL AS motion,
  t.asset_id IS NOT NULL AS located, t.kind, t.width, t.height, t.day, t.favourite, t.description, t.people, t.tags, t.primary_sha256, t.members AS member_count, d.traits AS old_traits, ${DOC_FIELDS.map((f) => `d.${f} AS old_${f}`).join(', ')},
  p.street, p.neighbourhood, p.city, p.region, p.country, p.country_code, ${PATHS('t.sha256')} AS paths, ${ALBUMS('t.sha256')} AS albums,
  CASE WHEN t.members > 0 THEN (SELECT json_group_array(json_array(mt.stack_type, json(${PATHS('mt.sha256')}), json(${ALBUMS('mt.sha256')}), json(mt.people), json(mt.tags)))
    FROM stacks k CROSS JOIN assets ma ON ma.sha256 = k.member_sha256 CROSS JOIN timeline_items mt ON mt.asset_id = ma.asset_id AND mt.primary_sha256 = t.sha256 WHERE k.primary_sha256 = t.sha256) END AS stacked
FROM (SELECT asset_id, mark FROM search_due WHERE asset_id > ?1 ORDER BY asset_id LIMIT ?2) s
LEFT JOIN assets a ON a.asset_id = s.asset_id LEFT JOIN timeline_items t ON t.asset_id = s.asset_id LEFT JOIN search_docs d ON d.asset_id = s.asset_id
LEFT JOIN places p ON p.cell = t.cell AND p.rank > 0 ORDER BY s.asset_id`;

interface FactsRow {
  asset_id: number; mark: number; old_mark: number | null; sha256: string | null; mime: string; camera: string | null; lens: string | null; motion: number;
  located: number; kind: string; width: number | null; height: number | null; day: number; favourite: number; description: string | null; people: string; tags: string; primary_sha256: string | null; member_count: number;
  street: string | null; neighbourhood: string | null; city: string | null; region: string | null; country: string | null; country_code: string | null; paths: string; albums: string; stacked: string | null;
}

/** An asset that is due, as it now is. `doc` is null where it has none: nowhere any more, or under another. */
export interface DueAsset {
  assetId: number; mark: number; sha256: string | null;
  /** It stands under this one, which then is due too. */
  primarySha256: string | null;
  /** Whether the document or a trait differs from what is stored. */
  changed: boolean;
  doc: Record<DocField, string> & { traits: number } | null;
  facts: { day: number; favourite: boolean; country_code: string | null; region: string | null; city: string | null; camera: string | null };
}

/** The due assets after a key, at most `limit`, in the order of their keys. */
export async function readDue(db: D1Database, after: number, limit: number): Promise<DueAsset[]> {
  const { results } = await db.prepare(DUE_FACTS_SQL).bind(after, limit).all<FactsRow & Record<string, unknown>>();
  return results.map((row) => {
    const doc = row.located === 1 && row.primary_sha256 === null ? toDoc(row) : null;
    return {
      assetId: row.asset_id, mark: row.mark, sha256: row.sha256, primarySha256: row.primary_sha256, doc,
      changed: doc === null ? row.old_mark !== null : row.old_mark === null || row['old_traits'] !== doc.traits || DOC_FIELDS.some((f) => row[`old_${f}`] !== doc[f]),
      facts: { day: row.day, favourite: row.favourite === 1, country_code: row.country_code, region: row.region, city: row.city, camera: row.camera },
    };
  });
}

function toDoc(row: FactsRow): DueAsset['doc'] {
  const own = JSON.parse(row.paths) as string[];
  const members = JSON.parse(row.stacked ?? '[]') as [string, string[], string[], string[], string[]][];
  const paths = [...own, ...members.flatMap(([, held]) => held)];
  const list = (json: string) => JSON.parse(json) as string[];
  const tags = [...list(row.tags), ...members.flatMap((m) => m[4])];
  const doc = {
    names: joinLines(paths.map((path) => path.slice(path.lastIndexOf('/') + 1))),
    folders: joinLines(paths.map((path) => path.slice(0, Math.max(0, path.lastIndexOf('/'))).replaceAll('/', ' / '))),
    place: joinLines([row.street, row.neighbourhood, row.city, row.region, row.country, ...(row.country_code ? countryNames(row.country_code) : [])]),
    description: foldText((row.description ?? '').slice(0, MAX_FIELD_CHARS)),
    albums: joinLines([...list(row.albums), ...members.flatMap((m) => m[2])]),
    people: joinLines([...list(row.people), ...members.flatMap((m) => m[3])]),
    tags: joinLines(tags),
    camera: joinLines([row.camera, row.lens]),
  };
  for (const field of DOC_FIELDS) doc[field] = doc[field].slice(0, MAX_FIELD_CHARS).toWellFormed();
  return { ...doc, traits: traitsOf({ ...row, motion: row.motion === 1, memberTypes: members.map(([type]) => type), paths: own, tags }) };
}

// Of the rows of ?1 ([asset_id, mark, …]) those whose mark still is what was read before the facts were: a stale document never lies over a newer one.
const HELD = 'json_each(?1) j CROSS JOIN search_due s ON s.asset_id = j.value->>0 AND s.mark = j.value->>1';
const FIELDS = DOC_FIELDS.join(', ');
const OLD_WORDS = `INSERT INTO search_words (search_words, rowid, ${FIELDS}) SELECT 'delete', d.asset_id, ${DOC_FIELDS.map((f) => `d.${f}`).join(', ')} FROM ${HELD} CROSS JOIN search_docs d ON d.asset_id = s.asset_id`;
const OLD_NAMES = `INSERT INTO search_names (search_names, rowid, names) SELECT 'delete', d.asset_id, d.names FROM ${HELD} CROSS JOIN search_docs d ON d.asset_id = s.asset_id`;
const DROP_DOCS = `DELETE FROM search_docs WHERE asset_id IN (SELECT s.asset_id FROM ${HELD})`;
const DOC_COLUMNS = ['asset_id', 'mark', 'sha256', 'traits', ...DOC_FIELDS] as const;
const WRITE_DOCS = bulkUpsertSql({ table: 'search_docs', columns: DOC_COLUMNS, key: ['asset_id'], when: 'true' }, 'EXISTS (SELECT 1 FROM search_due s WHERE s.asset_id = value->>0 AND s.mark = value->>1)');
const NEW_WORDS = `INSERT INTO search_words (rowid, ${FIELDS}) SELECT d.asset_id, ${DOC_FIELDS.map((f) => `d.${f}`).join(', ')} FROM ${HELD} CROSS JOIN search_docs d ON d.asset_id = s.asset_id`;
const NEW_NAMES = `INSERT INTO search_names (rowid, names) SELECT d.asset_id, d.names FROM ${HELD} CROSS JOIN search_docs d ON d.asset_id = s.asset_id`;
const SAME_DOCS = `UPDATE search_docs SET mark = j.value->>1 FROM ${HELD} WHERE search_docs.asset_id = s.asset_id`;
const PRIMARIES_DUE = `INSERT INTO search_due (asset_id, mark) SELECT a.asset_id, random() >> 11 FROM json_each(?1) j CROSS JOIN assets a ON a.sha256 = j.value WHERE true ON CONFLICT (asset_id) DO NOTHING`;

/** Writes these documents in one transaction, but for those that were marked again since they were read. Leaves the marks (finishDue). */
export async function writeDocs(db: D1Database, due: readonly DueAsset[]): Promise<void> {
  const statements: D1PreparedStatement[] = [];
  const changed = due.filter((d) => d.changed);
  for (const part of toJsonParts(changed.map((d) => [d.assetId, d.mark]))) statements.push(...[OLD_WORDS, OLD_NAMES].map((sql) => db.prepare(sql).bind(part)));
  for (const part of toJsonParts(changed.filter((d) => d.doc === null).map((d) => [d.assetId, d.mark]))) statements.push(db.prepare(DROP_DOCS).bind(part));
  const written = changed.flatMap((d) => (d.doc ? [[d.assetId, d.mark, d.sha256, d.doc.traits, ...DOC_FIELDS.map((f) => d.doc?.[f])]] : []));
  for (const part of toJsonParts(written)) statements.push(db.prepare(WRITE_DOCS).bind(part));
  for (const part of toJsonParts(written.map((row) => row.slice(0, 2)))) statements.push(...[NEW_WORDS, NEW_NAMES].map((sql) => db.prepare(sql).bind(part)));
  for (const part of toJsonParts(due.filter((d) => !d.changed && d.doc).map((d) => [d.assetId, d.mark]))) statements.push(db.prepare(SAME_DOCS).bind(part));
  const primaries = due.flatMap((d) => d.primarySha256 ?? []);
  if (primaries.length > 0) statements.push(db.prepare(PRIMARIES_DUE).bind(JSON.stringify([...new Set(primaries)])));
  if (statements.length > 0) await db.batch(statements);
}

const FINISH = `DELETE FROM search_due WHERE (asset_id, mark) IN (SELECT value->>0, value->>1 FROM json_each(?1))`;
// Somebody wrote a newer document and its columns before ours went out: ours were the older word and lie over it now.
const OVERTAKEN = `INSERT INTO search_due (asset_id, mark) SELECT j.value->>0, random() >> 11 FROM json_each(?1) j LEFT JOIN search_docs d ON d.asset_id = j.value->>0
WHERE d.mark IS NOT CASE WHEN j.value->>2 THEN j.value->>1 END AND EXISTS (SELECT 1 FROM assets a WHERE a.asset_id = j.value->>0) ON CONFLICT (asset_id) DO NOTHING`;

/** Ends the slice once its documents and its columns are written: exactly what was read, and is no older than what is stored. */
export async function finishDue(db: D1Database, due: readonly DueAsset[]): Promise<void> {
  await db.batch([
    db.prepare(FINISH).bind(JSON.stringify(due.map((d) => [d.assetId, d.mark]))),
    db.prepare(OVERTAKEN).bind(JSON.stringify(due.map((d) => [d.assetId, d.mark, d.doc ? 1 : 0]))),
  ]);
}
