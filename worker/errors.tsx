// The Worker's typed errors and the one place that turns a throw into an answer: page, fragment or JSON.
// Never leaks a stack or an internal message; what is not typed here is logged and answered as a plain 500.
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { SCRIPT_URL, STYLE_URL } from '../.build/static.ts';
import type { App } from './env.ts';
import { ErrorPage } from '../views/error-page.tsx';
import { setSecurityHeaders } from './middleware/security-headers.ts';

export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 410 | 413 | 415 | 422 | 429 | 500 | 502 | 503 | 504;

/** An error whose message may be shown to people as it is. `details` goes into JSON answers only. */
export class AppError extends Error {
  readonly status: ErrorStatus;
  readonly title: string;
  readonly details: Record<string, unknown>;
  constructor(status: ErrorStatus, title: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.name = new.target.name;
    this.status = status;
    this.title = title;
    this.details = details;
  }
}
/** Names the noun and the id that were not found. */
export class NotFound extends AppError {
  constructor(message: string) { super(404, 'Not here', message); }
}
export class BadRequest extends AppError {
  constructor(message: string, details?: Record<string, unknown>) { super(400, 'That could not be read', message, details); }
}
export class Unauthorized extends AppError {
  constructor(message: string) { super(401, 'A token is needed', message); }
}
export class Forbidden extends AppError {
  constructor(message: string) { super(403, 'Not allowed', message); }
}
export class Conflict extends AppError {
  constructor(message: string, details?: Record<string, unknown>) { super(409, 'Out of step', message, details); }
}
/** It was there, and has ended. */
export class Gone extends AppError {
  constructor(message: string) { super(410, 'Not here any more', message); }
}
export class TooLarge extends AppError {
  constructor(message: string) { super(413, 'Too large', message); }
}
/** The agent cannot be asked now: no socket, or no answer in time. */
export class AgentAway extends AppError {
  constructor(message = 'The agent is away. Start Jharokha on the computer that has the photos.') { super(503, 'The agent is away', message); }
}
/** The agent answered that it will not or cannot; its sentence is for people. */
export class AgentRefused extends AppError {
  constructor(message: string) { super(422, 'That did not work', message); }
}

const UNEXPECTED = new AppError(500, 'Something went wrong', 'Something went wrong here. The log of the Worker says more.');
/** Paths that machines ask: answered in JSON. */
const MACHINE_PATH = /^\/(sync|api|link|healthz)(\/|$)/;

/** Hono's `onError`. Typed errors speak for themselves; everything else is logged and stays unexplained. */
export function handleError(error: Error, c: Context<App>): Response | Promise<Response> {
  if (error instanceof AppError) return answerError(c, error);
  if (error instanceof HTTPException && error.status < 500) return answerError(c, new AppError(error.status as ErrorStatus, 'That could not be done', 'That could not be done.'));
  console.error(`${c.req.method} ${c.req.path}:`, error);
  return answerError(c, UNEXPECTED);
}

/** Hono's `notFound`. */
export function handleNotFound(c: Context<App>): Response | Promise<Response> {
  return answerError(c, new NotFound('There is nothing at this address.'));
}

function answerError(c: Context<App>, error: AppError): Response | Promise<Response> {
  setSecurityHeaders(c);
  c.header('Cache-Control', 'no-store');
  if (error.status === 401) c.header('WWW-Authenticate', 'Bearer');
  if (MACHINE_PATH.test(c.req.path)) return c.json({ error: error.message, ...error.details }, error.status);
  c.header('Vary', 'HX-Request, HX-Request-Type');
  if (c.req.header('HX-Request-Type') === 'partial') return c.html(<p class="error" role="alert">{error.message}</p>, error.status);
  return c.html(`<!doctype html>${(<ErrorPage title={error.title} text={error.message} scriptUrl={SCRIPT_URL} styleUrl={STYLE_URL} />).toString()}`, error.status);
}
