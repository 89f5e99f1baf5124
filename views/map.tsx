// The map of places: where the client draws the world and its photos, and beside it the photos of the view.
import { boxText, type Box } from '../protocol/map.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { Empty } from './grid.tsx';
import { sayNumber } from './parts/words.ts';
import { PlacesHead } from './places.tsx';
import { Tile, type TileFacts } from './timeline.tsx';

/** Photos of a view that are asked for at once. */
const EAGER = 12;

export function MapPage(props: { frame: FrameFacts; any: boolean; whole: Box | undefined; tiles: string | null; scriptUrl: string; styleUrl: string; landUrl: string; landFineUrl: string }) {
  return (
    <Page frame={props.frame} title="Map" section="places" wide
      head={props.any && <><link rel="stylesheet" href={props.styleUrl} /><link rel="preload" as="fetch" href={props.landUrl} crossorigin="anonymous" /><script src={props.scriptUrl} defer></script></>}
      after={<dialog id="viewer" class="viewer" aria-label="Photo" tabindex={-1}></dialog>}>
      <div class="map-page">
        <div class="map-head"><PlacesHead current="map" /></div>
        {props.any ? (
          <>
            <div class="map-frame">
              <div id="map" class="map" role="application" aria-label="Map of your photos. Arrow keys move it, plus and minus zoom." data-whole={props.whole && boxText(props.whole)} data-land={props.landUrl} data-land-fine={props.landFineUrl} data-tiles={props.tiles ?? undefined}></div>
              <p id="map-said" class="map-said" role="status" hidden></p>
              <noscript><p class="map-noscript">The map needs JavaScript. <a href="/places">The list of places</a> does not.</p></noscript>
            </div>
            <section id="map-photos" class="map-photos" aria-label="Photos in this view" aria-live="off"></section>
          </>
        ) : (
          <Empty icon="map" title="No photo has a position yet" text="Cameras and phones write one where they know it, and you can set one beside any photo. Each then stands here, with no need of the internet." />
        )}
      </div>
    </Page>
  );
}

/** Fragment: the newest of the view, and the way to all of them. */
export function MapPhotos(props: { tiles: TileFacts[]; address: string; count: number; exact: boolean }) {
  if (props.tiles.length === 0) return <p class="map-photos-none small">No photo in this part of the map. Zoom out, or move it.</p>;
  // What reaches over the edge of the view is counted with it until one looks closer.
  const all = props.tiles.length >= props.count && props.exact;
  return (
    <>
      <div class="map-photos-head">
        <h2>{props.exact ? '' : 'About '}<span class="num">{sayNumber(Math.max(props.count, props.tiles.length))}</span> {props.count === 1 ? 'photo' : 'photos'} in view</h2>
        <a class="button" href={props.address}>Show all</a>
      </div>
      {!all && <p class="small map-photos-note">The newest of them</p>}
      <div class="row">{props.tiles.map((tile, i) => <Tile tile={tile} inside={props.address} eager={i < EAGER} />)}</div>
    </>
  );
}
