// A folder of a drive: the way to it, its subfolders, and what lies directly inside; with the drive in a drawer too.
import type { FrameFacts } from './frame.tsx';
import { Card, GridPage, type Cover } from './grid.tsx';
import { folderAddress } from './parts/addresses.ts';
import { sayCount, sayThings, showName } from './parts/words.ts';
import type { Piece } from './timeline.tsx';

export interface SubfolderFacts extends Cover { name: string }
export interface FolderViewFacts { volume_id: string; label: string; connected: boolean; path: string; subfolders: SubfolderFacts[]; nextSubfolders: string | null; count: number; missing: number; piece: Piece }

const EAGER = 8;

export function FolderViewPage(props: { frame: FrameFacts; folder: FolderViewFacts }) {
  const { folder } = props;
  const names = folder.path.split('/').filter((name) => name !== '');
  const way = [folder.label, ...names].map((label, i) => ({ href: folderAddress(folder.volume_id, names.slice(0, i).join('/')), label }));
  const here = sayThings(folder.count);
  const more = [
    folder.missing > 0 ? `${sayCount(folder.missing, 'more file was', 'more files were')} not found at the last scan.` : '',
    folder.connected ? '' : `‘${showName(folder.label)}’ is away; this is how it was.`,
  ].filter((text) => text !== '').join(' ');
  const shown = folder.piece.tiles.length > 0 ? `${here} in this folder.` : folder.subfolders.length > 0 ? `${sayCount(folder.subfolders.length, 'folder')}${folder.nextSubfolders ? ' and more' : ''}.` : 'Nothing in this folder is in the library any more.';
  const lead = `${shown} ${more}`.trim();
  return (
    <GridPage frame={props.frame} section="drives" title={names.at(-1) ?? folder.label} lead={lead} empty={lead} crumbs={[{ href: '/drives', label: 'Drives' }, ...way.slice(0, -1)]} piece={folder.piece}
      above={folder.subfolders.length > 0 && (
        <>
          <ul class="tiles subfolders">{folder.subfolders.map((sub, i) => <Card href={folderAddress(folder.volume_id, [...names, sub.name].join('/'))} cover={sub} eager={i < EAGER} name={sub.name} words="" icon="folder" />)}</ul>
          {folder.nextSubfolders && <p class="buttons after"><a class="button" rel="next" href={folder.nextSubfolders}>More folders</a></p>}
        </>
      )} />
  );
}
