// `/grid/…?of=ADDRESS`: what the one grid module of the pages asks of any grid, the timeline (`/`) included: its exact layout,
// pieces of tiles by key, hashes of a run, and where an asset stands.
import { Hono } from 'hono';
import { writeLayout } from '../../protocol/layout.ts';
import { GridPieceView } from '../../views/timeline.tsx';
import type { App } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { findGrid, listRunHashes, loadLayout, loadRun, locateTile, type AnyGrid } from '../middleware/layout.ts';
import { sendFragment, type PageContext } from '../middleware/page.tsx';
import { readTimelineKeys } from '../store/layouts.ts';

/** Tiles in one answer, of pages that join the ends of two pieces. */
const MAX_PIECE = 400;
/** Hashes in one answer: what can be selected at once is asked for in a few. */
const MAX_HASHES = 20_000;

/** Characters of a layout that are compressed: some 10 ms of work. */
const MAX_COMPRESSED = 300_000;

export const grid = new Hono<App>();

grid.get('/grid/layout', async (c) => {
  const of = readOf(c);
  const since = readCount(c.req.query('since') ?? '0', Number.MAX_SAFE_INTEGER);
  c.header('Cache-Control', 'private, no-cache');
  if (of.kind === 'timeline') {
    const { version, keys } = await readTimelineKeys(c.env.DB);
    const tag = `W/"${version.toString(36)}-${keys.length}-${keys[0] ?? 0}"`;
    c.header('ETag', tag);
    if (c.req.header('If-None-Match') === tag) return c.body(null, 304);
  }
  const text = writeLayout(await loadLayout(c.env, of, since));
  // Many small months weigh more than their tiles; a large library's bytes are its ratios, which are worth no time of compressing.
  if (text.length <= MAX_COMPRESSED && c.req.header('Accept-Encoding')?.includes('gzip')) c.header('Content-Encoding', 'gzip');
  return c.text(text);
});

grid.get('/grid/piece', async (c) => {
  const of = readOf(c);
  const run = await loadRun(c.env, of, c.req.query('from') ?? '', readCount(c.req.query('n') ?? '', MAX_PIECE));
  return sendFragment(c, <GridPieceView {...run} inside={of.inside} />);
});

grid.get('/grid/hashes', async (c) => {
  const hashes = await listRunHashes(c.env, readOf(c), c.req.query('from') ?? '', readCount(c.req.query('n') ?? '', MAX_HASHES));
  c.header('Cache-Control', 'private, no-store');
  return c.json(hashes);
});

grid.get('/grid/locate', async (c) => {
  // That it stands nowhere in this grid is an answer, and no error for a console: what is looked for may have left just now.
  const where = await locateTile(c.env, readOf(c), c.req.query('sha256') ?? '');
  c.header('Cache-Control', 'private, no-store');
  return c.json(where ?? null);
});

function readOf(c: PageContext): AnyGrid {
  const of = findGrid(c.req.query('of') ?? '');
  if (!of) throw new BadRequest('`of` names no grid.');
  return of;
}

function readCount(text: string, max: number): number {
  if (!/^\d{1,16}$/.test(text)) throw new BadRequest('A count is a whole number.');
  return Math.min(max, Number(text));
}
