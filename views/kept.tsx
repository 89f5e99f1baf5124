// Favourites, the archive and tags: what the owner keeps apart, as grids of their own.
import { Page, type FrameFacts } from './frame.tsx';
import { Crumbs, Empty, GridPage } from './grid.tsx';
import { tagAddress } from './parts/addresses.ts';
import { Icon } from './parts/icon.tsx';
import { sayNumber, sayThings, showName } from './parts/words.ts';
import type { Piece } from './timeline.tsx';

const ALBUMS = [{ href: '/albums', label: 'Albums' }];

const WORDS = {
  favourites: { title: 'Favourites', icon: 'heart', more: '', none: 'No favourite yet', empty: 'Press the heart on a photo, or the key f, and it is found here.' },
  archive: { title: 'Archive', icon: 'archive', more: ', kept out of the timeline', none: 'Nothing is archived', empty: 'What you archive leaves the timeline, and stays here, in albums and in the search.' },
} as const;

export function KeptPage(props: { frame: FrameFacts; kind: keyof typeof WORDS; count: number; piece: Piece }) {
  const words = WORDS[props.kind];
  return <GridPage frame={props.frame} section="albums" title={words.title} lead={`${sayThings(props.count)}${words.more}`} crumbs={ALBUMS} piece={props.piece} empty="" above={props.count === 0 && <Empty icon={words.icon} title={words.none} text={words.empty} />} />;
}

export function TagPage(props: { frame: FrameFacts; tag: string; count: number; piece: Piece }) {
  return <GridPage frame={props.frame} section="albums" title={props.tag} lead={sayThings(props.count)} crumbs={[...ALBUMS, { href: '/tags', label: 'Tags' }]} piece={props.piece} empty="Nothing carries this tag any more." />;
}

export function TagsPage(props: { frame: FrameFacts; tags: { tag: string; count: number }[]; next: string | null; first: boolean }) {
  return (
    <Page frame={props.frame} title="Tags" section="albums">
      <div class="page wide">
        <Crumbs crumbs={ALBUMS} />
        <h1>Tags</h1>
        {props.tags.length === 0
          ? props.first ? <Empty icon="tag" title="No tag yet" text="Tags come from your files and from the programs that wrote them, and you can add your own to any photo." /> : <p class="lead">No more.</p>
          : <ul class="chips tags">{props.tags.map(({ tag, count }) => <li><a class="chip" href={tagAddress(tag)}><Icon name="tag" small /><span class="chip-label"><bdi dir="auto">{showName(tag)}</bdi></span><span class="small num">{sayNumber(count)}</span></a></li>)}</ul>}
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More</a></p>}
      </div>
    </Page>
  );
}
