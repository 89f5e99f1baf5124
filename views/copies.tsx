// Copies: how safely originals are kept, by sort, year and album; the lists behind those numbers; and the line that says
// whether originals are at hand.
import type { Child } from 'hono/jsx';
import { renditionUrl } from '../protocol/rendition.ts';
import type { AlbumSort } from '../protocol/words.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { Empty, GridPage } from './grid.tsx';
import { albumAddress, assetAddress, copiesAddress, withQuery, type CopyList } from './parts/addresses.ts';
import { DriveNames, type DriveName } from './parts/drive-names.tsx';
import { hx } from './parts/hx.ts';
import { Icon } from './parts/icon.tsx';
import { sayAgo, sayBytes, sayCount, sayNumber, showName } from './parts/words.ts';
import { tileWords, type Piece, type TileFacts } from './timeline.tsx';

export interface CopyTotals {
  assets: number; one: number; together: number; nowhere: number; two_drives: number; stale: number; never: number; duplicates: number; spare_bytes: number; extra: number; extra_bytes: number; damaged: number;
}
export interface OnlyOn extends DriveName { volume_id: string; connected: boolean; assets: number }
export interface KeptRow { assets: number; three: number; two_drives: number; one: number }
export interface CopiesFacts {
  totals: CopyTotals; only: OnlyOn[];
  years: (KeptRow & { year: number })[]; albums: (KeptRow & { album_id: number; title: string; sort: AlbumSort })[];
  /** More albums behind these, and whether these are not the first. */
  nextAlbums: string | null; laterAlbums: boolean;
}

const things = (n: number) => sayCount(n, 'photo or video', 'photos and videos');
const has = (n: number, one: string, many: string) => (n === 1 ? one : many);

export function CopiesPage(props: { frame: FrameFacts; copies: CopiesFacts; address: string }) {
  return (
    <Page frame={props.frame} title="Copies" section="drives">
      <div class="page">
        <a class="back" href="/drives"><Icon name="left" small />Drives</a>
        <h1>Copies</h1>
        <div id="copies" {...hx({ get: props.address, trigger: 'live-presence from:body', swap: 'innerMorph' })}><CopiesBody copies={props.copies} /></div>
      </div>
    </Page>
  );
}

