// The owner's curation from the Worker into a file: by the command, and every night while the agent runs. Nothing is written
// where nothing changed since the newest file.
import { statSync } from 'node:fs';
import { CURATION_PARTS, type CurationLine } from '../../protocol/curation.ts';
import { assertRoom } from '../files/room.ts';
import { fetchCuration, type WorkerAddress } from '../push/client.ts';
import { contentOf, curationFolder, keepNewest, listCurationFiles, newCurationName, writeCurationFile, type Written } from './curation-file.ts';

/** All lines of the library, in the order of a file. What is put into an album while this reads, and the album made just then, waits for the next file. */
export async function* readLibrary(worker: WorkerAddress, seen: { assets: number }): AsyncGenerator<CurationLine> {
  const albums = new Set<string>();
  for (const part of CURATION_PARTS) {
    for (let after: string | null = ''; after !== null;) {
      const page: Awaited<ReturnType<typeof fetchCuration>> = await fetchCuration(worker, part, after);
      if (part === CURATION_PARTS[0]) seen.assets = page.assets;
      for (const line of page.lines) {
        if (line.type === 'album') albums.add(line.album);
        if (line.type !== 'member' || albums.has(line.album)) yield line;
      }
      after = page.next;
    }
  }
}

/** Into the data folder. `written` is false where the newest sound file says the same already (`file` is that one), or there is nothing to keep yet. */
export async function exportNightly(worker: WorkerAddress, dataDir: string, nowMs: number): Promise<Written & { removed: string[] }> {
  assertRoom(dataDir);
  const folder = curationFolder(dataDir);
  const newest = listCurationFiles(folder).at(-1);
  const seen = { assets: 0 };
  const unless = newest ? await contentOf(newest) : '';
  const done = await writeCurationFile({ file: newCurationName(folder, nowMs), lines: readLibrary(worker, seen), assets: () => seen.assets, nowMs, unless });
  return { ...done, file: done.written ? done.file : newest ?? '', removed: done.written ? keepNewest(folder) : [] };
}

/** The hour of the night, local, after which a file is due. */
const NIGHT_HOUR = 3;
const DAY_MS = 86_400_000;
/** A library that is never at rest is kept all the same. */
const OVERDUE_MS = DAY_MS;

/**
 * Whether a file is due: `now`, at the next moment of rest (`at-rest`), or not yet (`no`). `lastMs`: when the library was last
 * looked at for it, null for never. Local time is the process's own.
 */
export function decideNightly(nowMs: number, lastMs: number | null): 'now' | 'at-rest' | 'no' {
  // A clock that was set back since says nothing of when that was.
  if (lastMs === null || lastMs > nowMs) return 'at-rest';
  const night = new Date(lastMs);
  night.setHours(NIGHT_HOUR, 0, 0, 0);
  if (night.getTime() <= lastMs) night.setDate(night.getDate() + 1);
  const dueMs = Math.min(night.getTime(), lastMs + DAY_MS);
  if (nowMs < dueMs) return 'no';
  return nowMs >= dueMs + OVERDUE_MS ? 'now' : 'at-rest';
}

const LOOK_EVERY_MS = 60_000;

/** Looks every minute whether a file is due, until it is stopped. `stop` waits for the one that is being written. */
export function watchNights(args: { worker(): WorkerAddress; dataDir: string; isAtRest(): boolean; say(line: string): void; now?: () => number; everyMs?: number }): { stop(): Promise<void> } {
  const now = args.now ?? Date.now;
  const newest = listCurationFiles(curationFolder(args.dataDir)).at(-1);
  let lastMs = newest ? statSync(newest, { throwIfNoEntry: false })?.mtimeMs ?? null : null;
  let running: Promise<void> | undefined;
  let trouble = '';
  const timer = setInterval(() => {
    const due = running ? 'no' : decideNightly(now(), lastMs);
    if (due === 'no' || (due === 'at-rest' && !args.isAtRest())) return;
    // Of the night in which it began, however long it took.
    const startedMs = now();
    running = exportNightly(args.worker(), args.dataDir, startedMs).then(() => { lastMs = startedMs; trouble = ''; }, (error: unknown) => {
      const said = `What you did in the library could not be kept in a file: ${error instanceof Error ? error.message : String(error)}`;
      // Said once; tried again every minute.
      if (said !== trouble) args.say(said);
      trouble = said;
    }).finally(() => { running = undefined; });
  }, args.everyMs ?? LOOK_EVERY_MS);
  return { stop: async () => { clearInterval(timer); await running; } };
}
