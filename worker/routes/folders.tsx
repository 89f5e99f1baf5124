// `/folders` and `/progress`: adding, excluding, scanning and taking out folders, and what the scans found. The agent does it all.
import { Hono } from 'hono';
import { ScanButton } from '../../views/drives.tsx';
import { AddFolderPage, BrowseList, FolderPage, RemoveFolderPage, Waiting, type AddFacts, type Browse } from '../../views/folders.tsx';
import { StatusLine } from '../../views/frame.tsx';
import { ProgressPage, type ScanFacts } from '../../views/progress.tsx';
import type { App } from '../env.ts';
import { AppError, BadRequest, NotFound } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { loadFrame, loadStatus, sayRefusal, sendBack, sendFragment, sendPage, wantsFragment, type PageContext } from '../middleware/page.tsx';
import { driveLabel, findFolder, listDrives, listFolders, type Folder } from '../store/drives.ts';
import { listScans } from '../store/scan-pages.ts';

/** Scans on the page of what was read, over all drives. */
const SCANS_SHOWN = 20;
const MAX_EXCLUDES = 200;
const MAX_EXCLUDE_LENGTH = 1_000;

export const folders = new Hono<App>();

folders.get('/folders/add', async (c) => {
  const path = c.req.query('path') ?? '';
  if (wantsFragment(c)) {
    try {
      return sendFragment(c, <BrowseList browse={await browse(c, path)} />);
    } catch (error) {
      const refusal = sayRefusal(error);
      return sendFragment(c, <BrowseList browse={null} wrong={refusal.text} />, refusal.status);
    }
  }
  const add = await loadAdd(c, path);
  return sendPage(c, <AddFolderPage frame={await loadFrame(c)} add={add} />);
});

folders.post('/folders', async (c) => {
  const path = text(await c.req.formData(), 'path').trim();
  if (path === '') throw new BadRequest('A folder has a path.');
  try {
    await askAgent(c.env, 'add_root', { path });
  } catch (error) {
    const refusal = sayRefusal(error);
    const add = await loadAdd(c, '');
    return sendPage(c, <AddFolderPage frame={await loadFrame(c)} add={{ ...add, path, wrong: refusal.text }} />, refusal.status);
  }
  return sendBack(c, '/drives?done=added');
});

folders.get('/folders/scan', (c) => sendScanButton(c, null));
folders.get('/folders/:root/scan', (c) => sendScanButton(c, c.req.param('root')));
folders.post('/folders/scan', (c) => startScan(c, null));
folders.post('/folders/:root/scan', (c) => startScan(c, c.req.param('root')));

folders.get('/folders/:root', async (c) => {
  const said = c.req.query('done') === 'excludes' ? { said: 'Saved. The next scan heeds it.' } : {};
  return sendPage(c, <FolderPage frame={await loadFrame(c)} folder={await needFolder(c)} {...said} />);
});

folders.post('/folders/:root/excludes', async (c) => {
  const folder = await needFolder(c);
  const excludes = text(await c.req.formData(), 'excludes').split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const tooMuch = excludes.length > MAX_EXCLUDES ? `At most ${MAX_EXCLUDES} patterns.` : excludes.some((line) => line.length > MAX_EXCLUDE_LENGTH) ? 'One of the patterns is too long.' : undefined;
  if (tooMuch) return sendPage(c, <FolderPage frame={await loadFrame(c)} folder={{ ...folder, excludes }} wrong={tooMuch} />, 422);
  try {
    await askAgent(c.env, 'set_excludes', { root_id: folder.root_id, excludes });
  } catch (error) {
    const refusal = sayRefusal(error);
    return sendPage(c, <FolderPage frame={await loadFrame(c)} folder={{ ...folder, excludes }} wrong={refusal.text} />, refusal.status);
  }
  return sendBack(c, `/folders/${encodeURIComponent(folder.root_id)}?done=excludes`);
});

