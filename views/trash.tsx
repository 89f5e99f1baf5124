// The trash: what the owner moved there, on whichever drive it lies; restoring, and deleting for good.
import { renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind } from '../protocol/words.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Empty } from './grid.tsx';
import type { DriveName } from './parts/drive-names.tsx';
import { hx } from './parts/hx.ts';
import { Icon } from './parts/icon.tsx';
import { sayAgo, sayBytes, sayCount, sayDate, sayNumber, showName } from './parts/words.ts';
import { tileId } from './timeline.tsx';

export interface TrashView { sha256: string; at_ms: number; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number; taken_at: string | null; files: number; bytes: number; copies: number }
export interface TrashDrive extends DriveName { connected: boolean; files: number; bytes: number }

export interface TrashFacts { tiles: TrashView[]; drives: TrashDrive[]; /** Files whose photo stays. */ spare: number; next: string | null; first: boolean; nowMs: number }

export function TrashPage(props: TrashFacts & { frame: FrameFacts; address: string; said?: string | undefined; wrong?: string | undefined }) {
  return (
    <Page frame={props.frame} title="Trash" section="trash">
      <div class="page wide">
        <h1>Trash</h1>
        <Said text={props.said} /><Said text={props.wrong} wrong />
        <div id="trash" {...hx({ get: props.address, trigger: 'live-presence from:body', swap: 'innerMorph' })}><TrashBody {...props} /></div>
      </div>
    </Page>
  );
}

/** Fragment: all of the page that follows what is connected. What was chosen stays chosen. */
export function TrashBody(props: TrashFacts) {
  const { drives } = props;
  const empty = props.tiles.length === 0 && drives.length === 0;
  const away = drives.filter((drive) => !drive.connected);
  return (
    <>
      <p class="lead">{empty ? 'Nothing is in the trash.' : 'Each file lies in a folder on its own drive, until you empty the trash. Nothing goes by itself.'}</p>
      {drives.length > 0 && (
        <ul class="rows plan-drives">
          {drives.map((drive) => <li class="num"><span class={drive.connected ? 'dot' : 'dot away'} aria-hidden="true"></span><bdi>{showName(drive.label)}</bdi>{!drive.connected && ', away'}{drive.note && <> · <bdi>{showName(drive.note)}</bdi></>} · {sayCount(drive.files, 'file')}, {sayBytes(drive.bytes)}</li>)}
        </ul>
      )}
      {away.length > 0 && <p class="small">What lies on a drive that is away can be restored or deleted once it is plugged in.</p>}
      {empty && props.first && <Empty icon="trash" title="Nothing to restore" text="Select photos and press Trash. They come here, stay on their drive, and can be put back where they lay." />}
      {props.tiles.length > 0 && (
        <form method="post" action="/trash">
          <ul class="trash-tiles">{props.tiles.map((tile, i) => <Tile tile={tile} nowMs={props.nowMs} eager={i < 12} />)}</ul>
          <div class="section buttons">
            <button class="button button-main" type="submit" name="do" value="restore">Restore the chosen</button>
            <button class="button" type="submit" name="do" value="empty">Delete the chosen for good</button>
          </div>
        </form>
      )}
      {props.spare > 0 && <p class="section">{props.spare === 1 ? 'The photo of one file stays: the file is a further copy, or was damaged and a whole one took its place. ' : `The photos of ${sayNumber(props.spare)} files stay: these are further copies, or were damaged and whole ones took their place. `}A further copy is put back by <a href="/orders">its order</a>.</p>}
      {drives.length > 0 && (
        <form class="section buttons" method="post" action="/trash">
          <button class="button" type="submit" name="do" value="restore-all">Restore everything</button>
          <button class="button" type="submit" name="do" value="empty-all">Empty the trash</button>
        </form>
      )}
      {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>Earlier</a></p>}
      <p class="section small"><a href="/orders">Orders and their receipts</a></p>
    </>
  );
}

function Tile(props: { tile: TrashView; nowMs: number; eager: boolean }) {
  const { tile } = props;
  const name = `${tile.kind === 'video' ? 'Video' : 'Photo'}${tile.taken_at ? ` of ${sayDate(tile.taken_at)}` : ', no date'}`;
  return (
    <li id={tileId(tile.sha256)}>
      <label class="trash-tile" style={tile.color ? `--c:${tile.color}` : undefined}>
        <input type="checkbox" name="sha256" value={tile.sha256} />
        {tile.grid_version > 0 ? <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" loading={props.eager ? 'eager' : 'lazy'} decoding="async" /> : <Icon name={tile.kind === 'video' ? 'film' : 'image'} />}
        <span class="trash-words small"><span>{name}</span><span class="num">{sayTrash(tile, props.nowMs)}</span></span>
      </label>
    </li>
  );
}

function sayTrash(tile: TrashView, nowMs: number): string {
  const parts = [tile.files > 0 ? sayBytes(tile.bytes) : 'not in the trash any more', sayAgo(tile.at_ms, nowMs)];
  if (tile.copies > 0) parts.push(`${sayNumber(tile.copies)} more on ${tile.copies === 1 ? 'a drive' : 'drives'}`);
  return parts.join(' · ');
}
