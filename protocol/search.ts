// What a query was understood to mean, and what a search answers. Shared by the Worker, its pages and the command line.
import * as z from 'zod';

/** Longest query that is read; the rest is cut off, and said to be. */
export const MAX_QUERY_CHARS = 500;

/** yyyymmdd of the wall time where the picture was taken. */
const Day = z.int().min(0).max(99_991_231);
export const AssetTrait = z.enum(['photo', 'video', 'live', 'motion', 'screenshot', 'panorama', 'selfie', 'raw']);
export type AssetTrait = z.infer<typeof AssetTrait>;

/** Where a trait lies in `search_docs.traits` and in the vector index's column. */
export function traitBit(trait: AssetTrait): number { return 1 << AssetTrait.options.indexOf(trait); }

/** One thing that results must (or, negated, must not) be. Within a term any of its values will do; all terms must hold. */
export const FilterTerm = z.discriminatedUnion('kind', [
  /** Inclusive ranges of days. */
  z.object({ kind: z.literal('date'), ranges: z.array(z.tuple([Day, Day])).min(1).max(200) }),
  /** Places as `places` names them; region and city null: all of the country, city null: all of the region. */
  z.object({ kind: z.literal('place'), places: z.array(z.object({ country_code: z.string().length(2), region: z.string().nullable(), city: z.string().nullable() })).min(1).max(100) }),
  z.object({ kind: z.literal('camera'), cameras: z.array(z.string()).min(1).max(100) }),
  z.object({ kind: z.literal('type'), type: AssetTrait }),
  z.object({ kind: z.literal('favourite') }),
  z.object({ kind: z.literal('album'), album_ids: z.array(z.int()).min(1).max(100) }),
  z.object({ kind: z.literal('person'), names: z.array(z.string()).min(1).max(100) }),
  z.object({ kind: z.literal('tag'), tags: z.array(z.string()).min(1).max(100) }),
  z.object({ kind: z.literal('volume'), volume_ids: z.array(z.string()).min(1).max(100) }),
  /** A part of the file's name; with `whole`, the name itself (its ending may be left out). */
  z.object({ kind: z.literal('file_name'), text: z.string().min(1).max(300), whole: z.boolean() }),
  /** Words of the text itself, only ever negated: "without snow". Judged by the words that are written and by the model. */
  z.object({ kind: z.literal('words'), text: z.string().min(1).max(300) }),
]);
export type FilterTerm = z.infer<typeof FilterTerm>;

/** A term with what people see: `label` on the chip, `text` the words of the query that it was read from (removing the chip removes them), `at` where they begin in it. */
export const Chip = z.object({ term: FilterTerm, negated: z.boolean(), label: z.string(), text: z.string(), at: z.int().nonnegative().optional() });
export type Chip = z.infer<typeof Chip>;

export const ParsedQuery = z.object({
  /** As typed, cut at MAX_QUERY_CHARS. */
  text: z.string(), cut: z.boolean(),
  chips: z.array(Chip),
  /** What no chip took: for words and for the model. */
  rest: z.string(),
  /** Phrases that were quoted: they must be written somewhere, literally. Part of `rest` too. */
  phrases: z.array(z.string()),
});
export type ParsedQuery = z.infer<typeof ParsedQuery>;

export const SearchSort = z.enum(['relevance', 'newest', 'oldest']);
export type SearchSort = z.infer<typeof SearchSort>;

/** Why something is a result, best first: the fields in which the words are written, `meaning` (the model), or `filter` (all chips hold, nothing else was asked). */
export const Why = z.enum(['name', 'folder', 'place', 'description', 'album', 'person', 'tag', 'camera', 'meaning', 'filter']);
export type Why = z.infer<typeof Why>;

/** `score`: of the model, the cosine from -1 to 1; null for what only words or filters found. */
export const SearchHit = z.object({ sha256: z.string(), score: z.number().nullable(), why: z.array(Why) });
export type SearchHit = z.infer<typeof SearchHit>;

/** Who answered. `words`: FTS5 and filters alone, for no vector could be had. */
export const AnsweredBy = z.enum(['embedded', 'qdrant', 'qdrant_link', 'words']);
export type AnsweredBy = z.infer<typeof AnsweredBy>;

/** Why the model did not answer, for the page and the command line to put in words. */
export const MeaningState = z.enum([
  'used',        // it did
  'not_asked',   // filters alone, or quoted words alone
  'no_vectors',  // no asset has a vector yet
  'agent_away',  // the query's embedding is not kept, and the agent is not connected
  'no_model',    // the agent has no model (its status says what to do)
  'slow',        // the agent did not answer in time
  'engine_down', // the vector engine cannot be reached or refused
]);
export type MeaningState = z.infer<typeof MeaningState>;

/** `GET /api/search?q=&sort=&weaker=&limit=&after=` and `jharokha search --json`. */
export const SearchAnswer = z.object({
  query: z.string(), parsed: ParsedQuery, engine: AnsweredBy, meaning: MeaningState,
  /** Where the query's embedding came from. */
  embedding: z.enum(['kept', 'agent', 'asset']).nullable(),
  /** spaceKey of the vectors that were compared. */
  space: z.string().nullable(),
  sort: SearchSort,
  results: z.array(SearchHit),
  /** Literal hits come first: so many of `total`. */
  literal: z.int(), total: z.int(),
  /** Semantic hits that the cut left out and `weaker=1` would show. */
  weaker: z.int(),
  took_ms: z.number(),
});
export type SearchAnswer = z.infer<typeof SearchAnswer>;
