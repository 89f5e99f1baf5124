// Duplicates: each asset with its files side by side, which is best kept and why, and the form that asks for a plan of the rest.
import { renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind } from '../protocol/words.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { Empty } from './grid.tsx';
import { assetAddress, folderAddress } from './parts/addresses.ts';
import { DriveNames, type DriveName } from './parts/drive-names.tsx';
import { hx } from './parts/hx.ts';
import { Icon } from './parts/icon.tsx';
import { elementId, lastPart, sayAgo, sayBytes, sayCount, sayNumber, showName } from './parts/words.ts';
import { tileRatio, tileWords } from './timeline.tsx';

export interface CopyFacts {
  paths: { volume_id: string; path: string }[];
  label: string; note: string | null; connected: boolean;
  in_album: boolean; sidecar: boolean; damaged: boolean; verified_at_ms: number | null;
  /** Why nothing can be moved from there. */
  fixed: 'package' | 'read_only' | null;
  can: boolean; tick: boolean;
}
export interface GroupFacts {
  sha256: string; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number; taken_at: string | null; duration_ms: number | null;
  size_bytes: number; spare_bytes: number; files: number;
  copies: CopyFacts[]; morePaths: boolean;
  /** Each lies on a drive of its own. */
  apart: boolean;
  best: { index: number; why: 'connected' | 'fixed' | 'verified' | 'sidecar' | 'album' | 'short' | 'same' } | undefined;
  offered: boolean; plugIn: DriveName[];
}
export interface DuplicatesFacts { within: boolean; count: number; bytes: number; all: number; extra: number; groups: GroupFacts[]; next: string | null; first: boolean; address: string; nowMs: number }

const WHY: Record<NonNullable<GroupFacts['best']>['why'], string> = {
  connected: 'its drive is connected', fixed: 'it stays there anyway', verified: 'it was verified last', sidecar: 'a sidecar belongs to it', album: 'its folder is an album', short: 'its path is the shortest', same: 'nothing tells them apart',
};

export function DuplicatesPage(props: { frame: FrameFacts; duplicates: DuplicatesFacts }) {
  const { duplicates } = props;
  return (
    <Page frame={props.frame} title="Duplicates" section="drives">
      <div class="page wide">
        <a class="back" href="/copies"><Icon name="left" small />Copies</a>
        <h1>Duplicates</h1>
        {duplicates.all > 0 && <p class="lead">The same bytes in more than one file. A copy on another drive is a backup; what can go lightly is a second one on the same drive. Nothing is moved before you have seen what would go.</p>}
        {duplicates.all > 0 && (
          <nav class="switch dup-switch" aria-label="Which duplicates">
            <a href="/duplicates" aria-current={duplicates.within ? undefined : 'page'}>All {sayNumber(duplicates.all)}</a>
            <a href="/duplicates?within=drive" aria-current={duplicates.within ? 'page' : undefined}>Several on one drive {sayNumber(duplicates.extra)}</a>
          </nav>
        )}
        {duplicates.count > 0 && duplicates.first && <p class="small num after">The files beyond the first{duplicates.within ? ' on each drive' : ''} take {sayBytes(duplicates.bytes)}, the most at the top.</p>}
        {duplicates.all === 0 && <Empty icon="copies" title="No duplicates" text="Every photo and video lies in one file only. Should the same bytes be found twice, they stand here side by side." />}
        <p class="small after">Not the same bytes and yet the same picture: <a href="/duplicates/near">Look-alikes</a>.</p>
        {duplicates.all > 0 && duplicates.count === 0 && <p class="lead">On no drive does anything lie twice.</p>}
        <div id="duplicates" {...hx({ get: duplicates.address, trigger: 'live-presence from:body', swap: 'innerMorph' })}><Groups duplicates={duplicates} /></div>
      </div>
    </Page>
  );
}

/** Fragment: the groups, of which each offers what the connected drives allow. */
export function Groups(props: { duplicates: DuplicatesFacts }) {
  const { groups, next, nowMs } = props.duplicates;
  return (
    <>
      {groups.map((group) => <Group group={group} nowMs={nowMs} />)}
      {next && <p class="section buttons"><a class="button" rel="next" href={next}>More</a></p>}
    </>
  );
}

