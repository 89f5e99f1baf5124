// Headers that every answer carries. Renditions set their own few (routes/renditions.ts) to stay on the short path.
import type { Context, MiddlewareHandler } from 'hono';
import type { App } from '../env.ts';

// Tiles carry their aspect ratio in a style attribute, which runs nothing: attributes alone may be inline.
const csp = (images: string) => [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "style-src-elem 'self'", "style-src-attr 'unsafe-inline'",
  `img-src 'self' data:${images}`, "media-src 'self'", "font-src 'self'", "connect-src 'self'", "manifest-src 'self'", "worker-src 'self'",
  "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
].join('; ');
/** Of nearly every answer: only a page that draws the map's tiles allows another origin's images. */
const OWN_IMAGES = csp('');

/** Sets what is missing. For middleware, and for errors that were thrown before this middleware's turn. */
export function setSecurityHeaders(c: Context<App>): void {
  const headers = c.res.headers;
  const images = c.get('imageOrigin');
  c.header('Content-Security-Policy', images === undefined ? OWN_IMAGES : csp(` ${images}`));
  c.header('X-Content-Type-Options', 'nosniff');
  c.header('X-Frame-Options', 'DENY');
  // Nothing leaves for other origins; `no-referrer` would make browsers post plain forms with `Origin: null`.
  c.header('Referrer-Policy', 'same-origin');
  c.header('Cross-Origin-Opener-Policy', 'same-origin');
  c.header('Cross-Origin-Resource-Policy', 'same-origin');
  if (!headers.has('Cache-Control')) c.header('Cache-Control', 'private, no-store');
}

export const securityHeaders: MiddlewareHandler<App> = async (c, next) => {
  await next();
  // A socket's answer cannot be copied to change its headers, and no page ever sees them.
  if (c.res.status !== 101 && !c.res.headers.has('X-Content-Type-Options')) setSecurityHeaders(c);
};
