// Who may ask at all (promise 10): a Worker that was not started for loopback answers nothing, and on loopback neither a
// rebound name nor another site's page gets through. Tokens of machines are token.ts's.
import type { Context, MiddlewareHandler } from 'hono';
import type { App } from '../env.ts';
import { Forbidden } from '../errors.tsx';

/** A loopback name with any port. Anything else in Host is a name that was rebound to this machine. */
const LOOPBACK_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const CLOSED = 'Jharokha is closed: it answers only on the computer that runs it until sign-in exists.\n';

export const guard: MiddlewareHandler<App> = async (c, next) => {
  // Not through handleError: a deployed Worker says this and nothing else, whatever the path.
  if (!c.env.JHAROKHA_LOCAL) return new Response(CLOSED, { status: 503, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' } });
  const refusal = refuse(c);
  if (refusal) throw new Forbidden(refusal);
  return next();
};

/** The reason to refuse, or undefined. */
function refuse(c: Context<App>): string | undefined {
  const headers = c.req.raw.headers;
  const urlHost = hostOf(c.req.url);
  const host = headers.get('host') ?? urlHost;
  if (!LOOPBACK_HOST.test(host) || !LOOPBACK_HOST.test(urlHost)) return 'Jharokha answers only under 127.0.0.1, localhost or [::1].';

  const site = headers.get('sec-fetch-site');
  const origin = headers.get('origin');
  if (site === null && origin === null) return undefined;
  const foreignSite = site !== null && site !== 'same-origin' && site !== 'none';
  const foreignOrigin = origin !== null && !isOriginOf(origin, host);
  if (!foreignSite && !foreignOrigin) return undefined;

  // A link on another site may open a page here, for reading; its scripts and pictures may not reach in.
  const acts = !SAFE_METHODS.has(c.req.method) || headers.get('upgrade') !== null || (headers.get('accept') ?? '').includes('text/event-stream');
  if (!acts && headers.get('sec-fetch-mode') === 'navigate') return undefined;
  return 'This request came from another site.';
}

function isOriginOf(origin: string, host: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${host.toLowerCase()}` || lower === `https://${host.toLowerCase()}`;
}

/** The authority of an absolute URL, without parsing it whole: this runs for every thumbnail. */
function hostOf(url: string): string {
  const start = url.indexOf('//') + 2;
  const end = url.indexOf('/', start);
  return end < 0 ? url.slice(start) : url.slice(start, end);
}
