// The columns of `curation` that hold the owner's word, whichever they are: what is handed on and imported is all of them.
import { getTableColumns } from 'drizzle-orm';
import { curation } from '../db/schema.ts';

export type OwnerField = Exclude<keyof typeof curation.$inferSelect, 'sha256' | 'changed_at_ms'>;
export const OWNER_FIELDS = (Object.keys(getTableColumns(curation)) as (keyof typeof curation.$inferSelect)[]).filter((c): c is OwnerField => c !== 'sha256' && c !== 'changed_at_ms');

/** Taken over together or not at all: half a position is another place, an offset without its time another moment. */
const TOGETHER: readonly (readonly OwnerField[])[] = [['latitude', 'longitude', 'cell', 'no_position'], ['taken_at', 'utc_offset_minutes', 'time_shift_s']];
export const togetherWith = (field: OwnerField): readonly OwnerField[] => TOGETHER.find((group) => group.includes(field)) ?? [field];

/** SQL of the owner's word on one tag in a list as curation keeps it. */
const tagState = (tags: string) => `CASE WHEN w.tag IN (SELECT value FROM json_each(${tags}, '$.add')) THEN 'add' WHEN w.tag IN (SELECT value FROM json_each(${tags}, '$.remove')) THEN 'remove' END`;
/** SQL of what `tags` says of each tag that it or `other` names: [[tag, 'add' | 'remove' | null], …], the same tags in the same order whichever of the two is told. */
export const tagEntries = (tags: string, other: string): string => `(SELECT json_group_array(json_array(w.tag, ${tagState(tags)}) ORDER BY w.tag) FROM (
  ${[tags, other].flatMap((list) => [`SELECT value AS tag FROM json_each(${list}, '$.add')`, `SELECT value FROM json_each(${list}, '$.remove')`]).join(' UNION ')}) w)`;

/**
 * SQL of one side of an edit's row: the single values, `tags` as tagEntries makes them, and `albums` as
 * [[album_id, 'owner' | 'left' | null, position], …], the same albums in the same order on both sides. Every row of an edit
 * has all keys, for an undo asks one row which there are.
 */
export const editSide = (of: (field: OwnerField) => string, tags: string, albums: string): string =>
  `json_object(${OWNER_FIELDS.filter((field) => field !== 'tags').map((field) => `'${field}', ${of(field)}`).join(', ')}, 'tags', json(${tags}), 'albums', json(${albums}))`;
