// `/a/:sha256`: the viewer, as a page and as the layer over a grid. `?in=` names the grid that it steps in.
import { Hono } from 'hono';
import type { App } from '../env.ts';
import { loadFacts, sendViewer } from '../middleware/asset.tsx';

export const viewer = new Hono<App>();

viewer.get('/a/:sha256', async (c) => sendViewer(c, await loadFacts(c, c.req.param('sha256'), c.req.query('in'))));
