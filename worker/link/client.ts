// What routes may ask of the AgentLink: presence, status, requests, news for open pages. One object serves the library.
import { REQUESTS, type AgentStatus, type LiveEvent, type RequestArgs, type RequestName, type RequestResult } from '../../protocol/link.ts';
import type { Env } from '../env.ts';
import { AgentAway, AgentRefused, BadRequest } from '../errors.tsx';
import type { AgentLink, Presence } from './agent-link.ts';
import type { Transfers } from './transfers.ts';

export type { Presence } from './agent-link.ts';

/** The one AgentLink of this library. */
export function openLink(env: Env): DurableObjectStub<AgentLink> {
  return env.LINK.get(env.LINK.idFromName('library'));
}

/** What hands originals from the agent to browsers. */
export function openTransfers(env: Env): DurableObjectStub<Transfers> {
  return env.TRANSFERS.get(env.TRANSFERS.idFromName('library'));
}

/** Whether an agent is connected, and the volumes that are. */
export async function getPresence(env: Env): Promise<Presence> {
  return openLink(env).presence();
}

/** What the agent is doing; null while it is away or before its first word. */
export async function getStatus(env: Env): Promise<AgentStatus | null> {
  return openLink(env).status();
}

/**
 * Asks the agent and waits for its answer, LINK_REQUEST_TIMEOUT_MS at most (or `timeoutMs`). Throws BadRequest for arguments that the
 * request does not take, AgentAway when nobody answers, AgentRefused with the agent's own sentence.
 */
export async function askAgent<N extends RequestName>(env: Env, name: N, args: RequestArgs<N>, timeoutMs?: number): Promise<RequestResult<N>> {
  const parsed = REQUESTS[name].args.safeParse(args);
  if (!parsed.success) throw new BadRequest(`${name}: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`);
  const answer = await openLink(env).request(name, parsed.data, timeoutMs);
  if (answer.ok) return JSON.parse(answer.result_json) as RequestResult<N>;
  if (answer.why === 'refused') throw new AgentRefused(answer.message ?? 'The agent could not do that.');
  throw answer.message === null ? new AgentAway() : new AgentAway(answer.message);
}

/**
 * Tells the agent that places want names: after the owner corrected a position. Neither waits for its answer nor fails when
 * it is away, for it asks by itself when it connects.
 */
export async function wakePlaces(env: Env): Promise<void> {
  try { await openLink(env).tell('name_places', {}); } catch (error) { console.warn('the agent was not told of places to name:', error); }
}

/** Tells the agent that there are orders to take or to give up; away, it asks by itself when it connects. Never fails. */
export async function wakeOrders(env: Env): Promise<void> {
  try { await openLink(env).tell('take_orders', {}); } catch (error) { console.warn('the agent was not told of an order:', error); }
}

/** Tells open pages. Never throws: news that gets lost is fetched with the next page. */
export async function notifyPages(env: Env, event: LiveEvent): Promise<void> {
  try { await openLink(env).notify(event); } catch (error) { console.warn(`live event ${event} was not sent:`, error); }
}
