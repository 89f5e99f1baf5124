// `/`: the timeline, in pages and pieces, or the first page while there is nothing to show.
import { Hono } from 'hono';
import { NEAR_TILES, PIECE_TILES } from '../../protocol/limits.ts';
import { Sha256 } from '../../protocol/words.ts';
import { StartPage, WaitingPage } from '../../views/folders.tsx';
import { TimelinePage, type GridFacts, type Piece } from '../../views/timeline.tsx';
import type { App } from '../env.ts';
import { AppError, BadRequest } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { loadDayPlaces } from '../middleware/layout.ts';
import { loadFrame, sendPage, type PageContext } from '../middleware/page.tsx';
import { listFolders } from '../store/drives.ts';
import { readTimelineKeys } from '../store/layouts.ts';
import {
  cursorAfter, cursorAt, cursorOfMonth, cursorText, cutPiece, findTile, findUndated, listMonths, listNewer, listOlder, NEWEST, parseCursor, type Cursor, type Tile,
} from '../store/timeline.ts';

export const timeline = new Hono<App>();

timeline.get('/', async (c) => {
  const db = c.env.DB;
  const { after, before } = c.req.query();
  if (after !== undefined) return sendTimeline(c, await loadNewer(db, readCursor(after)), 'midst');
  const start = before !== undefined ? readCursor(before) : await findStart(c);
  return sendTimeline(c, await loadOlder(db, start, start !== NEWEST), c.req.query('at') === undefined ? 'midst' : 'group');
});

async function sendTimeline(c: PageContext, piece: Piece & { tiles: Tile[] }, begin: GridFacts['begin']): Promise<Response> {
  if (piece.tiles.length === 0 && !piece.newer) return sendEmpty(c);
  const db = c.env.DB;
  const [frame, months, { version }, places] = await Promise.all([loadFrame(c), listMonths(db), readTimelineKeys(db), loadDayPlaces(db, piece.tiles)]);
  return sendPage(c, <TimelinePage frame={frame} piece={piece} places={places} months={months} grid={{ begin: piece.newer === null ? 'first' : begin, version }} />);
}

async function sendEmpty(c: PageContext): Promise<Response> {
  const [frame, folders] = await Promise.all([loadFrame(c), listFolders(c.env.DB)]);
  if (folders.length > 0) return sendPage(c, <WaitingPage frame={frame} folders={folders} />);
  const offer = frame.agentAway ? null : await askAgent(c.env, 'drives', {}).catch((error: unknown) => {
    if (error instanceof AppError) return null;
    throw error;
  });
  return sendPage(c, <StartPage frame={frame} add={{ offer, browse: null, path: '' }} />);
}

/** Where the page begins: `at` a month or year, `near` a tile, else with the newest. */
async function findStart(c: PageContext): Promise<Cursor> {
  const at = c.req.query('at');
  if (at === 'none') return (await findUndated(c.env.DB)) ?? NEWEST;
  if (at !== undefined) {
    const cursor = cursorOfMonth(at);
    if (!cursor) throw new BadRequest('An address names a month as in 2023-10.');
    return cursor;
  }
  const near = c.req.query('near');
  if (near === undefined || !Sha256.safeParse(near).success) return NEWEST;
  const tile = await findTile(c.env.DB, near);
  if (!tile) return NEWEST;
  const newer = await listNewer(c.env.DB, cursorAfter(tile), NEAR_TILES);
  // Few enough newer ones: then the page is simply the first.
  if (newer.length < NEAR_TILES) return NEWEST;
  return cursorAt(newer[0] ?? tile);
}

async function loadOlder(db: D1Database, start: Cursor, hasNewer: boolean): Promise<Piece & { tiles: Tile[] }> {
  const [rows, newer] = await Promise.all([listOlder(db, start, PIECE_TILES + 1), hasNewer ? listNewer(db, beforeCursor(start), 1) : []]);
  const { tiles, more } = cutPiece(rows, PIECE_TILES, 'older');
  const last = tiles.at(-1);
  return { tiles, older: more && last ? `/?before=${cursorText(cursorAfter(last))}` : null, newer: newer.length > 0 ? `/?after=${cursorText(beforeCursor(start))}` : null };
}

async function loadNewer(db: D1Database, start: Cursor): Promise<Piece & { tiles: Tile[] }> {
  const { tiles, more } = cutPiece(await listNewer(db, start, PIECE_TILES + 1), PIECE_TILES, 'newer');
  const first = tiles[0];
  const older = await listOlder(db, { sortMs: start.sortMs, assetId: start.assetId + 1 }, 1);
  return {
    tiles, newer: more && first ? `/?after=${cursorText(cursorAfter(first))}` : null,
    older: older.length > 0 ? `/?before=${cursorText({ sortMs: start.sortMs, assetId: start.assetId + 1 })}` : null,
  };
}

/** The same place seen from the other side: `older` is strictly below a cursor, so `newer` must begin with it. */
function beforeCursor(cursor: Cursor): Cursor {
  return { sortMs: cursor.sortMs, assetId: cursor.assetId - 1 };
}

function readCursor(text: string): Cursor {
  const cursor = parseCursor(text);
  if (!cursor) throw new BadRequest('This address names no place in the timeline.');
  return cursor;
}
