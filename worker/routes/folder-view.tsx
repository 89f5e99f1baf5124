// `/volumes/ID/folders/…`: a drive's folders, as they are known, with what lies in each.
import { Hono } from 'hono';
import { FolderViewPage } from '../../views/folder-view.tsx';
import { withQuery } from '../../views/parts/addresses.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { loadGridPiece, readGrid } from '../middleware/grid.ts';
import { loadConnected, loadFrame, readWhere, sendPage } from '../middleware/page.tsx';
import { driveLabel, findDrive } from '../store/drives.ts';
import { countMissing, hasBelow, listSubfolders } from '../store/folder-pages.ts';
import { countGrid } from '../store/grids.ts';

const SUBFOLDERS_SHOWN = 120;

export const folderView = new Hono<App>();

// The address as it came: names of folders may hold anything.
folderView.get('/volumes/:id/folders/*', async (c) => {
  const url = new URL(c.req.url);
  const at = readGrid(url.pathname.replace(/\/$/, ''));
  if (at?.grid.kind !== 'folder') throw new NotFound('There is no such folder.');
  const { grid, address } = at;
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const { volume_id, path } = grid;
  const [frame, drive, connected, known, subfolders, count, missing] = await Promise.all([
    loadFrame(c), findDrive(c.env.DB, volume_id), loadConnected(c), hasBelow(c.env.DB, volume_id, path),
    listSubfolders(c.env.DB, volume_id, path, c.req.query('after'), SUBFOLDERS_SHOWN + 1), countGrid(c.env.DB, grid), countMissing(c.env.DB, volume_id, path),
  ]);
  if (!drive || (!known && path !== '')) throw new NotFound('There is no such folder in the library.');
  const shown = subfolders.slice(0, SUBFOLDERS_SHOWN);
  const last = subfolders.length > SUBFOLDERS_SHOWN ? shown.at(-1) : undefined;
  const folder = { volume_id, label: driveLabel(drive), connected: connected.has(volume_id), path, subfolders: shown, nextSubfolders: last ? withQuery(address, { after: last.name }) : null, count, missing, piece };
  return sendPage(c, <FolderViewPage frame={frame} folder={folder} />);
});
