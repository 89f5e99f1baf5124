// Albums: the page of all, one album's tools, and the page where its order is made by hand. Plain forms throughout.
import { MAX_ALBUM_TITLE_LENGTH } from '../protocol/limits.ts';
import { renditionUrl } from '../protocol/rendition.ts';
import type { AlbumSort } from '../protocol/words.ts';
import { OriginalsLine, type OriginalsFacts } from './copies.tsx';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Card, Crumbs, Empty, GridPage, type Cover } from './grid.tsx';
import { albumAddress, foundOriginalsAddress, searchAddress } from './parts/addresses.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { sayNumber, sayThings, showName } from './parts/words.ts';
import { tileId, tileWords, type Piece, type TileFacts } from './timeline.tsx';

export interface AlbumFacts extends Cover { album_id: number; title: string; query: string | null; sort: AlbumSort; count: number }
/** What the owner typed and why it was refused. */
export interface Refused { title: string; query: string; wrong: string }

const EAGER = 12;
const SORTS: [sort: AlbumSort, label: string][] = [['oldest', 'Oldest first'], ['newest', 'Newest first'], ['own', 'My order']];

export function AlbumsPage(props: { frame: FrameFacts; albums: AlbumFacts[]; next: string | null; first: boolean; counts: { favourites: number; archive: number; tags: number; moreTags: boolean }; refused?: Refused | undefined; removed?: { album_id: number; title: string } | undefined }) {
  const { counts, removed, refused } = props;
  return (
    <Page frame={props.frame} title="Albums" section="albums">
      <div class="page wide">
        <div class="page-head">
          <h1>Albums</h1>
          <details class="fold" open={refused !== undefined}>
            <summary class="button"><Icon name="plus" small />New album</summary>
            <NewAlbum {...refused} />
          </details>
        </div>
        {removed && (
          <form class="said said-line" method="post" action={`${albumAddress(removed.album_id)}/restore`} role="status">
            <span>‘<bdi>{showName(removed.title)}</bdi>’ is deleted. The photos themselves are where they were.</span>
            <button class="button" type="submit"><Icon name="undo" small />Undo</button>
          </form>
        )}
        {props.first && (
          <ul class="pinned">
            <Pinned href="/favourites" icon="heart" name="Favourites" words={sayNumber(counts.favourites)} />
            <Pinned href="/archive" icon="archive" name="Archive" words={sayNumber(counts.archive)} />
            <Pinned href="/tags" icon="tag" name="Tags" words={`${sayNumber(counts.tags)}${counts.moreTags ? '+' : ''}`} />
          </ul>
        )}
        {props.albums.length === 0 && props.first && <Empty icon="album" title="No album yet" text="Make one and put photos into it, or save a search as an album that fills itself. The albums of a Google Takeout appear here once its folder has been read." />}
        <ul class="tiles">
          {props.albums.map((album, i) => (
            <Card href={albumAddress(album.album_id, album.query === null ? album.sort : 'oldest')} cover={album} eager={i < EAGER} name={album.title} icon={album.query === null ? 'album' : 'smart'}
              words={album.query === null ? album.count === 0 ? 'Empty' : sayThings(album.count) : <><Icon name="smart" small />Fills itself</>} />
          ))}
        </ul>
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More</a></p>}
      </div>
    </Page>
  );
}

function Pinned(props: { href: string; icon: IconName; name: string; words: string }) {
  return <li><a href={props.href}><Icon name={props.icon} />{props.name}<span class="small num">{props.words}</span></a></li>;
}

function NewAlbum(props: Partial<Refused>) {
  return (
    <form class="form fold-body" method="post" action="/albums">
      <label class="field"><span>Name</span><input type="text" name="title" value={props.title ?? ''} maxlength={MAX_ALBUM_TITLE_LENGTH} required dir="auto" autocomplete="off" /></label>
      <label class="field"><span>Filled by a search, if you like</span><input type="text" name="query" value={props.query ?? ''} dir="auto" autocomplete="off" placeholder="beach 2022" /></label>
      {props.wrong && <p class="error small" role="alert">{props.wrong}</p>}
      <div class="buttons"><button class="button button-main" type="submit">Make it</button></div>
    </form>
  );
}

