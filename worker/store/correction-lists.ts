// Tags and albums in an edit: lists, of which each entry has a state of its own before and after, so that an undo takes back
// what this edit did and nothing that came later. SQL alone; corrections.ts puts it together.
//
// `before` and `after` of an edit's row hold them as `"tags": [[tag, "add" | "remove" | null], …]` and
// `"albums": [[album_id, "owner" | "left" | null, position], …]`, the same entries in the same order in both.

import { ofOwner } from './album-members.ts';
import { tagState } from './owner-fields.ts';

/** Tags as they are (`c`) of those that `?2` names, and as the change makes them. */
export const TAGS_BEFORE = `(SELECT json_group_array(json_array(w.value->>0, ${tagState('c.tags', 'w.value->>0')}) ORDER BY w.key) FROM json_each(?2, '$.tags') w)`;
export const TAGS_AFTER = "json(?2->'tags')";

const NOTHING = '{"add":[],"remove":[]}';
/** A list of tags (JSON) with the pairs of a query `n (tag, state)` put over it; NULL where nothing is left. */
const mergeTags = (tags: string, pairs: string): string => `(SELECT nullif(json_object('add', json_group_array(k ORDER BY k) FILTER (WHERE st = 'add'), 'remove', json_group_array(k ORDER BY k) FILTER (WHERE st = 'remove')), '${NOTHING}') FROM (
  SELECT o.value AS k, 'add' AS st FROM json_each(${tags}, '$.add') o WHERE o.value NOT IN (SELECT tag FROM (${pairs}))
  UNION ALL SELECT o.value, 'remove' FROM json_each(${tags}, '$.remove') o WHERE o.value NOT IN (SELECT tag FROM (${pairs}))
  UNION ALL SELECT tag, state FROM (${pairs})))`;

/** The new list of an edit's row `r` over the list of curation that `old` says. */
export const mergedTags = (old: string): string => mergeTags(old, "SELECT n.value->>0 AS tag, n.value->>1 AS state FROM json_each(r.after, '$.tags') n");

/** Entries of an edit's row `r` that it changed, as they were and as they were made. */
const CHANGED_TAGS = `SELECT n.value->>0 AS tag, b.value->>1 AS state, n.value->>1 AS made FROM json_each(r.after, '$.tags') n CROSS JOIN json_each(r.before, '$.tags') b ON b.key = n.key WHERE (n.value->>1) IS NOT (b.value->>1)`;
const tagHolds = `${tagState('c.tags', 'y.tag')} IS y.made`;
/** Undo of tags over `c` and `r`: whether some are still as the edit made them, whether some are not, and the list then. */
export const UNDO_TAGS = {
  some: `EXISTS (SELECT 1 FROM (${CHANGED_TAGS}) y WHERE ${tagHolds})`,
  kept: `EXISTS (SELECT 1 FROM (${CHANGED_TAGS}) y WHERE NOT (${tagHolds}))`,
  value: mergeTags('c.tags', `SELECT y.tag, y.state FROM (${CHANGED_TAGS}) y WHERE ${tagHolds}`),
};

const own = (column: string, album: string, sha256: string): string => `(SELECT g.${column} FROM album_assets g WHERE g.album_id = ${album} AND g.sha256 = ${sha256} AND ${ofOwner('g')} LIMIT 1)`;
const has = (layer: string, album: string, sha256: string): string => `EXISTS (SELECT 1 FROM album_assets h WHERE h.album_id = ${album} AND h.sha256 = ${sha256} AND h.layer = '${layer}')`;

/**
 * Albums as they are for a hash of the scope `s`, of those that `?2` names as [album_id, "put" | "take", imported]; and as the
 * change makes them: what is in stays as it is; what is taken out of an export's album is kept out of it.
 */
export const ALBUMS_BEFORE = `(SELECT json_group_array(json_array(w.value->>0, ${own('layer', 'w.value->>0', 's.sha256')}, ${own('position', 'w.value->>0', 's.sha256')}) ORDER BY w.key) FROM json_each(?2, '$.albums') w)`;
const [isOwn, isLeft, isImported] = ['owner', 'left', 'import'].map((layer) => has(layer, 'w.value->>0', 's.sha256'));
const after = `CASE WHEN w.value->>1 = 'put' THEN CASE WHEN ${isOwn} OR (${isImported} AND NOT ${isLeft}) THEN ${own('layer', 'w.value->>0', 's.sha256')} ELSE 'owner' END
  WHEN w.value->>2 AND (${isOwn} OR ${isImported}) THEN 'left' WHEN ${isOwn} THEN NULL ELSE ${own('layer', 'w.value->>0', 's.sha256')} END`;
export const ALBUMS_AFTER = `(SELECT json_group_array(json_array(w.value->>0, ${after}, CASE WHEN (${after}) = 'owner' THEN ${own('position', 'w.value->>0', 's.sha256')} END) ORDER BY w.key) FROM json_each(?2, '$.albums') w)`;

/** Entries that an edit (`?1`) changed. */
const CHANGED_ALBUMS = `SELECT r.sha256, n.value->>0 AS album_id, b.value->>1 AS was, b.value->>2 AS was_position, n.value->>1 AS made, n.value->>2 AS made_position
  FROM edit_rows r CROSS JOIN json_each(r.after, '$.albums') n CROSS JOIN json_each(r.before, '$.albums') b ON b.key = n.key WHERE r.edit_id = ?1 AND (n.value->>1) IS NOT (b.value->>1)`;
/** The edit's albums, once its rows are written. */
export const WRITE_ALBUMS = [
  `DELETE FROM album_assets WHERE ${ofOwner('album_assets')} AND (album_id, sha256) IN (SELECT album_id, sha256 FROM (${CHANGED_ALBUMS}))`,
  `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT album_id, sha256, made, made_position FROM (${CHANGED_ALBUMS}) WHERE made IS NOT NULL`,
];

const CHANGED_OF_ROW = `SELECT n.value->>0 AS album_id, b.value->>1 AS was, n.value->>1 AS made FROM json_each(r.after, '$.albums') n CROSS JOIN json_each(r.before, '$.albums') b ON b.key = n.key WHERE (n.value->>1) IS NOT (b.value->>1)`;
const albumHolds = `${own('layer', 'y.album_id', 'r.sha256')} IS y.made`;
export const UNDO_ALBUMS = {
  some: `EXISTS (SELECT 1 FROM (${CHANGED_OF_ROW}) y WHERE ${albumHolds})`,
  kept: `EXISTS (SELECT 1 FROM (${CHANGED_OF_ROW}) y WHERE NOT (${albumHolds}))`,
  /** First what was comes back beside what is, where that is still what the edit made; then what the edit made goes. */
  write: (stands: string): string[] => [
    `INSERT INTO album_assets (album_id, sha256, layer, position) SELECT y.album_id, y.sha256, y.was, y.was_position FROM (${CHANGED_ALBUMS}) y WHERE y.was IS NOT NULL AND ${own('layer', 'y.album_id', 'y.sha256')} IS y.made AND ${stands}`,
    `DELETE FROM album_assets WHERE (album_id, sha256, layer) IN (SELECT album_id, sha256, made FROM (${CHANGED_ALBUMS}) WHERE made IS NOT NULL) AND ${stands}`,
  ],
};
