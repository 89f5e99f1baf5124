// `/originals`: originals from the drives to a browser, one as it is or many in a zip. The agent is asked what it would send and
// pushes it (routes/sync.ts); a Durable Object hands it on (link/transfers.ts). Nothing of it is kept here.
import { Hono } from 'hono';
import * as z from 'zod';
import { fitName, nameless } from '../../protocol/file-name.ts';
import { MAX_ZIP_ASSETS, type TransferPlan } from '../../protocol/transfer.ts';
import { Sha256 } from '../../protocol/words.ts';
import { sayLeftOut, sayPlugInFor, type AwayDrive } from '../../views/parts/left-out-words.ts';
import { sayNumber } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { AgentAway, AgentRefused, BadRequest, Conflict, Gone, NotFound, TooLarge } from '../errors.tsx';
import { askAgent, openTransfers } from '../link/client.ts';
import { isJson, readFields, readJson } from '../middleware/body.ts';
import { sayRefusal, sendBack, type PageContext } from '../middleware/page.tsx';
import { requireOwner } from '../middleware/token.ts';
import { driveLabel, listDrives } from '../store/drives.ts';
import { findAsset } from '../store/viewer.ts';

/** As many hashes as a page lets select, so that too many are refused with a number. */
const MAX_ASK_BYTES = 8_000_000;
/** A zip's files are looked at on their drives first, for at most some seconds. */
const PLAN_TIMEOUT_MS = 15_000;

export const originals = new Hono<App>();
// Other programs on this machine, and other sites' links, make no drive read.
originals.use('/originals/*', requireOwner);
originals.use('/originals.zip', requireOwner);

/** What is sent, under the number of its transfer; null where nothing is. */
interface Begun { id: string | null; plan: TransferPlan; away: AwayDrive[] }

async function begin(c: PageContext, sha256s: string[], kind: { as: 'file'; mime: string } | { as: 'zip' }): Promise<Begun> {
  const id = crypto.randomUUID();
  const transfers = openTransfers(c.env);
  if (!(await transfers.begin(id))) throw new Conflict('Several downloads of originals are under way. Wait until one has ended.');
  let plan: TransferPlan | undefined;
  try { plan = await askAgent(c.env, 'send_originals', { transfer_id: id, sha256s, as: kind.as }, PLAN_TIMEOUT_MS); } finally {
    if (!plan || plan.files === 0) await transfers.end(id, { outcome: 'stopped', reason: null });
  }
  const drives = plan.left_out.away.length > 0 ? await listDrives(c.env.DB) : [];
  const away = plan.left_out.away.map(({ volume_id, label, assets }) => {
    const drive = drives.find((each) => each.volume_id === volume_id);
    return { label: drive ? driveLabel(drive) : label, note: drive?.note ?? null, assets };
  });
  if (plan.files === 0) return { id: null, plan, away };
  const name = fitName(plan.name) || nameless(sha256s[0] ?? '');
  await transfers.announce(id, { name, size_bytes: plan.size_bytes, mime: kind.as === 'zip' ? 'application/zip' : kind.mime });
  return { id, plan, away };
}

/** The bytes of a transfer, as a file for the browser's own download manager. */
async function send(c: PageContext, id: string): Promise<Response> {
  const answer = await openTransfers(c.env).fetch(new Request(`http://transfers/${id}`, { method: c.req.raw.method, signal: c.req.raw.signal }));
  if (answer.status === 404) throw new NotFound('This download has ended, or never was. Begin it again.');
  if (answer.status === 409) throw new Conflict('This download was begun already. Begin it again from the photos.');
  if (answer.status === 410) throw new Gone(`This download broke. ${await answer.text()}`.trim());
  const name = decodeURIComponent(answer.headers.get('x-name') ?? '');
  const length = answer.headers.get('content-length');
  return new Response(answer.body, {
    headers: {
      'Content-Type': answer.headers.get('content-type') ?? 'application/octet-stream', 'Content-Disposition': attachment(name), ...(length === null ? {} : { 'Content-Length': length }),
      // Sent once and as it is: no cache keeps it, and nothing on the way packs it.
      'Cache-Control': 'private, no-store, no-transform', 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin', 'Content-Security-Policy': "default-src 'none'",
    },
  });
}

/** Browsers take the second; the first is for what only reads ASCII. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}

originals.get('/originals/:sha256{[0-9a-f]{64}}', async (c) => {
  const asset = await findAsset(c.env.DB, c.req.param('sha256'));
  if (!asset) throw new NotFound('There is no photo at this address. It may have been taken out of the library.');
  if (c.req.raw.method === 'HEAD') return c.body(null, 200, { 'Content-Type': asset.mime, 'Content-Length': String(asset.size_bytes), 'Cache-Control': 'private, no-store' });
  const { id, away } = await begin(c, [asset.sha256], { as: 'file', mime: asset.mime });
  if (id === null) throw new AgentRefused(sayPlugInFor(away, 'the original'));
  return send(c, id);
});

originals.get('/originals/:file{[0-9a-f-]{36}\\.zip}', async (c) => send(c, c.req.param('file').slice(0, -'.zip'.length)));

/**
 * What a zip of these would be. As JSON its address and a sentence of what is left out, or no address and why; a plain form is led
 * to the zip.
 */
originals.post('/originals.zip', async (c) => {
  const json = isJson(c.req.raw);
  const said: unknown = json ? await readJson(c.req.raw, MAX_ASK_BYTES) : { sha256s: (await readFields(c.req.raw, MAX_ASK_BYTES)).getAll('sha256') };
  const parsed = z.object({ sha256s: z.array(Sha256).min(1) }).safeParse(said);
  if (!parsed.success) throw new BadRequest('Say of which photos and videos, by their sha256.');
  const sha256s = [...new Set(parsed.data.sha256s)];
  if (sha256s.length > MAX_ZIP_ASSETS) {
    const why = `At most ${sayNumber(MAX_ZIP_ASSETS)} photos and videos come in one zip. Select fewer.`;
    if (json) return c.json({ address: null, said: why });
    throw new TooLarge(why);
  }
  let begun: Begun;
  try { begun = await begin(c, sha256s, { as: 'zip' }); } catch (error) {
    if (!json || !(error instanceof AgentAway || error instanceof AgentRefused || error instanceof Conflict)) throw error;
    return c.json({ address: null, said: error instanceof Conflict ? error.message : sayRefusal(error).text });
  }
  const { id, plan, away } = begun;
  if (id === null) {
    const why = sayPlugInFor(away, sha256s.length === 1 ? 'the original' : 'the originals');
    if (json) return c.json({ address: null, said: why });
    throw new AgentRefused(why);
  }
  const address = `/originals/${id}.zip`;
  return json ? c.json({ address, said: sayLeftOut(away, plan.left_out.gone) }) : sendBack(c, address);
});