folders.get('/folders/:root/remove', async (c) => sendPage(c, <RemoveFolderPage frame={await loadFrame(c)} folder={await needFolder(c)} />));

folders.post('/folders/:root/remove', async (c) => {
  const folder = await needFolder(c);
  try {
    await askAgent(c.env, 'remove_root', { root_id: folder.root_id });
  } catch (error) {
    const refusal = sayRefusal(error);
    return sendPage(c, <RemoveFolderPage frame={await loadFrame(c)} folder={folder} wrong={refusal.text} />, refusal.status);
  }
  return sendBack(c, '/drives?done=removed');
});

folders.get('/progress', async (c) => {
  if (wantsFragment(c)) {
    if (c.req.query('part') === 'waiting') return sendFragment(c, <Waiting frame={await loadFrame(c)} />);
    return sendFragment(c, <StatusLine status={await loadStatus(c)} />);
  }
  return sendPage(c, <ProgressPage frame={await loadFrame(c)} scans={await loadScans(c)} nowMs={Date.now()} />);
});

async function startScan(c: PageContext, rootId: string | null): Promise<Response> {
  try {
    await askAgent(c.env, 'scan', { root_id: rootId });
  } catch (error) {
    const refusal = sayRefusal(error);
    if (wantsFragment(c)) return sendFragment(c, <ScanButton rootId={rootId} label="Try again" wrong={refusal.text} />, refusal.status);
    throw error;
  }
  return wantsFragment(c) ? sendFragment(c, <ScanButton rootId={rootId} label="" scanning />) : sendBack(c, '/drives?done=scan');
}

/** Fragment: a scan's button, once there is no scan any more. */
async function sendScanButton(c: PageContext, rootId: string | null): Promise<Response> {
  const scanning = (await loadStatus(c))?.phase === 'scanning';
  return sendFragment(c, <ScanButton rootId={rootId} label={rootId === null ? 'Scan everything now' : 'Scan now'} scanning={scanning} />);
}

async function browse(c: PageContext, path: string): Promise<Browse | null> {
  return path === '' ? null : askAgent(c.env, 'browse', { path });
}

/** What the page of adding shows; a folder that cannot be looked into is said, and the rest still stands. */
async function loadAdd(c: PageContext, path: string): Promise<AddFacts> {
  try {
    const offer = await askAgent(c.env, 'drives', {});
    try {
      return { offer, browse: await browse(c, path), path };
    } catch (error) { return { offer, browse: null, path, wrong: sayRefusal(error).text }; }
  } catch (error) {
    if (error instanceof AppError && error.status === 503) return { offer: null, browse: null, path };
    throw error;
  }
}

async function loadScans(c: PageContext): Promise<ScanFacts[]> {
  const [drives, roots] = await Promise.all([listDrives(c.env.DB), listFolders(c.env.DB)]);
  const lists = await Promise.all(drives.map(async (drive) => ({ drive, scans: await listScans(c.env.DB, drive.volume_id, SCANS_SHOWN) })));
  // A scan of no folder only told what became of a drive's old name.
  const all = lists.flatMap(({ drive, scans }) => scans.filter((scan) => scan.root_id !== '').map((scan): ScanFacts => ({
    label: driveLabel(drive), folder: roots.find((root) => root.root_id === scan.root_id)?.path ?? 'A folder that is no longer read', state: scan.state,
    startedMs: scan.started_ms, endedMs: scan.ended_ms, counts: scan.counts, vanished: scan.vanished, reason: scan.reason,
  })));
  return all.sort((a, b) => b.startedMs - a.startedMs).slice(0, SCANS_SHOWN);
}

async function needFolder(c: PageContext): Promise<Folder> {
  const folder = await findFolder(c.env.DB, c.req.param('root') ?? '');
  if (!folder || folder.removed === 1) throw new NotFound('There is no such folder in the library.');
  return folder;
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