/** On a page of a search: keeps it as an album. */
export function SaveAsAlbum(props: { query: string }) {
  return (
    <details class="fold save-album">
      <summary class="button button-plain"><Icon name="smart" small />Save as album</summary>
      <form class="form fold-body" method="post" action="/albums">
        <input type="hidden" name="query" value={props.query} />
        <label class="field"><span>Name</span><input type="text" name="title" value={showName(props.query).slice(0, MAX_ALBUM_TITLE_LENGTH)} maxlength={MAX_ALBUM_TITLE_LENGTH} required dir="auto" autocomplete="off" /></label>
        <p class="small">The album holds what this search finds, also what comes later.</p>
        <div class="buttons"><button class="button button-main" type="submit">Save</button></div>
      </form>
    </details>
  );
}

export interface AlbumHead { album_id: number; title: string; import_key: string | null; import_title: string; sort: AlbumSort; query: string | null }

export function AlbumPage(props: { frame: FrameFacts; album: AlbumHead; count: number; piece: Piece; originals?: OriginalsFacts; said?: string | undefined; refused?: { title: string; wrong: string } | undefined }) {
  const { album, count, originals } = props;
  const lead = album.query === null ? sayThings(count) : `${sayThings(count)}, found by ‘${showName(album.query)}’`;
  const empty = album.query === null
    ? <Empty icon="album" title="An empty album" text="Nothing lies in this album yet. Select photos anywhere and put them in." />
    : <Empty icon="smart" title="Nothing now" text={`Nothing answers the search ‘${showName(album.query)}’. What does later will appear here.`} />;
  return <GridPage frame={props.frame} section="albums" title={album.title} lead={lead} crumbs={[{ href: '/albums', label: 'Albums' }]} piece={props.piece} empty="" above={count === 0 ? empty : <OriginalsLine originals={originals} address={album.query === null ? `${albumAddress(album.album_id)}/originals` : foundOriginalsAddress(album.query)} />}
    said={<Said text={props.said} />} tools={<AlbumTools album={album} count={count} refused={props.refused} />} />;
}

function AlbumTools(props: { album: AlbumHead; count: number; refused: { title: string; wrong: string } | undefined }) {
  const { album, refused } = props;
  const at = albumAddress(album.album_id);
  const sorts = album.query === null ? SORTS : SORTS.slice(0, 2);
  return (
    <div class="album-tools">
      {props.count > 1 && (
        <form method="post" action={`${at}/sort`}>
          <div class="segments" role="group" aria-label="Order">{sorts.map(([sort, label]) => <button type="submit" name="sort" value={sort} aria-pressed={album.sort === sort ? 'true' : 'false'}>{label}</button>)}</div>
        </form>
      )}
      {album.query === null && props.count > 0 && <a class="button button-plain" href={`${at}/arrange`}><Icon name="stack" small />Arrange</a>}
      {album.query !== null && <a class="button button-plain" href={searchAddress(album.query)}><Icon name="search" small />Open the search</a>}
      <details class="fold" open={refused !== undefined}>
        <summary class="button button-plain"><Icon name="edit" small />Rename</summary>
        <form class="form fold-body" method="post" action={`${at}/name`}>
          <label class="field"><span>Name</span><input type="text" name="title" value={refused?.title ?? album.title} maxlength={MAX_ALBUM_TITLE_LENGTH} required dir="auto" autocomplete="off" /></label>
          {refused && <p class="error small" role="alert">{refused.wrong}</p>}
          {album.import_key !== null && album.import_title !== album.title && <p class="small">The export calls it ‘<bdi>{showName(album.import_title)}</bdi>’.</p>}
          <div class="buttons"><button class="button button-main" type="submit">Save</button></div>
        </form>
      </details>
      <form method="post" action={`${at}/remove`}><button class="button button-plain" type="submit"><Icon name="close" small />Delete album</button></form>
    </div>
  );
}

