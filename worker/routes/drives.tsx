// `/drives`: drives, the owner's words about them, the marker file, and a scan's question.
import { Hono } from 'hono';
import { Dots } from '../../views/frame.tsx';
import { DriveHead, DriveRow, DrivesPage, QuestionPage, type DriveFacts, type FolderFacts, type QuestionFacts } from '../../views/drives.tsx';
import type { App } from '../env.ts';
import { BadRequest, NotFound } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { letDriveGo } from '../middleware/known-drives.ts';
import { loadConnected, loadFrame, loadStatus, sayRefusal, sendBack, sendFragment, sendPage, wantsFragment, type PageContext } from '../middleware/page.tsx';
import { countCopies, countDriveCopies, NO_COPIES, type DriveCopies } from '../store/copies.ts';
import { driveLabel, findDrive, listDrives, listFolders, writeDriveWords, type Drive, type Folder } from '../store/drives.ts';
import { listScans, type Scan } from '../store/scan-pages.ts';

/** The last scans of a drive that are looked through for each folder's own last one. */
const SCANS_LOOKED_AT = 60;
const DONE: Record<string, string> = {
  scan: 'Scanning has begun.', added: 'The folder was added and is being read.', removed: 'The folder is no longer read. Its photos stay.', kept: 'Everything stays as it is.',
  gone: 'Marked as missing. They come back by themselves when the files do.', back: 'All of them were there again, so nothing was marked.', words: 'Saved.', marker: 'The drive now has a lasting name.',
  forgotten: 'The drive is forgotten. Its photos stay here; adding a folder of it brings it back.',
};

export const drives = new Hono<App>();

drives.get('/drives', async (c) => {
  const editing = c.req.query('edit') ?? '';
  const head = c.req.query('head');
  if (wantsFragment(c) && head !== undefined) return sendHead(c, head);
  if (wantsFragment(c)) return sendDrive(c, editing || (c.req.query('row') ?? ''), { editing: editing !== '' });
  return sendDrives(c, { editing, ...said(DONE[c.req.query('done') ?? '']) });
});

drives.get('/drives/dots', async (c) => {
  const frame = await loadFrame(c);
  return sendFragment(c, <Dots drives={frame.drives} agentAway={frame.agentAway} />);
});

drives.post('/drives/:id/words', async (c) => {
  const form = await c.req.formData();
  const id = c.req.param('id');
  const found = await writeDriveWords(c.env.DB, id, { label: text(form, 'label'), note: text(form, 'note') });
  if (!found) throw new NotFound('There is no such drive.');
  return wantsFragment(c) ? sendDrive(c, id, { said: 'Saved.' }) : sendBack(c, '/drives?done=words');
});

drives.post('/drives/:id/marker', async (c) => {
  const id = c.req.param('id');
  let marked: string;
  try {
    marked = (await askAgent(c.env, 'allow_marker', { volume_id: id })).volume_id;
  } catch (error) {
    const refusal = sayRefusal(error);
    if (wantsFragment(c)) return sendDrive(c, id, { wrong: refusal.text }, refusal.status);
    return sendDrives(c, { wrong: refusal.text }, refusal.status);
  }
  if (!wantsFragment(c)) return sendBack(c, '/drives?done=marker');
  // The agent pushes before it answers, so the drive is known by its new id; a slow push leaves the old one for a while.
  const known = await findDrive(c.env.DB, marked);
  return known ? sendDrive(c, marked, { said: DONE['marker'] ?? '' }) : sendDrive(c, id, { said: 'The drive is marked. Its lasting name appears here in a moment.' });
});

drives.post('/drives/:id/forget', async (c) => {
  const id = c.req.param('id');
  try { await letDriveGo(c, id); } catch (error) {
    const refusal = sayRefusal(error);
    return sendDrives(c, { wrong: refusal.text }, refusal.status);
  }
  return sendBack(c, '/drives?done=forgotten');
});

drives.get('/drives/question/:scan', async (c) => sendPage(c, <QuestionPage frame={await loadFrame(c)} question={await findQuestion(c, c.req.param('scan'))} />));

drives.post('/drives/question/:scan', async (c) => {
  const answer = text(await c.req.formData(), 'answer');
  if (answer !== 'gone' && answer !== 'keep') throw new BadRequest('The answer is one of two: gone, or keep.');
  const scanId = c.req.param('scan');
  let marked: number;
  try {
    marked = (await askAgent(c.env, 'answer_question', { scan_id: scanId, answer })).marked;
  } catch (error) {
    const refusal = sayRefusal(error);
    return sendPage(c, <QuestionPage frame={await loadFrame(c)} question={await findQuestion(c, scanId)} wrong={refusal.text} />, refusal.status);
  }
  return sendBack(c, `/drives?done=${answer === 'keep' ? 'kept' : marked > 0 ? 'gone' : 'back'}`);
});

