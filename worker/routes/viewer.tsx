// `/a/:sha256`: the viewer, as a page and as the layer over a grid. `?in=` names the grid that it steps in. And the two marks
// that it sets without script.
import { Hono } from 'hono';
import type { CorrectionChange } from '../../protocol/correction.ts';
import { assetAddress, withQuery } from '../../views/parts/addresses.ts';
import { summarise } from '../../views/parts/change-words.ts';
import { Copies } from '../../views/facts.tsx';
import { FollowsWords, Original } from '../../views/viewer.tsx';
import type { App } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { loadCopies, loadFacts, sendViewer } from '../middleware/asset.tsx';
import { sendBack, sendFragment } from '../middleware/page.tsx';
import { tellLibrary } from '../middleware/tell.ts';
import { applyCorrection } from '../store/corrections.ts';

export const viewer = new Hono<App>();

viewer.get('/a/:sha256', async (c) => sendViewer(c, await loadFacts(c, c.req.param('sha256'), c.req.query('in'))));

// What of it follows which drives are connected: fragments alone.
viewer.get('/a/:sha256/copies', async (c) => { const { copies, moreCopies } = await loadCopies(c, c.req.param('sha256')); return sendFragment(c, <Copies copies={copies} more={moreCopies} />); });
viewer.get('/a/:sha256/original', async (c) => sendFragment(c, <Original {...await loadCopies(c, c.req.param('sha256'))} />));
viewer.get('/a/:sha256/follows', async (c) => sendFragment(c, <FollowsWords {...await loadCopies(c, c.req.param('sha256'))} />));

// With script the same goes through /api/corrections.
viewer.post('/a/:sha256/mark', async (c) => {
  const facts = await loadFacts(c, c.req.param('sha256'), c.req.query('in'));
  const form = await c.req.formData();
  const [favourite, archived] = [readYes(form.get('favourite')), readYes(form.get('archived'))];
  const change: CorrectionChange | undefined = favourite !== undefined ? { favourite } : archived === undefined ? undefined : { archived };
  if (!change) throw new BadRequest('This form says neither favourite nor archived.');
  const done = await applyCorrection(c.env.DB, { scope: { kind: 'assets', sha256s: [facts.asset.sha256] }, change, summary: summarise(change), nowMs: Date.now() });
  const address = assetAddress(facts.asset.sha256, facts.inside);
  if (done.kind !== 'done') return sendBack(c, address);
  await tellLibrary(c);
  return sendBack(c, withQuery(address, { saved: done.editId }));
});

function readYes(value: unknown): boolean | undefined {
  return value === 'yes' ? true : value === 'no' ? false : undefined;
}
