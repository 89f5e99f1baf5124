// `/sidecars`: which sidecar belongs to which file, as the agent found it. Its lists are asked for page by page.
import { Hono } from 'hono';
import type { SidecarReport } from '../../protocol/link.ts';
import { SidecarsPage } from '../../views/sidecars.tsx';
import type { App } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { loadFrame, sayRefusal, sendPage } from '../middleware/page.tsx';

export const sidecars = new Hono<App>();

sidecars.get('/sidecars', async (c) => {
  const text = c.req.query('from') ?? '0';
  if (!/^\d{1,9}$/.test(text)) throw new BadRequest('This address names no page of the report.');
  const from = Number(text);
  const frame = await loadFrame(c);
  let report: SidecarReport | null = null;
  let why: string | null = null;
  try { report = await askAgent(c.env, 'sidecar_report', { from }); } catch (error) { why = sayRefusal(error).text; }
  const shown = report ? Math.max(report.without_media.paths.length, report.without_sidecar.paths.length) : 0;
  const more = report !== null && shown > 0 && Math.max(report.without_media.total, report.without_sidecar.total) > from + shown;
  return sendPage(c, <SidecarsPage frame={frame} report={report} why={why} from={from} next={more ? `/sidecars?from=${from + shown}` : null} />);
});
