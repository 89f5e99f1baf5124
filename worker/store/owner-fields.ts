// The columns of `curation` that hold the owner's word, whichever they are: what is handed on and imported is all of them.
import { getTableColumns } from 'drizzle-orm';
import { curation } from '../db/schema.ts';

export type OwnerField = Exclude<keyof typeof curation.$inferSelect, 'sha256' | 'changed_at_ms'>;
export const OWNER_FIELDS = (Object.keys(getTableColumns(curation)) as (keyof typeof curation.$inferSelect)[]).filter((c): c is OwnerField => c !== 'sha256' && c !== 'changed_at_ms');

/** Taken over together or not at all: half a position is another place, an offset without its time another moment. */
const TOGETHER: readonly (readonly OwnerField[])[] = [['latitude', 'longitude', 'cell', 'no_position'], ['taken_at', 'utc_offset_minutes', 'time_shift_s']];
export const togetherWith = (field: OwnerField): readonly OwnerField[] => TOGETHER.find((group) => group.includes(field)) ?? [field];

/** SQL: an object of all fields, as the rows of an edit hold them before and after. */
export const ownerObject = (of: (field: OwnerField) => string): string => `json_object(${OWNER_FIELDS.map((field) => `'${field}', ${of(field)}`).join(', ')})`;
