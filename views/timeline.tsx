// The timeline: a page of months and days, and its pieces. What it may not do: ask anything; all of it comes in props.
import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { AssetKind } from '../protocol/words.ts';
import { levelRatio, ratioLevel } from '../protocol/layout.ts';
import { proxyUrl, renditionUrl } from '../protocol/rendition.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { assetAddress } from './parts/addresses.ts';
import { boxText } from './parts/box.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { elementId, monthAddress, sayDate, sayDay, sayDuration, sayMonth, sayMonthShort, sayTime } from './parts/words.ts';

export interface TileFacts {
  sha256: string; kind: AssetKind; width: number | null; height: number | null; duration_ms: number | null; color: string | null;
  grid_version: number; favourite: number; taken_at: string | null; month: number; day: number; live_sha256: string | null; live_proxy_version: number;
  /** What stands under it (a RAW file, an edited version, a burst); a Live Photo's video is said by its own badge. */
  members?: number;
  /** Where it stands among what a search found. */
  rank?: number;
}
/** Tiles in the grid's order, and the addresses of what follows and what is before; `inside` is the grid's own, none for the timeline. */
export interface Piece { tiles: TileFacts[]; older: string | null; newer: string | null; inside?: string;
  /** In an order of its own: months would come again and again, so they are not said. */
  flat?: boolean }
/** What the script goes by that takes a page's grid over: where the page begins in it, how many there are in all, named parts of it. */
export interface GridFacts { begin: 'first' | 'group' | 'midst'; version?: number; total?: number; parts?: { at: number; title: string; words: string }[] }
export interface MonthCount { month: number; count: number }

/** Beyond these a picture would be a hairline or a wall; it is cropped to fit. */
const MIN_RATIO = 0.45;
const MAX_RATIO = 4;
/** Tiles of a page that are asked for at once; about two screens. Everything else waits until it is near. */
export const EAGER_TILES = 16;
/** More years than this do not fit down the edge of a small screen; the oldest are then gathered by decade. */
const MAX_YEARS = 22;
const YEARS_KEPT = 14;

/** `places`: what the titles of days say of the place. */
export function TimelinePage(props: { frame: FrameFacts; piece: Piece; places: Record<number, string>; months: MonthCount[]; grid: GridFacts }) {
  const month = props.piece.tiles[0]?.month ?? 0;
  return (
    <Page frame={props.frame} title={props.grid.begin === 'first' ? 'Photos' : sayMonth(month)} section="photos" wide
      topEnd={<><Density /><button class="button jump" type="button" popovertarget="years"><Icon name="calendar" small /><span>Jump to</span></button></>}
      after={<><Years months={props.months} current={month} /><dialog id="viewer" class="viewer" aria-label="Photo" tabindex={-1}></dialog></>}>
      <h1 class="hidden-text">Photos</h1>
      <div id="fresh" class="fresh" hidden><a class="button" href="/">New photos: show</a></div>
      <div id="timeline" class="timeline">
        <TimelinePiece piece={props.piece} places={props.places} grid={props.grid} />
      </div>
    </Page>
  );
}

/** How large the pictures of a grid are: for the script alone, without it there is one size. */
export function Density() {
  return (
    <div class="density needs-script" role="group" aria-label="Size of the pictures">
      <button class="icon-button" type="button" data-density="-1" aria-label="Smaller pictures" title="Smaller pictures" aria-keyshortcuts="-"><Icon name="smaller" small /></button>
      <button class="icon-button" type="button" data-density="1" aria-label="Larger pictures" title="Larger pictures" aria-keyshortcuts="+"><Icon name="larger" small /></button>
    </div>
  );
}

/** A piece as a page of its own, with plain links to what is before and behind it; the script takes it over and draws the rest. */
export function TimelinePiece(props: { piece: Piece; places?: Record<number, string>; grid: GridFacts }) {
  const { piece } = props;
  const by = piece.flat ? 'none' : piece.inside ? 'month' : 'day';
  return (
    <>
      {piece.newer && <More address={piece.newer} way="newer" words={piece.inside ? 'What is before' : 'Newer'} />}
      <GridBox piece={piece} by={by} grid={props.grid}>
        {/* The few of each day in a place or an album would leave most of a page empty: those stand by the month. */}
        {group(piece.tiles, by).map((group, index, groups) => (
          <>
            {by !== 'none' && groups[index - 1]?.month !== group.month && <h2 class="month-title" data-month={group.month}>{sayMonth(group.month)}</h2>}
            <section class="day" data-day={group.day}>
              {!piece.inside && <h3 class="day-title">{sayDay(group.day)}{props.places?.[group.day] && <> <span>{props.places[group.day]}</span></>}</h3>}
              <div class="row">{group.tiles.map((tile) => <Tile tile={tile} inside={piece.inside} eager={piece.tiles.indexOf(tile) < EAGER_TILES} />)}</div>
            </section>
          </>
        ))}
      </GridBox>
      {piece.older && <More address={piece.older} way="older" words={piece.inside ? 'More' : 'Older'} />}
    </>
  );
}

