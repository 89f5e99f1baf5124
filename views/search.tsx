// Search: the page of what was found, how it was understood and who answered; the page without a search; more like one asset.
import type { Chip, SearchAnswer, SearchSort } from '../protocol/search.ts';
import { renditionUrl } from '../protocol/rendition.ts';
import { SaveAsAlbum } from './albums.tsx';
import { OriginalsLine } from './copies.tsx';
import { Page, type FrameFacts } from './frame.tsx';
import { assetAddress, foundOriginalsAddress, searchAddress } from './parts/addresses.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { sayNumber, sayThings, showName } from './parts/words.ts';
import { sayMeaning, saySimilarNothing, type MeaningFacts } from './parts/search-words.ts';
import { Density, EAGER_TILES, GridBox, More, Tile, TimelinePiece, tileWords, type GridFacts, type Piece, type TileFacts } from './timeline.tsx';

/** `without`: the query that is left when the chip is taken away; `quoted`: the query in which its words are only words. */
export interface ChipFacts { chip: Chip; without: string; quoted: string | null }
export interface SearchFacts extends MeaningFacts { answer: SearchAnswer; chips: ChipFacts[]; piece: Piece; weaker: boolean }
export interface Idea { text: string; icon: IconName; count: number | null }
/** `note`: which of several of its name. `past`: the owner searched for it before. */
export interface SuggestionFacts { text: string; icon: IconName; note: string | null; count: number | null; past: boolean }

const CHIP_ICONS: Partial<Record<Chip['term']['kind'], IconName>> = { camera: 'camera', date: 'calendar', place: 'place', favourite: 'heart', album: 'album', volume: 'drive', file_name: 'image' };
const SORTS: [sort: SearchSort, label: string][] = [['relevance', 'Best first'], ['newest', 'Newest'], ['oldest', 'Oldest']];

export function SearchPage(props: { frame: FrameFacts; search: SearchFacts }) {
  const { answer } = props.search;
  return (
    <Page frame={props.frame} title={`${showName(answer.query.slice(0, 80))} · Search`} section="search" wide box={{ q: answer.query, sort: answer.sort, live: true }} topEnd={<Density />} after={<ViewerLayer />}>
      <div id="timeline" class="timeline found"><FoundWhole {...props.search} /></div>
    </Page>
  );
}

function ViewerLayer() {
  return <dialog id="viewer" class="viewer" aria-label="Photo" tabindex={-1}></dialog>;
}

/** Fragment: all that a search shows, as it is put in while one types. */
export function FoundWhole(props: SearchFacts) {
  const { answer } = props;
  const said = sayMeaning(answer, props);
  return (
    <>
      <div class="found-head">
        <h1 class="hidden-text">Search: <bdi>{showName(answer.query)}</bdi></h1>
        <Chips chips={props.chips} />
        <div class="found-line">
          <p class="found-count num" role="status">{sayFound(answer)}<span class="found-by">{said.text}{said.more && <> <bdi>{showName(said.more)}</bdi></>}{said.link && <> <a href={said.link.href}>{said.link.label}</a></>}</span></p>
          {answer.query.trim() !== '' && <SaveAsAlbum query={answer.query} />}
          {answer.total > 1 && <Sorts query={answer.query} sort={answer.sort} weaker={props.weaker} />}
        </div>
        {answer.total > 0 && answer.query.trim() !== '' && <OriginalsLine address={foundOriginalsAddress(answer.query, props.weaker)} />}
        {answer.parsed.cut && <p class="small">Only the first {sayNumber(answer.parsed.text.length)} characters were read; the rest of this search was left out.</p>}
      </div>
      <FoundPieceView {...props} />
    </>
  );
}

function sayFound(answer: SearchAnswer): string {
  return answer.total === 0 ? 'Nothing found' : sayThings(answer.total);
}

/** What was understood: each can be taken away, or taken as mere words. */
function Chips(props: { chips: ChipFacts[] }) {
  if (props.chips.length === 0) return null;
  return (
    <ul class="chips" aria-label="Understood as">
      {props.chips.map(({ chip, without, quoted }) => {
        const icon = chip.term.kind === 'type' ? (chip.term.type === 'video' ? 'film' : 'image') : CHIP_ICONS[chip.term.kind] ?? 'search';
        const label = showName(chip.label);
        return (
          <li class={chip.negated ? 'chip chip-not' : 'chip'}>
            <Icon name={icon} small />
            <span class="chip-label"><bdi>{label}</bdi></span>
            {quoted !== null && <a class="chip-words" href={searchAddress(quoted)} title={`Search for the words “${showName(chip.text)}” instead`} aria-label={`Search for the words “${showName(chip.text)}” instead`}>“ ”</a>}
            <a class="chip-off" href={searchAddress(without)} aria-label={`Without ${label}`}><Icon name="close" small /></a>
          </li>
        );
      })}
    </ul>
  );
}

