// `/search`: what was found, what is suggested while one types, what was searched for before. `/similar/:sha256`: more like one asset.
import { Hono } from 'hono';
import { Originals } from '../../views/copies.tsx';
import { FoundWhole, SearchPage, SearchStart, SearchStartBody, SimilarPage, Suggestions, type Idea, type SearchFacts, type SuggestionFacts } from '../../views/search.tsx';
import type { IconName } from '../../views/parts/icon.tsx';
import type { MeaningFacts } from '../../views/parts/search-words.ts';
import { sayMonth } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { NotFound } from '../errors.tsx';
import { findAll, findBy, loadFoundPiece, readFound } from '../middleware/found.ts';
import { loadKnownDrives, sumOriginals } from '../middleware/known-drives.ts';
import { loadFrame, loadStatus, readWhere, sendBack, sendFragment, sendPage, wantsFragment, type PageContext } from '../middleware/page.tsx';
import { quoteChip, removeChip } from '../search/parse-query.ts';
import { listSuggestions, type Suggestion } from '../search/suggest.ts';
import { listOriginals } from '../store/copies.ts';
import { listCountries } from '../store/place-pages.ts';
import { forgetHistory, listHistory, rememberSearch } from '../store/search-history.ts';
import { findTile, listMonths } from '../store/timeline.ts';

/** Searches of before that `/search` lists. */
const RECENT_SHOWN = 12;
const RECENT_SUGGESTED = 8;
const MAX_SUGGESTED = 8;
const PLACES_OFFERED = 5;
const MONTHS_OFFERED = 4;
/** Words that every library understands. */
const TYPES_OFFERED = ['videos', 'screenshots', 'selfies', 'panoramas', 'favourites'];

const ICONS: Record<Suggestion['kind'], IconName> = { history: 'clock', place: 'place', person: 'search', album: 'album', camera: 'camera', tag: 'search', drive: 'drive', date: 'calendar', type: 'image' };

export const search = new Hono<App>();

search.get('/search', async (c) => {
  const at = findBy(c.req.query('q') ?? '', c.req.query('sort'), c.req.query('weaker'));
  const { q, sort, weaker } = at.found;
  if (q.trim() === '') {
    const [recent, ideas] = await Promise.all([listHistory(c.env.DB, RECENT_SHOWN).then((past) => past.map(({ text }) => text)), loadIdeas(c.env.DB)]);
    return wantsFragment(c) ? sendFragment(c, <SearchStartBody recent={recent} ideas={ideas} />) : sendPage(c, <SearchStart frame={await loadFrame(c)} recent={recent} ideas={ideas} box={{ sort }} />);
  }
  const where = readWhere(c);
  const whole = where.from === undefined && where.until === undefined;
  const [{ answer, piece }, meaning] = await Promise.all([loadFoundPiece(c.env, at, where), loadMeaning(c)]);
  const facts: SearchFacts = { answer, piece, weaker, chips: describeChips(answer.parsed.text, answer.parsed.chips), ...meaning };
  if (wantsFragment(c)) return sendFragment(c, <FoundWhole {...facts} />);
  if (whole && where.near === undefined && isOwnVisit(c)) await rememberSearch(c.env.DB, answer.query, Date.now());
  return sendPage(c, <SearchPage frame={await loadFrame(c)} search={facts} />);
});

/** What may be meant by what is typed so far; in the empty box what was searched for before. */
search.get('/search/suggest', async (c) => {
  const q = c.req.query('q') ?? '';
  const recent = q.trim() === '';
  const suggestions = recent
    ? (await listHistory(c.env.DB, RECENT_SUGGESTED)).map(({ text }): SuggestionFacts => ({ text, icon: 'clock', note: null, count: null, past: true }))
    : (await listSuggestions(c.env.DB, q, Date.now(), MAX_SUGGESTED)).map(({ text, label, kind, count }): SuggestionFacts => ({
      text, icon: ICONS[kind], note: text.toLowerCase().endsWith(label.toLowerCase()) ? null : label, count: count ?? null, past: kind === 'history',
    }));
  return sendFragment(c, <Suggestions suggestions={suggestions} recent={recent} />);
});

/** Where the originals of what is found lie. */
search.get('/search/originals', async (c) => {
  const at = findBy(c.req.query('q') ?? '', 'newest', c.req.query('weaker'));
  const [{ sha256s, more }, drives] = await Promise.all([findAll(c.env, at), loadKnownDrives(c)]);
  return sendFragment(c, <Originals originals={sumOriginals(await listOriginals(c.env.DB, sha256s), drives, more)} />);
});

/** A search that was meant, on a page whose results followed what was typed. */
search.post('/search/history', async (c) => {
  const text = String((await c.req.formData()).get('q') ?? '');
  if (text.trim() !== '') await rememberSearch(c.env.DB, text, Date.now());
  return c.body(null, 204);
});

/** One of the searches of before, or all of them. */
search.post('/search/forget', async (c) => {
  const form = await c.req.formData();
  const text = form.get('text');
  await forgetHistory(c.env.DB, typeof text === 'string' ? text : null);
  if (wantsFragment(c)) return c.body(null, 204);
  return sendBack(c, form.get('back') === 'settings' ? '/settings?done=history' : '/search');
});

search.get('/similar/:sha256', async (c) => {
  const at = readFound(new URL(c.req.url).pathname);
  const tile = at?.found.kind === 'similar' ? await findTile(c.env.DB, at.found.sha256) : undefined;
  if (!at || !tile) throw new NotFound('There is no photo at this address. It may have been taken out of the library.');
  const where = readWhere(c);
  const [{ answer, piece }, meaning] = await Promise.all([loadFoundPiece(c.env, at, where), loadMeaning(c)]);
  const facts = { answer, piece, weaker: false, chips: [], ...meaning };
  return sendPage(c, <SimilarPage frame={await loadFrame(c)} tile={tile} search={facts} />);
});

async function loadMeaning(c: PageContext): Promise<MeaningFacts> {
  const status = await loadStatus(c);
  return { status: status?.search, agentAway: status === null, pendingVectors: status?.pending.vectors ?? null };
}

function describeChips(text: string, chips: SearchFacts['answer']['parsed']['chips']): SearchFacts['chips'] {
  return chips.map((chip) => ({ chip, without: removeChip(text, chip), quoted: chip.negated ? null : quoteChip(text, chip) }));
}

/** Another site's link may open a search, but leaves nothing behind; nor does what a browser loads ahead. */
function isOwnVisit(c: PageContext): boolean {
  const site = c.req.header('sec-fetch-site');
  return (site === undefined || site === 'same-origin' || site === 'none') && c.req.header('sec-purpose') === undefined;
}

/** What the library itself offers to search for; empty for an empty one. */
async function loadIdeas(db: D1Database): Promise<Idea[]> {
  const [countries, months] = await Promise.all([listCountries(db), listMonths(db)]);
  if (months.length === 0) return [];
  return [
    ...countries.slice(0, PLACES_OFFERED).map((country): Idea => ({ text: country.country ?? country.country_code, icon: 'place', count: country.count })),
    ...months.filter(({ month }) => month > 0).slice(0, MONTHS_OFFERED).map(({ month, count }): Idea => ({ text: sayMonth(month), icon: 'calendar', count })),
    ...TYPES_OFFERED.map((text): Idea => ({ text, icon: text === 'videos' ? 'film' : text === 'favourites' ? 'heart' : 'image', count: null })),
  ];
}