/** Fragment: all of the page that may change while it is open. */
export function CopiesBody(props: { copies: CopiesFacts }) {
  const { totals, only } = props.copies;
  if (totals.assets === 0) return <Empty icon="copies" title="Nothing to count yet" text="Once a folder has been read, this page says of which photos and videos there is only one copy, and on which drive it lies." />;
  return (
    <>
      <p class="lead">Of {things(totals.assets)}. A file counts once, however many names it has. Files on drives that are away count; files that were not found any more, or are damaged, do not.</p>
      <ul class="rows sums">
        <Sum n={totals.one} href={copiesAddress('one')} words={has(totals.one, 'has only one copy', 'have only one copy')} none="None has only one copy.">
          {only.map((drive, i) => (
            <>{i > 0 && ' · '}<span class={drive.connected ? 'whole-name' : 'whole-name away'}><span class={drive.connected ? 'dot' : 'dot away'} aria-hidden="true"></span><a href={copiesAddress('one', drive.volume_id)}>{sayNumber(drive.assets)} only on ‘<bdi>{showName(drive.label)}</bdi>’</a>{!drive.connected && ', away'}</span></>
          ))}
        </Sum>
        <Sum n={totals.together} href={copiesAddress('together')} words={has(totals.together, 'has all its copies on one drive', 'have all their copies on one drive')} none="No copies lie together on one drive alone.">Should that drive fail, all of them are lost at once.</Sum>
        {totals.nowhere > 0 && <Sum n={totals.nowhere} href={copiesAddress('nowhere')} words={has(totals.nowhere, 'has no whole copy left', 'have no whole copy left')}>Not found at the last scan of the drive, or damaged. What is shown of them stays.</Sum>}
        {totals.damaged > 0 && <Sum n={totals.damaged} href={copiesAddress('damaged')} words={has(totals.damaged, 'file is damaged', 'files are damaged')}>Read again, they no longer held the bytes that they had.</Sum>}
        <Sum n={totals.stale} href={copiesAddress('unverified')} words={has(totals.stale, 'was not verified for half a year', 'were not verified for half a year')} none="All were verified within half a year." quiet={totals.never === totals.stale}>
          {totals.never > 0 ? `${totals.never === totals.stale ? 'None of them ever was.' : `${sayNumber(totals.never)} of them never ${has(totals.never, 'was', 'were')}.`} ` : ''}Verifying reads every byte again, for a drive does not say by itself that it forgets. Begin it at the <a href="/drives">drives</a>.
        </Sum>
        <Sum n={totals.duplicates} href="/duplicates" words={has(totals.duplicates, 'lies in more than one file', 'lie in more than one file')} none="Nothing lies in more than one file." quiet>
          The files beyond the first take {sayBytes(totals.spare_bytes)}.{totals.extra > 0 && <> <a href="/duplicates?within=drive">{sayNumber(totals.extra)} of them</a> {has(totals.extra, 'has', 'have')} several on one drive: {sayBytes(totals.extra_bytes)}.</>}
        </Sum>
      </ul>
      <section class="section">
        <h2>Three, two, one</h2>
        <p class="lead">The old rule for what must last: three copies, on two drives, one of them in another place. Counted here is what can be known: three copies or more, two drives or more, one copy only. Whether a drive lies in another place only you know.</p>
        <KeptTable of="Year" rows={props.copies.years.map((row) => ({ ...row, name: row.year === 0 ? 'No date' : String(row.year), href: row.year === 0 ? '/?at=none' : `/?at=${String(row.year).padStart(4, '0')}` }))} />
      </section>
      {(props.copies.albums.length > 0 || props.copies.laterAlbums) && (
        <section class="section" id="albums">
          <h2>By album</h2>
          <KeptTable of="Album" rows={props.copies.albums.map((row) => ({ ...row, name: row.title, href: albumAddress(row.album_id, row.sort) }))} />
          {(props.copies.nextAlbums ?? props.copies.laterAlbums) && (
            <p class="buttons after">{props.copies.laterAlbums && <a class="button button-plain" href="/copies#albums">The first albums</a>}{props.copies.nextAlbums && <a class="button" rel="next" href={`${props.copies.nextAlbums}#albums`}>More albums</a>}</p>
          )}
        </section>
      )}
    </>
  );
}

/** A number that leads to what it counts; where it is none, a sentence. `quiet`: nothing to worry about. */
function Sum(props: { n: number; href: string; words: string; none?: string; quiet?: boolean; children?: Child }) {
  if (props.n === 0) return <li class="sum sum-none">{props.none}</li>;
  return (
    <li class="sum">
      <a class={props.quiet ? 'sum-link' : 'sum-link sum-warn'} href={props.href}><b class="num">{sayNumber(props.n)}</b> {props.words}<Icon name="right" small /></a>
      <p class="small num">{props.children}</p>
    </li>
  );
}

function KeptTable(props: { of: string; rows: (KeptRow & { name: string; href: string })[] }) {
  return (
    <table class="kept num">
      <thead><tr><th scope="col">{props.of}</th><th scope="col">All</th><th scope="col">3 copies</th><th scope="col">2 drives</th><th scope="col">1 copy</th></tr></thead>
      <tbody>
        {props.rows.map((row) => (
          <tr><th scope="row"><a href={row.href}><bdi>{showName(row.name)}</bdi></a></th><td>{sayNumber(row.assets)}</td><Share n={row.three} of={row.assets} /><Share n={row.two_drives} of={row.assets} /><td class={row.one > 0 ? 'warn' : 'second'}>{sayNumber(row.one)}</td></tr>
        ))}
      </tbody>
    </table>
  );
}
function Share(props: { n: number; of: number }) {
  return <td class={props.n === props.of ? undefined : 'second'}>{props.n === props.of && props.of > 0 ? 'all' : sayNumber(props.n)}</td>;
}