function Sorts(props: { query: string; sort: SearchSort; weaker: boolean }) {
  return (
    <nav class="sorts" aria-label="Order">
      {SORTS.map(([sort, label]) => <a href={searchAddress(props.query, { sort, weaker: props.weaker })} aria-current={sort === props.sort ? 'true' : undefined}>{label}</a>)}
    </nav>
  );
}

/** One piece. By date it is the timeline's own; by relevance what is written comes first, then what looks like it. */
export function FoundPieceView(props: Pick<SearchFacts, 'answer' | 'piece' | 'weaker' | 'chips'>) {
  const { answer, piece } = props;
  if (answer.total === 0) return <Nothing {...props} />;
  const end = piece.older === null ? <Weaker answer={answer} weaker={props.weaker} /> : null;
  const grid: GridFacts = { begin: piece.newer === null ? 'first' : 'midst', total: answer.total };
  if (answer.sort !== 'relevance') return <><TimelinePiece piece={piece} grid={grid} />{end}</>;
  const both = answer.literal > 0 && answer.literal < answer.total;
  const written = (tile: TileFacts) => (tile.rank ?? 0) < answer.literal;
  const groups = [
    { key: 1, at: 0, title: 'Written', words: `${sayNumber(answer.literal)}, in names, places, albums and descriptions`, tiles: piece.tiles.filter(written) },
    { key: 2, at: answer.literal, title: 'Looks like it', words: 'by meaning, best first', tiles: piece.tiles.filter((tile) => !written(tile)) },
  ];
  return (
    <>
      {piece.newer && <More address={piece.newer} way="newer" words="What is before" />}
      <GridBox piece={piece} by="none" grid={{ ...grid, parts: both ? groups.map(({ at, title, words }) => ({ at, title, words })) : [] }}>
        {groups.map(({ key, title, words, tiles }) => tiles.length > 0 && (
          <>
            {both && <h2 class="month-title found-title" data-month={String(key)}>{title} <span class="num">{words}</span></h2>}
            <section class="day" data-day={String(key)}><div class="row">{tiles.map((tile) => <Tile tile={tile} inside={piece.inside} eager={piece.tiles.indexOf(tile) < EAGER_TILES} />)}</div></section>
          </>
        ))}
      </GridBox>
      {piece.older && <More address={piece.older} way="older" words="More" />}
      {end}
    </>
  );
}

function Weaker(props: { answer: SearchAnswer; weaker: boolean }) {
  const { answer } = props;
  if (props.weaker) return <p class="found-end small"><a href={searchAddress(answer.query, { sort: answer.sort })}>Leave weaker matches out</a></p>;
  return answer.weaker > 0 ? <p class="found-end small num"><a href={searchAddress(answer.query, { sort: answer.sort, weaker: true })}>Show weaker matches ({sayNumber(answer.weaker)})</a></p> : null;
}

