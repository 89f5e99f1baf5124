// `/settings`: the home zone, and what the library is made of.
import { Hono } from 'hono';
import { SettingsPage, type SettingsFacts } from '../../views/settings.tsx';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import type { App } from '../env.ts';
import { notifyPages } from '../link/client.ts';
import { loadFrame, sendBack, sendPage, type PageContext } from '../middleware/page.tsx';
import { listDrives, listFolders } from '../store/drives.ts';
import { isZone, readSettings, writeSettings } from '../store/settings.ts';
import { listMonths } from '../store/timeline.ts';

export const settings = new Hono<App>();

settings.get('/settings', async (c) => {
  const said = c.req.query('done') === 'zone' ? { said: 'Saved.' } : {};
  return sendPage(c, <SettingsPage frame={await loadFrame(c)} settings={await loadSettings(c)} {...said} />);
});

settings.post('/settings/home-zone', async (c) => {
  const value = (await c.req.formData()).get('home_zone');
  const zone = typeof value === 'string' ? value.trim().replaceAll(' ', '_') : '';
  if (zone === '' || zone.length > 60 || !isZone(zone)) {
    return sendPage(c, <SettingsPage frame={await loadFrame(c)} settings={await loadSettings(c)} wrong="That is no time zone that is known here. They are named as in Europe/Zurich." />, 422);
  }
  if (await writeSettings(c.env.DB, { home_zone: zone }, Date.now())) await notifyPages(c.env, 'library');
  return sendBack(c, '/settings?done=zone');
});

async function loadSettings(c: PageContext): Promise<SettingsFacts> {
  const [stored, folders, drives, months] = await Promise.all([readSettings(c.env.DB), listFolders(c.env.DB), listDrives(c.env.DB), listMonths(c.env.DB)]);
  const homeZone = stored.home_zone ?? 'UTC';
  return { homeZone, zones: listZones(homeZone), version: SOFTWARE_VERSION, folders: folders.length, drives: new Set(folders.map((folder) => folder.volume_id)).size || drives.length, assets: months.reduce((n, month) => n + month.count, 0) };
}

/** The zones that this runtime knows, with the present one among them in any case; empty where it cannot list them. */
function listZones(present: string): string[] {
  try {
    const zones = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', present]);
    return zones.size > 3 ? [...zones].sort() : [];
  } catch { return []; }
}
