// What a change of the owner's did, in one line for the page of changes. Pure.
import type { CorrectionChange } from '../../protocol/correction.ts';
import { sayCount, sayDate, sayPosition, sayShift, sayTime, sayUtc } from './words.ts';

/** Tags and albums that the line of a change names, and how much of each. */
const MAX_NAMES_SAID = 3;
const MAX_NAME_SAID = 60;

/** `titles`: of the albums that the change names. */
export function summarise(change: CorrectionChange, titles: ReadonlyMap<number, string> = new Map()): string {
  const parts: string[] = [];
  if (change.taken_at === null) parts.push('Time as the file says');
  else if (change.taken_at !== undefined) parts.push(`Time set to ${sayDate(change.taken_at)}, ${sayTime(change.taken_at)}`);
  const by = change.move_s ?? change.shift_s;
  if (by !== undefined) parts.push(`Time moved by ${sayShift(by)}`);
  if (change.zone !== undefined) parts.push(`Zone set to ${change.zone.replaceAll('_', ' ')}`);
  else if (change.utc_offset_minutes != null && change.taken_at === undefined) parts.push(`Zone set to ${sayUtc(change.utc_offset_minutes)}`);
  if (change.position === null) parts.push('Place as the file says');
  else if (change.position === 'none') parts.push('Place taken away');
  else if (change.position !== undefined) parts.push(`Place set to ${sayPosition(change.position.latitude, change.position.longitude)}`);
  if (change.description !== undefined) parts.push(change.description === null ? 'Description as the file says' : change.description === '' ? 'Description taken away' : 'Description written');
  if (change.favourite !== undefined) parts.push(change.favourite ? 'Made favourite' : 'No longer favourite');
  if (change.archived !== undefined) parts.push(change.archived ? 'Archived' : 'Back from the archive');
  if (change.rating !== undefined) parts.push(change.rating === null ? 'Stars as the file says' : change.rating === 0 ? 'Stars taken away' : `Given ${sayCount(change.rating, 'star')}`);
  const names = (all: readonly string[]) => (all.length > MAX_NAMES_SAID ? `${all.slice(0, MAX_NAMES_SAID).join(', ')} and ${all.length - MAX_NAMES_SAID} more` : all.join(', '));
  const quoted = (tags: readonly string[]) => names(tags.map((tag) => `‘${tag.slice(0, MAX_NAME_SAID)}’`));
  const albums = (ids: readonly number[]) => quoted(ids.map((id) => titles.get(id) ?? String(id)));
  if (change.tags_add?.length) parts.push(`Tagged ${quoted(change.tags_add)}`);
  if (change.tags_remove?.length) parts.push(`${change.tags_remove.length === 1 ? 'Tag' : 'Tags'} ${quoted(change.tags_remove)} taken away`);
  if (change.albums_add?.length) parts.push(`Put into ${albums(change.albums_add)}`);
  if (change.albums_remove?.length) parts.push(`Taken out of ${albums(change.albums_remove)}`);
  return parts.join(', ') || 'Changed';
}
