// How pages say orders: what each is called, how it stands, and what became of a file. Pure.
import { isDone, type OrderKind, type OrderProgress, type Outcome } from '../../protocol/orders.ts';
import { sayBytes, sayCount, sayNumber, sayThings } from './words.ts';

/** The word that lets the last known copies go. */
export const LAST_COPY_WORDS: Partial<Record<OrderKind, string>> = { trash: 'trash', empty: 'delete' };


/** What an order is called, by the number of tiles that were chosen; none where it is about everything. */
export function orderTitle(body: { kind: OrderKind; copies?: readonly unknown[] | null }, count: number | null, drive?: string): string {
  switch (body.kind) {
    case 'trash': return `Move ${body.copies ? sayCount(count ?? 0, 'copy', 'copies') : sayThings(count ?? 0)} to the trash`;
    case 'restore': return count === null ? 'Restore everything from the trash' : `Restore ${sayThings(count)}`;
    case 'empty': return count === null ? 'Empty the trash' : `Delete ${sayThings(count)} for good`;
    case 'verify': return `Verify ‘${drive ?? 'a drive'}’`;
    case 'copy': return drive === undefined ? `Copy ${sayThings(count ?? 0)} to a drive` : `Copy ${sayThings(count ?? 0)} to ‘${drive}’`;
    case 'mend': return `Mend ${sayCount(count ?? 0, 'damaged file')}`;
    case 'export': return `Export ${sayThings(count ?? 0)}`;
  }
}

const OUTCOMES: Record<Outcome, string> = {
  trashed: 'in the trash', restored: 'restored', emptied: 'deleted for good', verified: 'read and right', copied: 'copied', exported: 'exported', already: 'was there already',
  gone: 'not found', changed: 'changed since, left alone', away: 'its drive was away', last_copy: 'the last copy, left alone', name_taken: 'another file has its name', refused: 'not allowed', failed: 'failed',
  cancelled: 'given up before its turn', same_file: 'the same file as another', damaged: 'damaged', edited: 'edited since the last scan',
};
export function sayOutcome(outcome: Outcome): string { return OUTCOMES[outcome]; }

/** `12 in the trash, 1 changed since, left alone`. */
export function sayOutcomes(counts: readonly { outcome: Outcome; n: number }[]): string {
  return [...counts].sort((a, b) => Number(isDone(b.outcome)) - Number(isDone(a.outcome)) || b.n - a.n).map(({ outcome, n }) => `${sayNumber(n)} ${sayOutcome(outcome)}`).join(' · ');
}

const STATES: Record<string, string> = { draft: 'Not given yet', given: 'Waits for the agent', running: 'Being done', waiting: 'Waits for a drive', done: 'Done', cancelled: 'Given up', failed: 'Could not be begun' };
export function sayState(state: string, cancelled: boolean): string {
  return cancelled && (state === 'running' || state === 'given' || state === 'waiting') ? 'Being given up' : STATES[state] ?? state;
}

export function sayOrderProgress({ files, files_done, bytes, bytes_done }: OrderProgress): string {
  return files === 0 ? '' : `${sayNumber(files_done)} of ${sayCount(files, 'file')}${bytes > 0 ? ` · ${sayBytes(bytes_done)} of ${sayBytes(bytes)}` : ''}`;
}
