// Who answered a search and, where the model did not, why and what helps: one sentence for each state. Pure.
import type { SearchStatus } from '../../protocol/link.ts';
import type { SearchAnswer } from '../../protocol/search.ts';
import { sayBytes, sayNumber, sayThings } from './words.ts';

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
const NOTHING_LIKE_IT = 'There is nothing to compare with yet:';

export function sayEngine(engine: SearchAnswer['engine']): string {
  return { embedded: 'embedded index', qdrant: 'Qdrant', qdrant_link: 'Qdrant, asked through the agent', words: 'words and filters' }[engine];
}

/** The engine for the settings. */
export function sayEngineName(engine: SearchStatus['engine']): string {
  return { embedded: 'The embedded index, inside Jharokha', qdrant: 'Qdrant', qdrant_link: 'Qdrant, asked through the agent' }[engine];
}

/** What answered, or what was missing and how to get it. */
export function sayMeaning(answer: Pick<SearchAnswer, 'meaning' | 'engine'>, facts: MeaningFacts, first = WORDS_ONLY): MeaningWords {
  switch (answer.meaning) {
    case 'used': return { text: `By meaning and by words: ${sayEngine(answer.engine)}.` };
    case 'not_asked': return { text: 'By words and filters.' };
    case 'agent_away': return { text: `${first} the Mac is asleep or away, and this search is new to it. Start Jharokha there to search by meaning too.` };
    case 'slow': return { text: `${first} the model did not answer in time. Search again in a moment to search by meaning too.` };
    case 'engine_down': return {
      text: `${first} the vector engine cannot be asked now, so nothing was searched by meaning. If it is a Qdrant, see that it runs and that its address and key are right.`,
      ...(facts.status?.message ? { more: facts.status.message } : {}), link: SETTINGS,
    };
    case 'no_model': return sayModel(facts, first);
    case 'no_vectors': return sayNoVectors(facts, first);
  }
}

/** Why nothing can be said to look like an asset. */
export function saySimilarNothing(answer: Pick<SearchAnswer, 'meaning' | 'engine'>, facts: MeaningFacts): MeaningWords {
  if (answer.meaning !== 'used' && answer.meaning !== 'not_asked') return sayMeaning(answer, facts, NOTHING_LIKE_IT);
  const left = facts.pendingVectors ?? 0;
  return { text: `The model has not looked at this one yet, or at nothing else.${left > 0 ? ` ${sayNumber(left)} are still to be looked at.` : ''}` };
}

/** No photo has a vector: what is on the way, or missing. */
function sayNoVectors(facts: MeaningFacts, first: string): MeaningWords {
  if (facts.agentAway) return { text: `${first} the model has not looked at the photos yet. Start Jharokha on the computer that has them.` };
  if (facts.status && facts.status.state !== 'ready') return sayModel(facts, first);
  const left = facts.pendingVectors ?? 0;
  return { text: left > 0
    ? `${first} the model is still looking at the photos, ${sayNumber(left)} to go. Searching by meaning begins when it has seen them.`
    : `${first} the model has not looked at any photo yet. It does so by itself once previews are made.` };
}

/** The model's own state. */
function sayModel({ status }: MeaningFacts, first: string): MeaningWords {
  const more = status?.message ? { more: status.message } : {};
  switch (status?.state) {
    case 'off': return { text: `${first} searching by meaning is off. Choose a model in the`, link: SETTINGS };
    case 'downloading': return { text: `${first} the model is being downloaded${sayDownload(status)}.` };
    case 'loading': return { text: `${first} the model is being loaded.` };
    // It is there, and yet it refused: another one is being made ready, or these words were too much for it.
    case 'ready': return { text: `${first} the model did not take this search. Another model may just be taking over; search again in a while.`, ...more };
    case 'failed': return { text: `${first} the model could not be loaded.`, ...more, link: SETTINGS };
    default: return { text: `${first} there is no model for searching by meaning.`, ...(status?.message ? more : { more: 'It is downloaded once the computer is online, or can be put into a folder of your own.' }), link: SETTINGS };
  }
}

/** `, 120 MB of 400 MB`; empty where nothing is known. */
export function sayDownload(status: SearchStatus): string {
  if (status.done_bytes === null) return '';
  return `, ${sayBytes(status.done_bytes)}${status.total_bytes === null ? '' : ` of ${sayBytes(status.total_bytes)}`}`;
}

/** The model's state for the settings. */
export function sayModelState(status: SearchStatus | undefined): string {
  switch (status?.state) {
    case 'off': return 'Off';
    case 'missing': return 'Missing';
    case 'downloading': return `Being downloaded${sayDownload(status)}`;
    case 'loading': return 'Being loaded';
    case 'ready': return 'Ready';
    case 'failed': return 'Could not be loaded';
    default: return 'The agent has not said yet';
  }
}

/** How far the model has come with the library. */
export function sayLookedAt(assets: number, pending: number | null): string {
  if (pending === null) return 'Not known';
  const done = Math.max(0, assets - pending);
  return pending === 0 ? `All ${sayThings(done)}` : `${sayNumber(done)} of ${sayNumber(done + pending)}; ${sayNumber(pending)} to go`;
}
