// Albums that came with an export: each with a picture and its count.
import { Page, type FrameFacts } from './frame.tsx';
import { Card, type Cover } from './grid.tsx';
import { albumAddress } from './parts/addresses.ts';
import { sayCount } from './parts/words.ts';

export interface AlbumFacts extends Cover { album_id: number; title: string; count: number }

const EAGER = 12;

export function AlbumsPage(props: { frame: FrameFacts; albums: AlbumFacts[]; next: string | null; first: boolean }) {
  return (
    <Page frame={props.frame} title="Albums" section="albums">
      <div class="page wide">
        <h1>Albums</h1>
        {props.albums.length === 0 && props.first && <p class="lead">There is no album yet. The albums of a Google Takeout appear here once its folder has been read.</p>}
        <ul class="tiles">{props.albums.map((album, i) => <Card href={albumAddress(album.album_id)} cover={album} eager={i < EAGER} name={album.title} words={sayCount(album.count, 'photo or video', 'photos and videos')} />)}</ul>
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More</a></p>}
      </div>
    </Page>
  );
}
