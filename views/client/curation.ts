// What the owner does, sent to the Worker: one change to some assets, and its way back. Who calls shows it before it is saved.
import type { CorrectionChange } from '../../protocol/correction.ts';

/** What /api/corrections takes. */
export type Change = CorrectionChange;
export interface Album { album_id: number; title: string; count: number; smart: boolean }

/** One after the other, in the order in which they were done. */
let line: Promise<unknown> = Promise.resolve();

function inLine<T>(work: () => Promise<T>): Promise<T> {
  const done = line.then(work, work);
  line = done.catch(() => undefined);
  return done;
}

/** The reason that the Worker gave, or that nobody answered. */
export class NotSaved extends Error {}

async function ask(method: 'GET' | 'POST', address: string, body?: unknown): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(address, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }) });
  } catch { throw new NotSaved('Jharokha cannot be reached.'); }
  const said: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw new NotSaved(readMessage(said) ?? 'Jharokha could not do it.');
  return said;
}

function readMessage(said: unknown): string | undefined {
  return said !== null && typeof said === 'object' && 'error' in said && typeof said.error === 'string' ? said.error : undefined;
}

/** The edit's number; null where all was so already. Throws NotSaved. */
export function sendChange(sha256s: readonly string[], change: Change): Promise<number | null> {
  return inLine(async () => {
    const said = await ask('POST', '/api/corrections', { scope: { kind: 'assets', sha256s }, change });
    return said !== null && typeof said === 'object' && 'edit_id' in said && typeof said.edit_id === 'number' ? said.edit_id : null;
  });
}

export function undoChange(editId: number): Promise<unknown> {
  return inLine(() => ask('POST', `/api/edits/${editId}/undo`));
}

export async function listAlbums(): Promise<Album[]> {
  const said = await ask('GET', '/api/albums');
  return said !== null && typeof said === 'object' && 'albums' in said && Array.isArray(said.albums) ? (said.albums as Album[]) : [];
}

export async function makeAlbum(title: string): Promise<number> {
  const said = await ask('POST', '/api/albums', { title });
  if (said !== null && typeof said === 'object' && 'album_id' in said && typeof said.album_id === 'number') return said.album_id;
  throw new NotSaved('Jharokha could not make the album.');
}

/** Drafts an order; the address of the page that says what it would do. */
export async function planOrder(kind: 'trash' | 'export' | 'copy', sha256s: readonly string[]): Promise<string> {
  const said = await ask('POST', '/orders/plan', { kind, sha256s });
  if (said !== null && typeof said === 'object' && 'address' in said && typeof said.address === 'string') return said.address;
  throw new NotSaved('Jharokha could not look that up.');
}

/** Asks for a zip of originals: its address, or null; and what is left out of it, or why there is none. */
export async function planZip(sha256s: readonly string[]): Promise<{ address: string | null; said: string | null }> {
  return await ask('POST', '/originals.zip', { sha256s }) as { address: string | null; said: string | null };
}