/** The box that the script takes over (views/client/grid/), with what it must know of it. */
export function GridBox(props: { piece: Piece; by: 'day' | 'month' | 'none'; grid: GridFacts; children?: Child }) {
  const { piece, grid } = props;
  return (
    <div class="grid" tabindex={-1} data-of={piece.inside ?? '/'} data-by={props.by} data-begin={grid.begin} data-version={grid.version} data-total={grid.total} data-complete={piece.older === null ? '' : undefined}
      data-parts={grid.parts && grid.parts.length > 0 ? JSON.stringify(grid.parts) : undefined}>{props.children}</div>
  );
}

/** A plain link, for a page without script and for what is beyond the longest layout. */
export function More(props: { address: string; way: 'older' | 'newer'; words: string }) {
  return (
    <nav id={elementId('more', props.address)} class={`more more-${props.way}`} aria-label="More photos">
      <a class="button" rel={props.way === 'older' ? 'next' : 'prev'} href={props.address}>{props.words}</a>
    </nav>
  );
}

/** Tiles of a run, and what the page's layout is checked by: versions of their months, and what their days' titles say of the place. */
export interface PieceFacts { tiles: TileFacts[]; versions: Record<number, number>; places: Record<number, string> }

/** Fragment: what the grid module asks for; it places the tiles itself. */
export function GridPieceView(props: PieceFacts & { inside: string | undefined }) {
  return (
    <>
      <template data-versions={JSON.stringify(props.versions)} data-places={JSON.stringify(props.places)}></template>
      {props.tiles.map((tile) => <Tile tile={tile} inside={props.inside} />)}
    </>
  );
}

export function tileId(sha256: string): string {
  return `a-${sha256.slice(0, 20)}`;
}
export function tileRatio(width: number | null, height: number | null): number {
  return Math.min(MAX_RATIO, Math.max(MIN_RATIO, width && height ? width / height : 1));
}
/** Says what a tile is to those who do not see it. */
export function tileWords(tile: Pick<TileFacts, 'kind' | 'taken_at'> & { live_sha256?: string | null; duration_ms?: number | null }): string {
  const length = tile.kind === 'video' && tile.duration_ms != null ? `${sayDuration(tile.duration_ms)}, ` : '';
  return `${tile.kind === 'video' ? 'Video' : tile.live_sha256 ? 'Live Photo' : 'Photo'}, ${length}${tile.taken_at ? `${sayDate(tile.taken_at)}, ${sayTime(tile.taken_at)}` : 'no date'}`;
}

/** `eager`: whether its picture is asked for at once; left out where the script asks and places it. */
export function Tile(props: { tile: TileFacts; eager?: boolean; inside: string | undefined }) {
  return raw(drawTile(props.tile, props.inside, props.eager));
}