const LISTS: Record<Exclude<CopyList, 'damaged'>, { title: string; lead: (n: string) => string; empty: string; help: string }> = {
  one: { title: 'Only one copy', lead: (n) => `${n} in one file on one drive.`, empty: 'None has only one copy.', help: 'Should that file be lost, so is the picture.' },
  together: { title: 'All copies on one drive', lead: (n) => `${n} in several files, all on the same drive.`, empty: 'No copies lie together on one drive alone.', help: 'Should that drive fail, all of them are lost at once.' },
  nowhere: { title: 'No whole copy left', lead: (n) => `${n} without a file that was found whole.`, empty: 'Of everything a whole copy is known.', help: 'Not found at the last scan of the drive, or damaged. They come back by themselves when a file does.' },
  unverified: { title: 'Not verified for half a year', lead: (n) => `${n}, those first that were never verified, then the longest ago.`, empty: 'All were verified within half a year.', help: 'Verify a drive on the page of drives.' },
};

/** One list as a grid; `drive`: what only lies there. */
export function CopyListPage(props: { frame: FrameFacts; list: Exclude<CopyList, 'damaged'>; count: number; piece: Piece; drive?: (DriveName & { connected: boolean }) | undefined }) {
  const words = LISTS[props.list];
  const crumbs = [{ href: '/drives', label: 'Drives' }, { href: '/copies', label: 'Copies' }, ...(props.drive ? [{ href: copiesAddress('one'), label: words.title }] : [])];
  return (
    <GridPage frame={props.frame} section="drives" title={props.drive ? `Only on ${props.drive.label}` : words.title} lead={words.lead(things(props.count))} crumbs={crumbs} piece={props.piece} empty={words.empty}
      above={props.piece.tiles.length > 0 && <p class="small">{words.help}{props.drive && !props.drive.connected && <> <DriveNames drives={[props.drive]} /> is away.</>}</p>} />
  );
}

export interface DamagedFile extends TileFacts { volume_id: string; path: string; damaged_at_ms: number; files: number; drive: DriveName & { connected: boolean }; others: (DriveName & { connected: boolean })[] }

/** The damaged file goes into the trash, and a copy that is read right then takes its place: with both drives here. */
function Mend(props: { file: DamagedFile }) {
  const { file } = props;
  const others = file.others.some((drive) => drive.connected);
  if (!file.drive.connected || !others) return <p class="small">Plug in <DriveNames drives={[...(file.drive.connected ? [] : [file.drive]), ...(others ? [] : file.others.slice(0, 1))]} /> to mend it.</p>;
  return (
    <form method="post" action="/orders/plan">
      <input type="hidden" name="kind" value="mend" /><input type="hidden" name="copy" value={`${file.volume_id}\n${file.path}`} />
      <button class="button" type="submit">Put a whole copy in its place</button>
    </form>
  );
}

export interface DamagedFacts { files: DamagedFile[]; next: string | null; nowMs: number }

/** Files that no longer hold what they held, by drive and path. */
export function DamagedPage(props: DamagedFacts & { frame: FrameFacts; address: string; of?: DriveName | undefined }) {
  return (
    <Page frame={props.frame} title="Damaged files" section="drives">
      <div class="page">
        <a class="back" href="/copies"><Icon name="left" small />Copies</a>
        <h1>Damaged files{props.of && <> on <bdi>{showName(props.of.label)}</bdi></>}</h1>
        <div id="damaged" {...hx({ get: props.address, trigger: 'live-presence from:body', swap: 'innerMorph' })}><DamagedBody {...props} /></div>
      </div>
    </Page>
  );
}

