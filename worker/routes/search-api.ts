// The search for machines: the command line's questions, and what the agent tells of the space, of embeddings made ahead and
// of names to embed. Token on every call.
import { Hono } from 'hono';
import * as z from 'zod';
import { SearchSort } from '../../protocol/search.ts';
import { QueryEmbeddings, SearchSpace, SpaceKey, spaceKey, textToVector } from '../../protocol/vector.ts';
import { Sha256 } from '../../protocol/words.ts';
import type { App } from '../env.ts';
import { BadRequest, Conflict } from '../errors.tsx';
import { notifyPages } from '../link/client.ts';
import { readJson } from '../middleware/body.ts';
import { requireToken } from '../middleware/token.ts';
import { feedBehind } from '../search/feed.ts';
import { findSimilar, runSearch } from '../search/search.ts';
import { keepEmbeddings, listMissingTexts, readSearchSpace, writeSearchSpace } from '../store/query-embeddings.ts';
import { rebuildSquares } from '../store/map-squares.ts';
import { rebuildSearch } from '../store/search-due.ts';
import { listFilesOf } from '../store/search-hits.ts';

const MAX_SPACE_BYTES = 10_000;
/** 200 vectors of 4,096 numbers as base64 are 4.4 MB. */
const MAX_EMBEDDINGS_BYTES = 6_000_000;
/** Names in one answer: a page for the agent to embed before it asks again. */
const VOCABULARY_ROWS = 500;
const MAX_PAGE = 500;

const SearchQuery = z.object({
  q: z.string().default(''), like: Sha256.optional(), sort: SearchSort.default('relevance'), weaker: z.enum(['0', '1']).default('0'), files: z.enum(['0', '1']).default('0'),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(60), offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
});

export const searchApi = new Hono<App>();
for (const path of ['/api/search', '/sync/search-space', '/sync/query-embeddings', '/sync/vocabulary', '/sync/search/*']) searchApi.use(path, requireToken);

/** With `like` what looks like that asset; with `files=1` the first file of each hit beside the answer. */
searchApi.get('/api/search', async (c) => {
  const asked = SearchQuery.safeParse(c.req.query());
  if (!asked.success) throw new BadRequest(`This search cannot be read: ${asked.error.issues[0]?.path.join('.') ?? ''} ${asked.error.issues[0]?.message ?? ''}.`);
  const { q, like, sort, weaker, limit, offset, files } = asked.data;
  const answer = like ? await findSimilar(c.env, like, { offset, limit }) : await runSearch(c.env, { text: q, sort, weaker: weaker === '1', offset, limit, nowMs: Date.now() });
  return c.json(files === '1' ? { ...answer, files: await listFilesOf(c.env.DB, answer.results.map((hit) => hit.sha256)) } : answer);
});

searchApi.put('/sync/search-space', async (c) => {
  const said = SearchSpace.safeParse(await readJson(c.req.raw, MAX_SPACE_BYTES));
  if (!said.success) throw new BadRequest(`This space cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  await writeSearchSpace(c.env.DB, said.data);
  c.executionCtx.waitUntil(notifyPages(c.env, 'library'));
  return c.json({ space: spaceKey(said.data.space) });
});

/** Of a space that searches are not made in (yet, or any more) nothing is kept: 409 says which one is. */
searchApi.put('/sync/query-embeddings', async (c) => {
  const said = QueryEmbeddings.safeParse(await readJson(c.req.raw, MAX_EMBEDDINGS_BYTES));
  if (!said.success) throw new BadRequest(`These embeddings cannot be read: ${said.error.issues[0]?.path.join('.') ?? ''} ${said.error.issues[0]?.message ?? ''}.`);
  const { space, items } = said.data;
  const active = await readSearchSpace(c.env.DB);
  if (!active || spaceKey(active.space) !== spaceKey(space)) throw new Conflict('Searches are made in another space.', { space: active ? spaceKey(active.space) : null });
  const wrong = items.find((item) => textToVector(item.vector, space.dimension) === undefined);
  if (wrong) throw new BadRequest(`The embedding of ${JSON.stringify(wrong.text)} is no vector of ${space.dimension} numbers.`);
  await keepEmbeddings(c.env.DB, spaceKey(space), items, true, Date.now());
  return c.json({ kept: items.length });
});

searchApi.get('/sync/vocabulary', async (c) => {
  const space = SpaceKey.safeParse(c.req.query('space'));
  if (!space.success) throw new BadRequest('Say which space.');
  return c.json({ texts: await listMissingTexts(c.env.DB, space.data, VOCABULARY_ROWS) });
});

searchApi.post('/sync/search/rebuild', async (c) => {
  await rebuildSearch(c.env.DB);
  await rebuildSquares(c.env.DB);
  c.executionCtx.waitUntil(feedBehind(c.env));
  return c.json({});
});
