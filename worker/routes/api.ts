// What the command line asks of the library, in JSON and NDJSON. Token on every call.
import { Hono } from 'hono';
import { MAX_FRAME_BYTES, PAGE_ROWS } from '../../protocol/limits.ts';
import { REQUESTS, type RequestName } from '../../protocol/link.ts';
import type { App } from '../env.ts';
import { BadRequest, NotFound } from '../errors.tsx';
import { askAgent, getPresence, getStatus, notifyPages } from '../link/client.ts';
import { readJson } from '../middleware/body.ts';
import { letDriveGo } from '../middleware/known-drives.ts';
import { requireToken } from '../middleware/token.ts';
import { formatCursor, listLines, parseCursor } from '../store/list.ts';
import { listProblemRows } from '../store/problems.ts';
import { listRoots } from '../store/roots.ts';
import { SettingsPatch, readSettings, writeSettings } from '../store/settings.ts';
import { countOnDrive, driveLabel, listDrives } from '../store/drives.ts';

const MAX_SETTINGS_BYTES = 10_000;
const NDJSON = { 'Content-Type': 'application/x-ndjson; charset=utf-8' };

export const api = new Hono<App>();
api.use('/api/*', requireToken);

// `all` asks for trashed assets too.
api.get('/api/list', async (c) => {
  const text = c.req.query('after');
  const after = text ? parseCursor(text) : null;
  if (after === undefined) throw new BadRequest('This is no cursor of ours.');
  const present = new Set((await getPresence(c.env)).volumes.map((v) => v.volume_id));
  const { lines, next } = await listLines(c.env.DB, after, (volumeId) => present.has(volumeId), c.req.query('all') === '1');
  return c.body(toNdjson(lines), 200, next ? { ...NDJSON, 'X-Next': formatCursor(next) } : NDJSON);
});

api.get('/api/problems', async (c) => {
  const text = c.req.query('after');
  const problems = await listProblemRows(c.env.DB, text ? readPathCursor(text) : { volume_id: '', path: '' });
  const last = problems.length === PAGE_ROWS ? problems.at(-1) : undefined;
  return c.body(toNdjson(problems), 200, last ? { ...NDJSON, 'X-Next': writePathCursor(last) } : NDJSON);
});

api.get('/api/volumes', async (c) => {
  const [drives, presence] = await Promise.all([listDrives(c.env.DB), getPresence(c.env)]);
  const present = new Map(presence.volumes.map((v) => [v.volume_id, v]));
  const files = await Promise.all(drives.map((v) => countOnDrive(c.env.DB, v.volume_id)));
  return c.json(drives.map((v, i) => ({
    volume_id: v.volume_id, volume: driveLabel(v), label: v.label, note: v.note, identity: v.identity, fs_type: v.fs_type, read_only: v.read_only === 1,
    capacity_bytes: v.capacity_bytes, free_bytes: present.get(v.volume_id)?.free_bytes ?? v.free_bytes, mount_point: present.get(v.volume_id)?.mount_point ?? null,
    last_seen_ms: v.last_seen_ms, files: files[i] ?? 0, state: present.has(v.volume_id) ? 'present' : 'away',
  })));
});

/** Its folders are read no more; what is known of its photos stays. */
api.post('/api/volumes/:id/forget', async (c) => {
  const drive = await letDriveGo(c, c.req.param('id'));
  return c.json({ volume_id: drive.volume_id, files: await countOnDrive(c.env.DB, drive.volume_id) });
});

api.get('/api/roots', async (c) => c.json(await listRoots(c.env.DB)));

api.get('/api/status', async (c) => {
  const [presence, status] = await Promise.all([getPresence(c.env), getStatus(c.env)]);
  return c.json({ agent: presence.connected ? 'connected' : 'away', status, questions: status?.questions ?? [], volumes: presence.volumes });
});

api.get('/api/settings', async (c) => c.json(await readSettings(c.env.DB)));

api.put('/api/settings', async (c) => {
  const parsed = SettingsPatch.safeParse(await readJson(c.req.raw, MAX_SETTINGS_BYTES));
  if (!parsed.success) throw new BadRequest(`These settings cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  if (await writeSettings(c.env.DB, parsed.data, Date.now())) c.executionCtx.waitUntil(notifyPages(c.env, 'library'));
  return c.json(await readSettings(c.env.DB));
});

api.post('/api/request/:name', async (c) => {
  const name = c.req.param('name');
  if (!Object.hasOwn(REQUESTS, name)) throw new NotFound(`There is no request ${name}.`);
  const args = await readJson(c.req.raw, MAX_FRAME_BYTES);
  // askAgent checks the arguments against the request's own schema.
  return c.json((await askAgent(c.env, name as RequestName, args as never)) as Record<string, unknown>);
});

function toNdjson(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Paths are any text, headers are ASCII: so the cursor is percent-encoded JSON. */
function writePathCursor(at: { volume_id: string; path: string }): string {
  return encodeURIComponent(JSON.stringify([at.volume_id, at.path]));
}

function readPathCursor(text: string): { volume_id: string; path: string } {
  // The query string is decoded once on the way in; a cursor that was passed on as it came is encoded once more.
  for (const candidate of [text, safeDecode(text)]) {
    try {
      const parsed: unknown = JSON.parse(candidate);
      if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string') return { volume_id: parsed[0], path: parsed[1] };
    } catch { /* the other reading, then */ }
  }
  throw new BadRequest('This is no cursor of ours.');
}

function safeDecode(text: string): string {
  try { return decodeURIComponent(text); } catch { return text; }
}