/** Fragment: the files, and what each can be mended with now. */
export function DamagedBody(props: DamagedFacts) {
  return (
    <>
      {props.files.length === 0
        ? <p class="lead">None is known. Only verifying a drive finds them; it can be begun on the page of <a href="/drives">drives</a>.</p>
        : <p class="lead">When they were verified they held other bytes than before, though neither their size nor their date had changed: so a drive forgets. Nothing was done to them by itself.</p>}
      <ul class="rows">
        {props.files.map((file) => (
          <li class="copy-row">
            <a class="copy-cover" href={assetAddress(file.sha256)} aria-label={tileWords(file)} style={file.color ? `--c:${file.color}` : undefined}>
              {file.grid_version > 0 ? <img src={renditionUrl({ sha256: file.sha256, name: 'grid', version: file.grid_version })} alt="" loading="lazy" decoding="async" /> : <Icon name={file.kind === 'video' ? 'film' : 'image'} />}
            </a>
            <div>
              <p class="path"><bdi>{showName(file.path)}</bdi></p>
              <p class="small"><span class={file.drive.connected ? 'dot' : 'dot away'} aria-hidden="true"></span><bdi>{showName(file.drive.label)}</bdi>{!file.drive.connected && ', away'} · found {sayAgo(file.damaged_at_ms, props.nowMs)}</p>
              <p class={file.files === 0 ? 'small sum-warn' : 'small'}>{file.files === 0 ? 'No whole copy of it is known.' : <>{sayCount(file.files, 'whole copy', 'whole copies')} on <DriveNames drives={file.others} />.</>}</p>
              {file.files > 0 && <Mend file={file} />}
            </div>
          </li>
        ))}
      </ul>
      {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More</a></p>}
    </>
  );
}

export function damagedAddress(volumeId: string | null, after?: { volumeId: string; path: string }): string {
  return withQuery(copiesAddress('damaged'), { ...(volumeId === null ? {} : { on: volumeId }), ...(after ? { volume: after.volumeId, path: after.path } : {}) });
}

/** `assets` were looked at; `capped`: there are more. `drives`: those that would have to be connected, most originals first. */
export interface OriginalsFacts { assets: number; away: number; nowhere: number; drives: DriveName[]; capped: boolean }

/**
 * Whether a grid's originals are at hand: one quiet line that follows what is connected. Nothing where there are none. `address`:
 * where it is asked anew; without `originals` it is asked once the page has come to rest, for a search answers first.
 */
export function OriginalsLine(props: { originals?: OriginalsFacts | undefined; address: string }) {
  const trigger = props.originals ? 'live-presence from:body' : 'load delay:300ms, live-presence from:body';
  return <p class="small num originals" id="originals" {...hx({ get: props.address, trigger, swap: 'innerMorph' })}>{props.originals && <Originals originals={props.originals} />}</p>;
}

/** Fragment: the sentence alone. */
export function Originals(props: { originals: OriginalsFacts }) {
  const { assets, away, nowhere, drives, capped } = props.originals;
  if (assets === 0) return <></>;
  const of = capped ? `the first ${sayNumber(assets)}` : sayNumber(assets);
  return (
    <>
      {away === 0 && nowhere === 0 && (assets === 1 ? 'The original is on a connected drive.' : `${capped ? `The first ${sayNumber(assets)}` : 'All'} originals are on connected drives.`)}
      {away > 0 && <>{away === assets ? (away === 1 ? 'The original is' : 'All originals are') : `${sayNumber(away)} of ${of} originals ${has(away, 'is', 'are')}`} on {drives.length === 1 ? 'a drive that is' : 'drives that are'} away: <DriveNames drives={drives} />.</>}
      {nowhere > 0 && ` ${sayNumber(nowhere)} of ${of} ${has(nowhere, 'was', 'were')} not found whole any more.`}
    </>
  );
}
