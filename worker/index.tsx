// The Worker's entry: order of middleware, which router owns which paths, and the Durable Object's class. Nothing else.
import { Hono } from 'hono';
import type { App } from './env.ts';
import { handleError, handleNotFound } from './errors.tsx';
import { guard } from './middleware/guard.ts';
import { securityHeaders } from './middleware/security-headers.ts';
import { sync } from './routes/sync.ts';
import { api } from './routes/api.ts';
import { doctor } from './routes/doctor.ts';
import { healthz } from './routes/healthz.ts';
import { link } from './routes/link.ts';
import { proxies } from './routes/proxies.ts';
import { renditions } from './routes/renditions.ts';
import { searchApi } from './routes/search-api.ts';
import { statics } from './routes/statics.tsx';
import { grid } from './routes/grid.tsx';
import { timeline } from './routes/timeline.tsx';
import { corrections } from './routes/corrections.tsx';
import { viewer } from './routes/viewer.tsx';
import { copies } from './routes/copies.tsx';
import { drives } from './routes/drives.tsx';
import { folders } from './routes/folders.tsx';
import { settings } from './routes/settings.tsx';
import { search } from './routes/search.tsx';
import { map } from './routes/map.tsx';
import { places } from './routes/places.tsx';
import { albums } from './routes/albums.tsx';
import { folderView } from './routes/folder-view.tsx';
import { kept } from './routes/kept.tsx';
import { sidecars } from './routes/sidecars.tsx';
import { orders } from './routes/orders.tsx';
import { originals } from './routes/originals.ts';
import { problems } from './routes/problems.tsx';

export { AgentLink } from './link/agent-link.ts';
export { Transfers } from './link/transfers.ts';
export { VectorIndex } from './search/vector-index.ts';

const app = new Hono<App>();
app.use(guard);
app.use(securityHeaders);
app.onError(handleError);
app.notFound(handleNotFound);
// Those before `api` answer pages too; behind it every /api/ path needs the token.
for (const router of [statics, proxies, renditions, healthz, sync, corrections, albums, orders, originals, api, searchApi, doctor, link, grid, timeline, viewer, drives, copies, folders, settings, problems, search, places, map, kept, folderView, sidecars]) app.route('/', router);

export default app;
