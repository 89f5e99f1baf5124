// Grids of a place and of an album: the timeline's own tiles under a title of their own. And the covers that lead to them.
import type { Child } from 'hono/jsx';
import { renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind } from '../protocol/words.ts';
import { Page, type FrameFacts, type Section } from './frame.tsx';
import { Icon } from './parts/icon.tsx';
import { showName } from './parts/words.ts';
import { Density, TimelinePiece, type Piece } from './timeline.tsx';

export interface Cover { sha256: string; kind: AssetKind; grid_version: number; color: string | null }
export interface Crumb { href: string; label: string }

export function GridPage(props: { frame: FrameFacts; section: Section; title: string; lead: string; crumbs: Crumb[]; piece: Piece; empty: string }) {
  return (
    <Page frame={props.frame} title={props.title} section={props.section} wide topEnd={<Density />} after={<dialog id="viewer" class="viewer" aria-label="Photo" tabindex={-1}></dialog>}>
      <div class="grid-head">
        <Crumbs crumbs={props.crumbs} />
        <h1><bdi>{showName(props.title)}</bdi></h1>
        <p class="lead num">{props.piece.tiles.length === 0 ? props.empty : props.lead}</p>
      </div>
      <div id="timeline" class="timeline"><TimelinePiece piece={props.piece} grid={{ begin: props.piece.newer === null ? 'first' : 'midst' }} /></div>
    </Page>
  );
}

export function Crumbs(props: { crumbs: Crumb[] }) {
  return <nav class="crumbs" aria-label="Where this is">{props.crumbs.map((crumb, i) => <>{i > 0 && <Icon name="right" />}<a href={crumb.href}><bdi>{showName(crumb.label)}</bdi></a></>)}</nav>;
}

/** A picture with words under it, leading somewhere. */
export function Card(props: { href: string; cover: Cover; name: string; words: Child; eager: boolean }) {
  const { cover } = props;
  return (
    <li>
      <a class="card" href={props.href}>
        <span class="card-cover" style={cover.color ? `--c:${cover.color}` : undefined}>
          {cover.grid_version > 0
            ? <img src={renditionUrl({ sha256: cover.sha256, name: 'grid', version: cover.grid_version })} alt="" loading={props.eager ? 'eager' : 'lazy'} decoding="async" />
            : <Icon name={cover.kind === 'video' ? 'film' : 'image'} />}
        </span>
        <span class="card-name"><bdi>{showName(props.name)}</bdi></span>
        <span class="small num">{props.words}</span>
      </a>
    </li>
  );
}
