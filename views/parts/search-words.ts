// Who answered a search and, where the model did not, why and what helps: one sentence for each state. Pure.
import type { SearchStatus } from '../../protocol/link.ts';
import type { SearchAnswer } from '../../protocol/search.ts';
import { sayBytes, sayCount, sayNumber } from './words.ts';

/** What is known of the model and its work now: null and away are said too. */
export interface MeaningFacts {
  /** Undefined where the agent does not say. */
  status: SearchStatus | undefined;
  agentAway: boolean;
  /** Assets that have no vector yet; null where unknown. */
  pendingVectors: number | null;
}
/** `more` is the agent's own sentence: hostile at worst, so it is isolated. */
export interface MeaningWords { text: string; more?: string; link?: { href: string; label: string } }

const SETTINGS = { href: '/settings#search-model', label: 'Settings' };
const WORDS_ONLY = 'Words and filters only:';

export function sayEngine(engine: SearchAnswer['engine']): string {
  return { embedded: 'embedded index', qdrant: 'Qdrant', qdrant_link: 'Qdrant, asked through the agent', words: 'words and filters' }[engine];
}

/** What answered, or what was missing and how to get it. */
export function sayMeaning(answer: Pick<SearchAnswer, 'meaning' | 'engine'>, facts: MeaningFacts): MeaningWords {
  switch (answer.meaning) {
    case 'used': return { text: `By meaning and by words: ${sayEngine(answer.engine)}.` };
    case 'not_asked': return { text: 'By words and filters.' };
    case 'agent_away': return { text: `${WORDS_ONLY} the Mac is asleep or away, and this search is new to it. Start Jharokha there to search by meaning too.` };
    case 'slow': return { text: `${WORDS_ONLY} the model did not answer in time. Search again in a moment to search by meaning too.` };
    case 'engine_down': return {
      text: `${WORDS_ONLY} the vector engine cannot be asked now, so nothing was searched by meaning. If it is a Qdrant, see that it runs and that its address and key are right.`,
      ...(facts.status?.message ? { more: facts.status.message } : {}), link: SETTINGS,
    };
    case 'no_model': return sayModel(facts);
    case 'no_vectors': return sayNoVectors(facts);
  }
}

/** No photo has a vector: what is on the way, or missing. */
function sayNoVectors(facts: MeaningFacts): MeaningWords {
  if (facts.agentAway) return { text: `${WORDS_ONLY} the model has not looked at the photos yet. Start Jharokha on the computer that has them.` };
  if (facts.status && facts.status.state !== 'ready') return sayModel(facts);
  const left = facts.pendingVectors ?? 0;
  return { text: left > 0
    ? `${WORDS_ONLY} the model is still looking at the photos, ${sayNumber(left)} to go. Searching by meaning begins when it has seen them.`
    : `${WORDS_ONLY} the model has not looked at any photo yet. It does so by itself once previews are made.` };
}

/** The model's own state. */
function sayModel({ status }: MeaningFacts): MeaningWords {
  const more = status?.message ? { more: status.message } : {};
  switch (status?.state) {
    case 'off': return { text: `${WORDS_ONLY} searching by meaning is off. Choose a model in the`, link: SETTINGS };
    case 'downloading': return { text: `${WORDS_ONLY} the model is being downloaded${sayDownload(status)}.` };
    case 'loading': return { text: `${WORDS_ONLY} the model is being loaded.` };
    case 'failed': return { text: `${WORDS_ONLY} the model could not be loaded.`, ...more, link: SETTINGS };
    default: return { text: `${WORDS_ONLY} there is no model for searching by meaning.`, ...(status?.message ? more : { more: 'It is downloaded once the computer is online, or can be put into a folder of your own.' }), link: SETTINGS };
  }
}

/** `, 120 MB of 400 MB`; empty where nothing is known. */
export function sayDownload(status: SearchStatus): string {
  if (status.done_bytes === null) return '';
  return `, ${sayBytes(status.done_bytes)}${status.total_bytes === null ? '' : ` of ${sayBytes(status.total_bytes)}`}`;
}

/** `1,204 photos to look at`. */
export function sayPendingVectors(n: number): string {
  return `${sayCount(n, 'photo')} to look at for the search`;
}
