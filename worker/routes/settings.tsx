// `/settings`: the home zone, what the agent does, and what the library is made of.
import { Hono } from 'hono';
import { SettingsPage, type MacFacts, type MapSettings, type SettingsFacts } from '../../views/settings.tsx';
import { checkTileUrl, OSM_TILES } from '../../protocol/tile-url.ts';
import { checkNominatimUrl } from '../../protocol/nominatim-url.ts';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import type { App } from '../env.ts';
import { AgentOptions } from '../../protocol/link.ts';
import { AppError } from '../errors.tsx';
import { askAgent, notifyPages } from '../link/client.ts';
import { loadFrame, loadStatus, sayRefusal, sendBack, sendPage, type PageContext } from '../middleware/page.tsx';
import { listDrives, listFolders } from '../store/drives.ts';
import { listHistory } from '../store/search-history.ts';
import { isZone, listZones, readSettings, writeSettings } from '../store/settings.ts';
import { readTiles, writeTiles } from '../store/map-tiles.ts';
import { listMonths } from '../store/timeline.ts';

/** As the request to the agent takes it. */
const MAX_URL_LENGTH = 500;

const DONE: Partial<Record<string, string>> = {
  zone: 'Saved.', mac: 'Saved.', map: 'Saved.', history: 'Your recent searches are forgotten.',
  search: 'Saved. With another model all photos are looked at anew; what was searched with before answers until that is done.',
};

export const settings = new Hono<App>();

settings.get('/settings', async (c) => {
  const words = DONE[c.req.query('done') ?? ''];
  const said = words === undefined ? {} : { said: words };
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

settings.post('/settings/mac', async (c) => {
  const form = await c.req.formData();
  const typed = String(form.get('nominatim_url') ?? '').trim();
  const options: Omit<AgentOptions, 'search_model' | 'model_dir'> = { proxies: form.get('proxies') === 'on', geocoder: form.get('geocoder') === 'nominatim' ? 'nominatim' : 'offline', nominatim_url: typed === '' ? null : typed.slice(0, MAX_URL_LENGTH) };
  const refuse = async (wrong: string, status: 422 | 503) => sendPage(c, <SettingsPage frame={await loadFrame(c)} settings={await loadSettings(c, { options, wrong })} />, status);
  const wrong = typed === '' ? undefined : refuseUrl(typed);
  if (wrong) return refuse(wrong, 422);
  try {
    await askAgent(c.env, 'set_options', options);
  } catch (error) {
    const refusal = sayRefusal(error);
    return refuse(refusal.text, refusal.status);
  }
  return sendBack(c, '/settings?done=mac');
});

settings.post('/settings/search', async (c) => {
  const search_model = AgentOptions.shape.search_model.safeParse((await c.req.formData()).get('search_model'));
  const refuse = async (wrong: string, status: 422 | 503) => sendPage(c, <SettingsPage frame={await loadFrame(c)} settings={await loadSettings(c, undefined, wrong)} {...(status === 503 ? { wrong } : {})} />, status);
  if (!search_model.success) return refuse('There is no such model to choose.', 422);
  try {
    await askAgent(c.env, 'set_options', { search_model: search_model.data });
  } catch (error) {
    const refusal = sayRefusal(error);
    return refuse(refusal.text, refusal.status);
  }
  return sendBack(c, '/settings?done=search#search-model');
});

settings.post('/settings/map', async (c) => {
  const form = await c.req.formData();
  const kind = form.get('tiles');
  const own = String(form.get('tile_url') ?? '');
  let template: string | null = kind === 'osm' ? OSM_TILES : null;
  try {
    if (kind !== 'none' && kind !== 'osm' && kind !== 'own') throw new Error('Choose where the map’s tiles come from.');
    if (kind === 'own') template = checkTileUrl(own);
  } catch (error) {
    const map = { kind: 'own' as const, own: own.slice(0, MAX_URL_LENGTH), wrong: error instanceof Error ? error.message : String(error) };
    return sendPage(c, <SettingsPage frame={await loadFrame(c)} settings={{ ...await loadSettings(c), map }} />, 422);
  }
  await writeTiles(c.env.DB, template);
  return sendBack(c, '/settings?done=map#map-tiles');
});

/** Why an address cannot be a server's, or undefined. */
function refuseUrl(typed: string): string | undefined {
  if (typed.length > MAX_URL_LENGTH) return 'This address is too long.';
  try { checkNominatimUrl(typed); } catch (error) { return error instanceof Error ? error.message : String(error); }
  return undefined;
}

/** What the agent does now, or why that is not known. */
async function loadMac(c: PageContext): Promise<{ options: AgentOptions | null; why?: string }> {
  try {
    return { options: await askAgent(c.env, 'options', {}) };
  } catch (error) {
    if (error instanceof AppError) return { options: null, why: error.status === 503 ? 'The agent is away, so what it does cannot be changed now. Start Jharokha on the computer that has the photos.' : error.message };
    throw error;
  }
}

async function loadSettings(c: PageContext, refused?: MacFacts, wrongModel?: string): Promise<SettingsFacts> {
  const [stored, folders, drives, months, asked, status, past, tiles] = await Promise.all([
    readSettings(c.env.DB), listFolders(c.env.DB), listDrives(c.env.DB), listMonths(c.env.DB), loadMac(c), loadStatus(c), listHistory(c.env.DB, 1), readTiles(c.env.DB),
  ]);
  const mac = refused ?? asked;
  const search = { ...asked, wrong: wrongModel, status: status?.search, pendingVectors: status?.pending.vectors ?? null, history: past.length > 0 };
  const homeZone = stored.home_zone ?? 'UTC';
  const map: MapSettings = { kind: tiles === null ? 'none' : tiles === OSM_TILES ? 'osm' : 'own', own: tiles === null || tiles === OSM_TILES ? '' : tiles };
  return { mac, search, map, homeZone, zones: listZones(homeZone), version: SOFTWARE_VERSION, folders: folders.length, drives: new Set(folders.map((folder) => folder.volume_id)).size || drives.length, assets: months.reduce((n, month) => n + month.count, 0) };
}
