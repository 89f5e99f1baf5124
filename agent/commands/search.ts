// `search`: finds by words and by meaning, or what looks like an asset. Says who answered, and what is missing where
// something is. No hit is an answer too.
import * as z from 'zod';
import type { AgentStatus } from '../../protocol/link.ts';
import { SearchAnswer, type SearchHit } from '../../protocol/search.ts';
import { CommandError, EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { connectOrStart, type Instance } from './instance.ts';
import { printJson, printLine, safe } from './print.ts';

/** Hits asked for at once; the Worker gives 500 at most. */
const PAGE = 200;
const Answered = SearchAnswer.extend({ files: z.array(z.object({ sha256: z.string(), taken_at: z.string().nullable(), volume: z.string().nullable(), path: z.string().nullable(), files: z.int() })) });
type Answered = z.infer<typeof Answered>;

const SAY_MEANING: Record<SearchAnswer['meaning'], string> = {
  used: '', not_asked: '', no_vectors: 'By words alone: no picture has been looked at by the model yet.', agent_away: 'By words alone: the meaning of these words is not kept, and the agent is away.',
  no_model: 'By words alone: the agent has no model for the search. Its status says how to get it.', slow: 'By words alone: the agent took too long over the meaning of these words. Search again in a moment.',
  engine_down: 'By words alone: the vectors cannot be reached now.',
};
const SAY_ENGINE: Record<SearchAnswer['engine'], string> = { embedded: 'the embedded index', qdrant: 'Qdrant', qdrant_link: 'Qdrant, asked by the agent', words: 'words and filters' };

export async function run(options: Options): Promise<number> {
  const text = options.args.join(' ').trim();
  const { sort, weaker, limit, like } = options.search;
  if (text === '' && like === null) throw new CommandError('Say what to search for: npm run -s jharokha -- search WORDS…', EXIT.usage);
  if (text !== '' && like !== null) throw new CommandError('Search for words or for what looks --like an asset, not both.', EXIT.usage);
  const instance = await connectOrStart(options);
  try {
    let first: Answered | undefined;
    const results: SearchHit[] = [];
    const files: Answered['files'] = [];
    do {
      const asked = new URLSearchParams({ ...(like === null ? { q: text } : { like }), sort, weaker: weaker ? '1' : '0', files: '1', limit: String(Math.min(PAGE, limit - results.length)), offset: String(results.length) });
      const ask = async (): Promise<Answered> => Answered.parse(await (await callWorker(instance.worker, `/api/search?${asked.toString()}`)).json());
      let page = await ask();
      // An agent that was started for this command has yet to open its model, which takes longer than a page may wait.
      if (!first && page.meaning === 'no_model' && await instance.engine?.warmSearch()) page = await ask();
      first ??= page;
      results.push(...page.results);
      files.push(...page.files);
      if (page.results.length === 0) break;
    } while (results.length < limit && results.length < first.total);
    if (options.json) { const { files: _, ...answer } = first; printJson({ ...answer, results }); } else {
      printText(first, results, new Map(files.map((file) => [file.sha256, file])));
      if (WANTS_MODEL.has(first.meaning)) await printModel(instance);
    }
    return EXIT.ok;
  } finally { await instance.close(); }
}

/** What a model would have answered: then it is said what the model lacks. */
const WANTS_MODEL: ReadonlySet<SearchAnswer['meaning']> = new Set(['no_vectors', 'no_model', 'engine_down']);

async function printModel(instance: Instance): Promise<void> {
  const own = instance.engine?.status();
  const status = own ?? (await (await callWorker(instance.worker, '/api/status')).json() as { status: AgentStatus | null }).status;
  const { state, message } = status?.search ?? { state: 'missing', message: null };
  if (state === 'off') printLine('The model is turned off; --search-model standard or light turns it on.');
  else if (message !== null) printLine(safe(message));
  else if (own && state !== 'ready') printLine('npm start gets a model at its first use; where there is no network, --model-dir DIR names a folder with one.');
}

function printText(answer: Answered, results: readonly SearchHit[], files: ReadonlyMap<string, Answered['files'][number]>): void {
  for (const hit of results) {
    const file = files.get(hit.sha256);
    const where = file?.path ? `${file.volume ?? ''}: ${file.path}${file.files > 1 ? ` (and ${file.files - 1} more)` : ''}` : 'no file is known any more';
    printLine(`${file?.taken_at?.replace('T', ' ') ?? 'no date            '}  ${hit.sha256.slice(0, 12)}  ${safe(where)}  [${hit.why.join(', ')}${hit.score === null ? '' : ` ${hit.score.toFixed(3)}`}]`);
  }
  if (answer.parsed.chips.length > 0) printLine(`Understood: ${answer.parsed.chips.map((chip) => safe(`${chip.negated ? 'not ' : ''}${chip.label}`)).join(', ')}.`);
  if (answer.parsed.cut) printLine('The text was too long; its beginning was searched for.');
  const more = answer.total > results.length ? ` of ${answer.total.toLocaleString('en')}` : '';
  printLine(answer.total === 0 ? `Nothing found, by ${SAY_ENGINE[answer.engine]}.` : `${results.length.toLocaleString('en')}${more} found by ${SAY_ENGINE[answer.engine]}.`);
  if (answer.weaker > 0) printLine(`${answer.weaker.toLocaleString('en')} weaker matches: --weaker shows them.`);
  if (SAY_MEANING[answer.meaning] !== '') printLine(SAY_MEANING[answer.meaning]);
}
