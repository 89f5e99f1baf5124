// What every page route needs: the facts of the frame, and the answer as a page or as a fragment. Not a middleware of its own.
import type { Context } from 'hono';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { SCRIPT_URL, STYLE_URL } from '../../.build/static.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import type { FrameFacts } from '../../views/frame.tsx';
import type { App } from '../env.ts';
import { AppError } from '../errors.tsx';
import { getPresence, getStatus } from '../link/client.ts';
import { driveLabel, listDrives } from '../store/drives.ts';
import { countProblems } from '../store/problem-pages.ts';

export type PageContext = Context<App>;

/** Everything round a page, in one round of questions. */
export async function loadFrame(c: PageContext): Promise<FrameFacts> {
  const [presence, status, drives, problems] = await Promise.all([getPresence(c.env), loadStatus(c), listDrives(c.env.DB), countProblems(c.env.DB)]);
  const here = new Set(presence.volumes.map((volume) => volume.volume_id));
  return {
    scriptUrl: SCRIPT_URL, styleUrl: STYLE_URL, agentAway: !presence.connected, problems, status,
    drives: drives.map((drive) => ({ volumeId: drive.volume_id, label: driveLabel(drive), connected: presence.connected && here.has(drive.volume_id) })),
  };
}

/** What the agent does now; null while it is away, for its last words are no longer true then. */
export async function loadStatus(c: PageContext): Promise<AgentStatus | null> {
  const [presence, status] = await Promise.all([getPresence(c.env), getStatus(c.env)]);
  return presence.connected ? status : null;
}

/** Ids of the volumes that are connected now. */
export async function loadConnected(c: PageContext): Promise<Set<string>> {
  const presence = await getPresence(c.env);
  return new Set(presence.connected ? presence.volumes.map((volume) => volume.volume_id) : []);
}

/** htmx asks for a part of the page it is on. */
export function wantsFragment(c: PageContext): boolean {
  return c.req.header('HX-Request-Type') === 'partial';
}

export function sendPage(c: PageContext, page: JSX.Element, status: 200 | 404 | 422 | 503 = 200): Response | Promise<Response> {
  setHeaders(c);
  return c.html(`<!doctype html>${page.toString()}`, status);
}

/** htmx swaps errors too, so a fragment that says what went wrong may carry its status. */
export function sendFragment(c: PageContext, fragment: JSX.Element, status: 200 | 422 | 503 = 200): Response | Promise<Response> {
  setHeaders(c);
  return c.html(fragment.toString(), status);
}

/** Where in its grid a page is to begin, as its address says it: from a tile on, up to one, or round an asset, which stands `at` a rank of a search. */
export interface Where { from?: string | undefined; until?: string | undefined; near?: string | undefined; at?: string | undefined }
export function readWhere(c: PageContext): Where {
  return { from: c.req.query('from'), until: c.req.query('until'), near: c.req.query('near'), at: c.req.query('at') };
}

/** The text fields of a form. */
export async function readForm(c: PageContext): Promise<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const [name, value] of await c.req.formData()) if (typeof value === 'string') fields[name] = value;
  return fields;
}

/** After a form: to a page that shows what came of it. */
export function sendBack(c: PageContext, address: string): Response {
  return c.redirect(address, 303);
}

/** The sentence of a refused or unanswered request to the agent; anything unforeseen goes on to the error page. */
export function sayRefusal(error: unknown): { text: string; status: 422 | 503 } {
  if (error instanceof AppError && (error.status === 422 || error.status === 503)) return { text: error.message, status: error.status };
  throw error;
}

// The same address answers as page and as fragment, so caches must tell them apart; the back button may keep a page.
function setHeaders(c: PageContext): void {
  c.header('Vary', 'HX-Request, HX-Request-Type');
  c.header('Cache-Control', 'private, no-cache');
}
