// The two long-lived connections: the agent's socket (`/link`, token) and the pages' events (`/live`).
import { Hono } from 'hono';
import type { App } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { openLink } from '../link/client.ts';
import { requireToken } from '../middleware/token.ts';

export const link = new Hono<App>();

link.get('/link', requireToken, (c) => {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new BadRequest('This address takes WebSockets only.');
  return openLink(c.env).fetch(new Request('http://link/link', { headers: c.req.raw.headers }));
});

link.get('/live', (c) => {
  const last = c.req.header('last-event-id');
  return openLink(c.env).fetch(new Request('http://link/live', { headers: last ? { 'Last-Event-ID': last } : {}, signal: c.req.raw.signal }));
});
