// The columns of `curation` that hold the owner's word, whichever they are: what is handed on and imported is all of them.
import { getTableColumns } from 'drizzle-orm';
import { curation } from '../db/schema.ts';

export type OwnerField = Exclude<keyof typeof curation.$inferSelect, 'sha256' | 'changed_at_ms'>;
export const OWNER_FIELDS = (Object.keys(getTableColumns(curation)) as (keyof typeof curation.$inferSelect)[]).filter((c): c is OwnerField => c !== 'sha256' && c !== 'changed_at_ms');

/** Those that hold one value; tags are a list. */
export const VALUE_FIELDS = OWNER_FIELDS.filter((field) => field !== 'tags');

/** Written, undone and taken over together or not at all: half a position is another place. */
export const POSITION_FIELDS: readonly Exclude<OwnerField, 'tags'>[] = ['latitude', 'longitude', 'cell', 'no_position'];
/** Taken over together: an offset without its time is another moment. */
const TOGETHER: readonly (readonly OwnerField[])[] = [POSITION_FIELDS, ['taken_at', 'utc_offset_minutes', 'time_shift_s']];
export const togetherWith = (field: OwnerField): readonly OwnerField[] => TOGETHER.find((group) => group.includes(field)) ?? [field];

/** A mark as a column keeps it: yes, no, or nothing said. */
export const readMark = (value: number | null): boolean | null => (value === null ? null : value === 1);

/** SQL of the owner's word on one tag in a list as curation keeps it. */
export const tagState = (tags: string, tag: string): string => `CASE WHEN ${tag} IN (SELECT value FROM json_each(${tags}, '$.add')) THEN 'add' WHEN ${tag} IN (SELECT value FROM json_each(${tags}, '$.remove')) THEN 'remove' END`;
/** SQL of what `tags` says of each tag that it or `other` names: [[tag, 'add' | 'remove' | null], …], the same tags in the same order whichever of the two is told. */
export const tagEntries = (tags: string, other: string): string => `(SELECT json_group_array(json_array(w.tag, ${tagState(tags, 'w.tag')}) ORDER BY w.tag) FROM (
  ${[tags, other].flatMap((list) => [`SELECT value AS tag FROM json_each(${list}, '$.add')`, `SELECT value FROM json_each(${list}, '$.remove')`]).join(' UNION ')}) w)`;

/**
 * SQL of one side of an edit's row: the single values, `tags` as tagEntries makes them, and `albums` as
 * [[album_id, 'owner' | 'left' | null, position], …], the same albums in the same order on both sides. Every row of an edit
 * has all keys, for an undo asks one row which there are.
 */
export const editSide = (of: (field: OwnerField) => string, tags: string, albums: string): string =>
  `json_object(${VALUE_FIELDS.map((field) => `'${field}', ${of(field)}`).join(', ')}, 'tags', json(${tags}), 'albums', json(${albums}))`;