function Group(props: { group: GroupFacts; nowMs: number }) {
  const { group } = props;
  const id = elementId('dup', group.sha256.slice(0, 20));
  return (
    <form class="dup" id={id} method="post" action="/orders/plan" aria-label={tileWords(group)}>
      <input type="hidden" name="kind" value="trash" />
      <input type="hidden" name="sha256" value={group.sha256} />
      {/* With none ticked nothing is asked for, and not the whole asset. */}
      <input type="hidden" name="copies" value="ticked" />
      <a class="dup-cover" href={assetAddress(group.sha256)} aria-label={`Look at it: ${tileWords(group)}`} style={`--r:${tileRatio(group.width, group.height).toFixed(4)}${group.color ? `;--c:${group.color}` : ''}`}>
        {group.grid_version > 0 ? <img src={renditionUrl({ sha256: group.sha256, name: 'grid', version: group.grid_version })} alt="" loading="lazy" decoding="async" /> : <Icon name={group.kind === 'video' ? 'film' : 'image'} />}
      </a>
      <div class="dup-body">
        <p class="num"><b>{sayCount(group.files, 'copy', 'copies')}</b>, {sayBytes(group.size_bytes)} each{group.apart && <span class="second">, on a drive of its own: a backup</span>}</p>
        <ul class="dup-files">{group.copies.map((copy, i) => <Copy copy={copy} best={group.best?.index === i ? group.best.why : null} offered={group.offered} nowMs={props.nowMs} />)}</ul>
        {group.morePaths && <p class="small">And in more places than can be shown.</p>}
        <div class="dup-end">
          {group.offered
            ? <button class="button" type="submit"><Icon name="trash" small />Move what is ticked to the trash…</button>
            : <p class="small">{group.plugIn.length > 0 ? <>Plug in <DriveNames drives={group.plugIn} /> to tidy this up.</> : 'None of these can be moved from here.'}</p>}
        </div>
      </div>
    </form>
  );
}

function Copy(props: { copy: CopyFacts; best: NonNullable<GroupFacts['best']>['why'] | null; offered: boolean; nowMs: number }) {
  const { copy } = props;
  const [first, ...also] = copy.paths;
  if (!first) return null;
  const folder = first.path.split('/').slice(0, -1).join('/');
  const ticks = props.offered && copy.can;
  return (
    <li class={props.best ? 'dup-file dup-best' : 'dup-file'}>
      <p class="dup-drive"><span class={copy.connected ? 'dot' : 'dot away'} aria-hidden="true"></span><span><bdi>{showName(copy.label)}</bdi>{copy.connected ? <span class="hidden-text">, connected</span> : ', away'}{copy.note && <span class="small"> · <bdi>{showName(copy.note)}</bdi></span>}</span></p>
      <p class="path"><bdi>{showName(lastPart(first.path))}</bdi></p>
      <p class="small path"><a class="dup-folder" href={folderAddress(first.volume_id, folder)}><Icon name="folder" small /><bdi>{folder === '' ? 'The top of the drive' : showName(folder)}</bdi></a></p>
      <p class="small">{[copy.in_album ? 'album’s folder' : null, copy.sidecar ? 'with a sidecar' : null, copy.damaged ? null : copy.verified_at_ms === null ? 'not verified yet' : `verified ${sayAgo(copy.verified_at_ms, props.nowMs)}`].filter((part) => part !== null).join(' · ')}</p>
      {copy.damaged && <p class="small sum-warn">Damaged: it no longer holds these bytes.</p>}
      {copy.fixed && <p class="small">{copy.fixed === 'package' ? 'Stays: it lies inside another program’s library.' : 'Stays: the drive is read only.'}</p>}
      {props.best && <p class="dup-why"><Icon name="star" small />Best kept: {WHY[props.best]}</p>}
      {ticks && <Tick place={first} tick={copy.tick}>To the trash</Tick>}
      {also.map((place) => (
        <div class="dup-also"><p class="small path">The same file is also seen as <bdi>{showName(place.path)}</bdi>{place.volume_id === first.volume_id ? '' : ', on another drive'}: one copy.</p>{ticks && <Tick place={place} tick={copy.tick}>This name too</Tick>}</div>
      ))}
    </li>
  );
}

function Tick(props: { place: { volume_id: string; path: string }; tick: boolean; children: string }) {
  return <label class="check dup-tick"><input type="checkbox" name="copy" value={`${props.place.volume_id}\n${props.place.path}`} checked={props.tick} autocomplete="off" /><span>{props.children}<span class="hidden-text">: <bdi>{showName(props.place.path)}</bdi></span></span></label>;
}