/** What of a drive follows from whether it is connected; what is being typed below stays. */
async function sendHead(c: PageContext, volumeId: string): Promise<Response> {
  const drive = await findDrive(c.env.DB, volumeId);
  if (!drive) throw new NotFound('There is no such drive.');
  const [connected, folders, copies] = await Promise.all([loadConnected(c), listFolders(c.env.DB), countDriveCopies(c.env.DB, Date.now())]);
  return sendFragment(c, <DriveHead drive={await loadDrive(c, drive, folders, connected, copies)} nowMs={Date.now()} />);
}

async function sendDrives(c: PageContext, words: { said?: string; wrong?: string; editing?: string }, status: 200 | 422 | 503 = 200): Promise<Response> {
  const [frame, drives, copies] = await Promise.all([loadFrame(c), loadDrives(c), countCopies(c.env.DB, Date.now())]);
  return sendPage(c, <DrivesPage frame={frame} drives={drives} copies={copies} nowMs={Date.now()} {...words} />, status);
}

async function sendDrive(c: PageContext, volumeId: string, words: { said?: string; wrong?: string; editing?: boolean }, status: 200 | 422 | 503 = 200): Promise<Response> {
  const drive = await findDrive(c.env.DB, volumeId);
  if (!drive) throw new NotFound('There is no such drive.');
  const [connected, folders, copies] = await Promise.all([loadConnected(c), listFolders(c.env.DB), countDriveCopies(c.env.DB, Date.now())]);
  return sendFragment(c, <DriveRow drive={await loadDrive(c, drive, folders, connected, copies)} nowMs={Date.now()} fresh {...words} />, status);
}

async function loadDrives(c: PageContext): Promise<DriveFacts[]> {
  const [all, folders, connected, copies] = await Promise.all([listDrives(c.env.DB), listFolders(c.env.DB), loadConnected(c), countDriveCopies(c.env.DB, Date.now())]);
  const facts = await Promise.all(all.map((drive) => loadDrive(c, drive, folders, connected, copies)));
  return facts.sort((a, b) => Number(b.connected) - Number(a.connected));
}

async function loadDrive(c: PageContext, drive: Drive, folders: readonly Folder[], connected: ReadonlySet<string>, copies: ReadonlyMap<string, DriveCopies>): Promise<DriveFacts> {
  const [scans, status] = await Promise.all([listScans(c.env.DB, drive.volume_id, SCANS_LOOKED_AT), loadStatus(c)]);
  const completed = new Map(status?.completed?.map((each) => [each.root_id, each.at_ms]));
  const own = folders.filter((folder) => folder.volume_id === drive.volume_id);
  return {
    volume_id: drive.volume_id, identity: drive.identity, label: driveLabel(drive), own_label: drive.label, owner_label: drive.owner_label, note: drive.note, fs_type: drive.fs_type,
    capacity_bytes: drive.capacity_bytes, free_bytes: drive.free_bytes, read_only: drive.read_only === 1, connected: connected.has(drive.volume_id), last_seen_ms: drive.last_seen_ms,
    copies: copies.get(drive.volume_id) ?? NO_COPIES, folders: own.map((folder): FolderFacts => ({ root_id: folder.root_id, path: folder.path, excludes: folder.excludes.length, lastScan: lastScan(scans, folder.root_id, completed.get(folder.root_id)) })),
  };
}

/** A scan without news writes no row, so the agent's own word counts where it is later. */
function lastScan(scans: readonly Scan[], rootId: string, completedMs: number | undefined): FolderFacts['lastScan'] {
  const scan = scans.find((each) => each.root_id === rootId);
  const atMs = scan ? scan.ended_ms ?? scan.started_ms : 0;
  if (completedMs !== undefined && completedMs > atMs) return { state: 'completed', atMs: completedMs, reason: null, changes: null };
  return scan ? { state: scan.state, atMs, reason: scan.reason, changes: { ...scan.counts, gone: scan.vanished } } : null;
}

/** Questions are the agent's to ask: one that it no longer asks is answered. */
async function findQuestion(c: PageContext, scanId: string): Promise<QuestionFacts | null> {
  const question = (await loadStatus(c))?.questions.find((each) => each.scan_id === scanId);
  return question ?? null;
}

function said(text: string | undefined): { said?: string } {
  return text === undefined ? {} : { said: text };
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}
