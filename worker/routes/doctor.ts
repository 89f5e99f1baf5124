// `doctor`'s two questions to the Worker, a page a call. Token on every call.
import { Hono } from 'hono';
import type { App } from '../env.ts';
import { requireToken } from '../middleware/token.ts';
import { checkRenditions, sweepRenditions } from '../store/doctor.ts';

export const doctor = new Hono<App>();
doctor.use('/api/doctor/*', requireToken);

doctor.post('/api/doctor/sweep', async (c) => c.json(await sweepRenditions(c.env.DB, c.env.RENDITIONS, c.req.query('cursor'), Date.now())));
doctor.post('/api/doctor/check', async (c) => c.json(await checkRenditions(c.env.DB, c.env.RENDITIONS, Number(c.req.query('after') ?? '0') || 0)));