// As text: a piece holds 200 of them, and as elements they were a third of its time. All that comes from outside goes through `esc`.
function drawTile(tile: TileFacts, inside: string | undefined, eager: boolean | undefined): string {
  // The ratio of the layout: what the script places and what a page without it shows are of one shape.
  const ratio = levelRatio(ratioLevel(tile.width && tile.height ? tile.width / tile.height : 1));
  const color = tile.color ? `;--c:${esc(tile.color)}` : '';
  const live = tile.live_sha256 !== null && tile.live_proxy_version > 0 ? ` data-live="${esc(proxyUrl({ sha256: tile.live_sha256, version: tile.live_proxy_version }))}"` : '';
  const known = eager === undefined ? '' : ` width="${Math.round(ratio * 440)}" height="440" loading="${eager ? 'eager' : 'lazy'}"`;
  const picture = tile.grid_version > 0
    ? `<img src="${esc(renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version }))}" alt=""${known} decoding="async"/>`
    : icon(tile.kind === 'video' ? 'film' : 'image');
  const film = tile.kind === 'video' ? `<span class="badge">${tile.duration_ms === null ? '' : esc(sayDuration(tile.duration_ms))}${icon('play')}</span>` : '';
  // How many a stack holds, itself included; a Live Photo's video has its own badge.
  const under = (tile.members ?? 0) - (tile.live_sha256 !== null && tile.live_sha256 !== tile.sha256 ? 1 : 0);
  const stack = under > 0 ? `<span class="badge badge-stack">${icon('stack')}${under + 1}<span class="hidden-text"> in one</span></span>` : '';
  const moves = tile.kind !== 'video' && tile.live_sha256 !== null ? `<span class="badge badge-live">${icon('live')}LIVE</span>` : '';
  return `<a class="tile${tile.grid_version > 0 ? '' : ' tile-wait'}${tile.favourite === 1 ? ' tile-favourite' : ''}" id="${tileId(tile.sha256)}" href="${esc(assetAddress(tile.sha256, inside, '', tile.rank))}"`
    + ` style="--r:${ratio.toFixed(4)}${color}" aria-label="${esc(tileWords(tile))}" data-box="${boxText(tile)}"${live}>${picture}${film}${stack}${moves}</a>`;
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
function esc(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? '') : text;
}
const drawn = new Map<IconName, string>();
function icon(name: IconName): string {
  let text = drawn.get(name);
  if (text === undefined) drawn.set(name, text = (<Icon name={name} />).toString());
  return text;
}

function group(tiles: readonly TileFacts[], by: 'day' | 'month' | 'none'): { day: number; month: number; tiles: TileFacts[] }[] {
  const groups: { day: number; month: number; tiles: TileFacts[] }[] = [];
  for (const tile of tiles) {
    const last = groups.at(-1);
    if (last && (by === 'none' || last[by] === tile[by])) last.tiles.push(tile);
    else groups.push({ day: by === 'day' ? tile.day : tile.month * 100, month: tile.month, tiles: [tile] });
  }
  return groups;
}

interface YearEntry { label: string; address: string; year: number; until: number; months: { label: string; name: string; address: string }[] }

/** The years down the right edge; a sheet on a phone. Works by hover, focus and tap without script. */
function Years(props: { months: MonthCount[]; current: number }) {
  const entries = listYears(props.months);
  return (
    <nav id="years" class="years" popover="auto" aria-label="Jump to a month" style={`--n:${entries.length}`}>
      <ol>
        {entries.map((entry) => {
          const current = Math.floor(props.current / 100);
          const here = current >= entry.year && current <= entry.until;
          return (
            <li>
              <a class="year" href={`/?at=${entry.address}`} data-year={entry.year} data-until={entry.until} data-label={entry.label} aria-current={here ? 'true' : undefined}>{entry.label}</a>
              {entry.months.length > 0 && <div class="year-months">{entry.months.map((month) => <a href={`/?at=${month.address}`} aria-label={month.name}>{month.label}</a>)}</div>}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function listYears(months: readonly MonthCount[]): YearEntry[] {
  const byYear = new Map<number, number[]>();
  for (const { month } of months) {
    const year = Math.floor(month / 100);
    byYear.set(year, [...(byYear.get(year) ?? []), month]);
  }
  const years = [...byYear.keys()].filter((year) => year > 0);
  const text = (year: number) => String(year).padStart(4, '0');
  const kept = years.length > MAX_YEARS ? years.slice(0, YEARS_KEPT) : years;
  const entries: YearEntry[] = kept.map((year) => ({
    label: String(year), address: text(year), year, until: year,
    months: (byYear.get(year) ?? []).map((month) => ({ label: sayMonthShort(month), name: sayMonth(month), address: monthAddress(month) })).reverse(),
  }));
  const decades = new Map<number, number[]>();
  for (const year of years.slice(kept.length)) decades.set(Math.floor(year / 10) * 10, [...(decades.get(Math.floor(year / 10) * 10) ?? []), year]);
  for (const [decade, inside] of decades) {
    const newest = inside[0] ?? decade;
    entries.push({ label: `${decade}s`, address: text(newest), year: decade, until: newest, months: inside.map((year) => ({ label: String(year), name: String(year), address: text(year) })).reverse() });
  }
  if (byYear.has(0)) entries.push({ label: 'No date', address: 'none', year: 0, until: 0, months: [] });
  return entries;
}
