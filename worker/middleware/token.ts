// The bearer token of machines. Routers of machine routes use it on their own paths, so that routing and the check can
// never read a path differently.
import type { MiddlewareHandler } from 'hono';
import type { App } from '../env.ts';
import { Unauthorized } from '../errors.tsx';

const encoder = new TextEncoder();

/** Throws Unauthorized unless `Authorization: Bearer` carries JHAROKHA_TOKEN. With no token set, nothing passes. */
export const requireToken: MiddlewareHandler<App> = async (c, next) => {
  const given = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  const wanted = c.env.JHAROKHA_TOKEN;
  if (!given || !wanted || !(await isSame(given, wanted))) throw new Unauthorized('This address needs the agent’s token.');
  return next();
};

/**
 * For what pages do as well as machines: our own page (the guard has refused every other site's), or the token. A browser
 * names the site of each request; a program that does not run in one needs the token.
 */
export const requireOwner: MiddlewareHandler<App> = async (c, next) => {
  const fromPage = c.req.header('sec-fetch-site') === 'same-origin' || (c.req.header('sec-fetch-site') === undefined && c.req.header('origin') !== undefined);
  return fromPage ? next() : requireToken(c, next);
};

/** Hashes first, so that neither content nor length shows in the time that the comparison takes. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all([crypto.subtle.digest('SHA-256', encoder.encode(a)), crypto.subtle.digest('SHA-256', encoder.encode(b))]);
  return crypto.subtle.timingSafeEqual(x, y);
}