/** What stands at the address of an album that is away. */
export function AwayAlbumPage(props: { frame: FrameFacts; album: { album_id: number; title: string } }) {
  return (
    <Page frame={props.frame} title="Albums" section="albums">
      <div class="page">
        <Crumbs crumbs={[{ href: '/albums', label: 'Albums' }]} />
        <h1><bdi>{showName(props.album.title)}</bdi></h1>
        <p class="lead">This album was deleted. The photos themselves are where they were.</p>
        <form class="section buttons" method="post" action={`${albumAddress(props.album.album_id)}/restore`}><button class="button button-main" type="submit"><Icon name="undo" small />Bring it back</button></form>
      </div>
    </Page>
  );
}

const MOVES: [what: string, icon: IconName, label: string][] = [['first', 'first', 'To the beginning'], ['earlier', 'left', 'Earlier'], ['later', 'right', 'Later'], ['last', 'last', 'To the end']];

/** One album's pictures in a row of small ones, each with what can be done about its place. */
export function ArrangePage(props: { frame: FrameFacts; album: AlbumHead & { cover_sha256: string | null }; tiles: TileFacts[]; newer: string | null; older: string | null; said?: string | undefined; undo?: number | undefined }) {
  const { album } = props;
  const at = albumAddress(album.album_id);
  return (
    <Page frame={props.frame} title={`Arrange ${showName(album.title)}`} section="albums">
      <div class="page wide">
        <Crumbs crumbs={[{ href: '/albums', label: 'Albums' }, { href: albumAddress(album.album_id, album.sort), label: album.title }]} />
        <h1>Arrange</h1>
        <p class="lead">{album.sort === 'own' ? 'Put them into your order, choose the cover, or take some out. The photos themselves stay where they are.' : 'Choose the cover, or take some out. The first move gives the album an order of your own.'}</p>
        {props.undo !== undefined
          ? <form class="said said-line" method="post" action={`/edits/${props.undo}/undo`} role="status"><input type="hidden" name="back" value={`${at}/arrange`} /><span>Taken out of the album.</span><button class="button" type="submit"><Icon name="undo" small />Undo</button></form>
          : <Said text={props.said} />}
        {props.newer && <p class="section buttons"><a class="button" rel="prev" href={props.newer}>What is before</a></p>}
        <ul class="arrange">
          {props.tiles.map((tile) => (
            <li id={tileId(tile.sha256)}>
              <span class="arrange-cover" style={tile.color ? `--c:${tile.color}` : undefined}>
                {tile.grid_version > 0 ? <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt={tileWords(tile)} loading="lazy" decoding="async" /> : <Icon name={tile.kind === 'video' ? 'film' : 'image'} />}
                {album.cover_sha256 === tile.sha256 && <span class="badge">Cover</span>}
              </span>
              <form method="post" action={`${at}/arrange`}>
                <input type="hidden" name="sha256" value={tile.sha256} />
                <div class="arrange-moves">{MOVES.map(([what, icon, label]) => <button class="icon-button" type="submit" name="do" value={what} aria-label={`${label}: ${tileWords(tile)}`} title={label}><Icon name={icon} small /></button>)}</div>
                <div class="arrange-more">
                  {album.cover_sha256 !== tile.sha256 && <button class="link-button" type="submit" name="do" value="cover">Cover</button>}
                  <button class="link-button" type="submit" name="do" value="take">Take out</button>
                </div>
              </form>
            </li>
          ))}
        </ul>
        {props.older && <p class="section buttons"><a class="button" rel="next" href={props.older}>More</a></p>}
      </div>
    </Page>
  );
}