/** An honest answer, with what may help. */
function Nothing(props: Pick<SearchFacts, 'answer' | 'weaker' | 'chips'>) {
  const { answer, chips } = props;
  return (
    <div class="nothing">
      <p class="lead">Nothing in the library answers this search. What may help:</p>
      <ul class="ideas-list">
        {answer.weaker > 0 && !props.weaker && <li><a href={searchAddress(answer.query, { sort: answer.sort, weaker: true })}>Show weaker matches ({sayNumber(answer.weaker)})</a></li>}
        {chips.map(({ chip, without }) => (without.trim() !== '' || chips.length > 1) && <li><a href={searchAddress(without)}>Search without ‘<bdi>{showName(chip.label)}</bdi>’</a></li>)}
        {answer.parsed.phrases.length > 0 && <li><a href={searchAddress(answer.query.replaceAll(/["“”„]/g, ' ').trim())}>Search without the quotation marks</a></li>}
        <li>Fewer words, other words, or another spelling</li>
      </ul>
    </div>
  );
}

/** Fragment: what drops down below the box. In the empty box: the searches of before, with a way to forget them. */
export function Suggestions(props: { suggestions: SuggestionFacts[]; recent: boolean }) {
  if (props.suggestions.length === 0) return null;
  return (
    <>
      {props.recent && <div class="suggest-head">Recent searches<button class="button button-plain" type="button" tabindex={-1} data-forget="">Forget all</button></div>}
      <ul id="suggestions" role="listbox" aria-label={props.recent ? 'Recent searches' : 'Suggestions'}>
        {props.suggestions.map(({ text, icon, note, count, past }, i) => (
          <li class="suggestion" role="none">
            <a id={`suggestion-${i}`} role="option" aria-selected="false" href={searchAddress(text)} tabindex={-1}><Icon name={icon} small /><bdi dir="auto">{showName(text)}</bdi>{note !== null && <bdi class="small">{showName(note)}</bdi>}{count !== null && <span class="small num">{sayNumber(count)}</span>}</a>
            {/* For a pointer alone, since a list of options holds nothing else; "Forget all" and the settings page are for everybody. */}
            {past && <button class="icon-button" type="button" tabindex={-1} data-forget={text} aria-hidden="true" title={`Forget ${showName(text)}`}><Icon name="close" small /></button>}
          </li>
        ))}
      </ul>
    </>
  );
}

/** `/search` alone: what was searched for before, and what the library offers. */
export function SearchStart(props: { frame: FrameFacts; recent: string[]; ideas: Idea[]; box: { sort: SearchSort } }) {
  return (
    <Page frame={props.frame} title="Search" section="search" wide box={{ q: '', sort: props.box.sort, live: true }} after={<ViewerLayer />}>
      <div id="timeline" class="timeline found"><SearchStartBody recent={props.recent} ideas={props.ideas} /></div>
    </Page>
  );
}

/** Fragment: what stands there while nothing is searched for. */
export function SearchStartBody(props: { recent: string[]; ideas: Idea[] }) {
  const { recent, ideas } = props;
  return (
    <div class="found-start">
      <h1>Search</h1>
      <p class="lead">What is in a picture, a place, a date, a camera, a file’s name: <q>beach</q>, <q>Goa 2022</q>, <q>red saree</q>, <q>videos last summer</q>, <q>mountains -snow</q>.</p>
      {recent.length > 0 && (
        <section class="section">
          <div class="start-head"><h2>Recent searches</h2><form method="post" action="/search/forget"><button class="button button-plain" type="submit">Forget all</button></form></div>
          <ul class="rows recent">
            {recent.map((text) => (
              <li>
                <a href={searchAddress(text)}><Icon name="clock" small /><bdi dir="auto">{showName(text)}</bdi></a>
                <form method="post" action="/search/forget"><input type="hidden" name="text" value={text} /><button class="icon-button" type="submit" aria-label={`Forget ${showName(text)}`}><Icon name="close" small /></button></form>
              </li>
            ))}
          </ul>
        </section>
      )}
      {ideas.length > 0 && (
        <section class="section">
          <h2>From your library</h2>
          <ul class="chips ideas">
            {ideas.map((idea) => <li><a class="chip" href={searchAddress(idea.text)}><Icon name={idea.icon} small /><span class="chip-label"><bdi dir="auto">{showName(idea.text)}</bdi></span>{idea.count !== null && <span class="small num">{sayNumber(idea.count)}</span>}</a></li>)}
          </ul>
        </section>
      )}
      {recent.length === 0 && ideas.length === 0 && <p class="small section">There is nothing to search in yet: the library is empty.</p>}
    </div>
  );
}

/** `/similar/…`: the asset that is compared with at the top, what looks most like it below. */
export function SimilarPage(props: { frame: FrameFacts; tile: TileFacts; search: Pick<SearchFacts, 'answer' | 'piece' | 'chips' | 'weaker'> & MeaningFacts }) {
  const { tile, search } = props;
  const { answer } = search;
  const address = assetAddress(tile.sha256);
  const said = answer.total > 0 ? undefined : saySimilarNothing(answer, search);
  return (
    <Page frame={props.frame} title="More like this" section="search" wide topEnd={<Density />} after={<ViewerLayer />}>
      <div class="similar-head">
        <a class="similar-of" href={address} aria-label={`Back to this one: ${tileWords(tile)}`} style={tile.color ? `--c:${tile.color}` : undefined}>
          {tile.grid_version > 0 ? <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" /> : <Icon name={tile.kind === 'video' ? 'film' : 'image'} />}
        </a>
        <div>
          <h1>More like this</h1>
          <p class="small">{tileWords(tile)}</p>
          <p class="lead num">{said
            ? <>{said.text}{said.more && <> <bdi>{showName(said.more)}</bdi></>}{said.link && <> <a href={said.link.href}>{said.link.label}</a></>}</>
            : `What looks most like it, best first, ${sayEngineShort(answer)}.`}</p>
        </div>
      </div>
      <div id="timeline" class="timeline found">{answer.total > 0 && <FoundPieceView {...search} />}</div>
    </Page>
  );
}

function sayEngineShort(answer: SearchAnswer): string {
  return { embedded: 'by the embedded index', qdrant: 'by Qdrant', qdrant_link: 'by Qdrant, asked through the agent', words: 'by words' }[answer.engine];
}
