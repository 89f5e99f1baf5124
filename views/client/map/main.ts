// The map page's own script, loaded there alone: Leaflet over the world's shapes, the photos of the view as round markers, and
// beside it a list of them. Where one looks stands in the address, so that going back and loading again come to the same view.
import { control, latLngBounds, map as createMap, tileLayer, type LatLngBounds, type Map as LeafletMap } from 'leaflet';
import { MAX_LATITUDE, MAX_ZOOM, readBox, WORLD_PX, type ClustersAnswer } from '../../../protocol/map.ts';
import { drawLand } from './land.ts';
import { createMarkers } from './markers.ts';

/** A view that rests this long is asked about. */
const MARKERS_AFTER_MS = 60;
const PHOTOS_AFTER_MS = 250;
const AGAIN_MS = 1_500;
/** Markers just outside the view are there before one drags it in. */
const MARGIN = 0.15;
const OSM_WORDS = '© <a href="https://www.openstreetmap.org/copyright" rel="noreferrer">OpenStreetMap</a>';
const PARTIAL = { 'HX-Request': 'true', 'HX-Request-Type': 'partial' };

const place = document.querySelector<HTMLElement>('#map');
if (place) start(place);

function start(element: HTMLElement): void {
  const { land = '', landFine = '', tiles } = element.dataset;
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const map = createMap(element, {
    zoomControl: false, attributionControl: false, minZoom: minZoom(element), maxZoom: MAX_ZOOM, zoomSnap: tiles ? 1 : 0.5, wheelPxPerZoomLevel: 90,
    maxBounds: [[-MAX_LATITUDE, -100_000], [MAX_LATITUDE, 100_000]], maxBoundsViscosity: 1, zoomAnimation: !still, fadeAnimation: !still, markerZoomAnimation: !still, inertia: !still,
  });
  control.zoom({ position: 'topright', zoomInTitle: 'Zoom in', zoomOutTitle: 'Zoom out' }).addTo(map);
  control.scale({ imperial: false, position: 'bottomleft' }).addTo(map);
  if (tiles) {
    control.attribution({ prefix: false, position: 'bottomright' }).addTo(map);
    // The server may ask who shows its tiles: it hears the page's origin, never its address.
    tileLayer(tiles, { maxZoom: MAX_ZOOM, referrerPolicy: 'origin', ...(new URL(tiles.replace(/[{}]/g, '')).hostname.endsWith('openstreetmap.org') ? { attribution: OSM_WORDS } : {}) }).addTo(map);
  }
  const markers = createMarkers(map);
  look(map);
  const world = drawLand(map, land, landFine);

  const said = document.querySelector<HTMLElement>('#map-said');
  const say = (text: string): void => { if (said) { said.textContent = text; said.hidden = text === ''; } };
  const askMarkers = createAsker(MARKERS_AFTER_MS, async (signal) => {
    const answer = await fetch(`/map/clusters?${viewQuery(map, map.getBounds().pad(MARGIN))}`, { signal });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const { clusters, waiting } = await answer.json() as ClustersAnswer;
    if (signal.aborted) return;
    markers.show(clusters);
    world.avoid(markers.places());
    say('');
    if (waiting) askMarkers(AGAIN_MS);
  }, () => { say('The photos of this view could not be loaded. Trying again…'); askMarkers(AGAIN_MS); });
  const list = document.querySelector<HTMLElement>('#map-photos');
  let shown = '';
  const askPhotos = createAsker(PHOTOS_AFTER_MS, async (signal) => {
    const query = viewQuery(map, map.getBounds());
    const answer = await fetch(`/map/photos?${query}`, { signal, headers: PARTIAL });
    const html = await answer.text();
    if (signal.aborted || !list || !answer.ok || html === shown) return;
    shown = html;
    list.innerHTML = html;
    list.scrollTop = 0;
  }, () => undefined);

  const ask = (): void => { askMarkers(); askPhotos(); };
  map.on('moveend', () => {
    // Round the world: the same place again, by its own name.
    const { lng } = map.getCenter();
    if (Math.abs(lng) > 180) { map.setView(map.getCenter().wrap(), map.getZoom(), { animate: false }); return; }
    keep(map);
    markers.turn();
    ask();
  });
  map.on('resize', () => map.setMinZoom(minZoom(element)));
  addEventListener('popstate', () => { if (location.pathname === '/map' && !document.querySelector('dialog[open]')) look(map); });
  document.body.addEventListener('live-library', ask);
  ask();
}

/** The whole world across, or down where the map is narrow. */
function minZoom(element: HTMLElement): number {
  return Math.max(0, Math.log2(Math.max(element.clientWidth, element.clientHeight * 0.86) / WORLD_PX));
}

/** Shows what the address names: `at` a point and a zoom, `box` a part; else all that there is. */
function look(map: LeafletMap): void {
  const query = new URLSearchParams(location.search);
  const at = /^(-?\d{1,2}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?),(\d{1,2}(?:\.\d+)?)$/.exec(query.get('at') ?? '');
  const box = readBox((query.get('box') ?? map.getContainer().dataset['whole'] ?? '').split(','));
  if (at) map.setView([Number(at[1]), Number(at[2])], Number(at[3]), { animate: false });
  else if (box) map.fitBounds(latLngBounds([box.south, box.west], [box.north, box.east < box.west ? box.east + 360 : box.east]), { animate: false, padding: [40, 40], maxZoom: MAX_ZOOM - 2 });
  else map.setView([20, 10], map.getMinZoom(), { animate: false });
}

function keep(map: LeafletMap): void {
  // The layer of the viewer has an address of its own.
  if (location.pathname !== '/map') return;
  const { lat, lng } = map.getCenter().wrap();
  history.replaceState(history.state, '', `/map?at=${lat.toFixed(5)},${lng.toFixed(5)},${Number(map.getZoom().toFixed(2))}`);
}

function viewQuery(map: LeafletMap, bounds: LatLngBounds): string {
  const side = (degrees: number, most: number) => Math.max(-most, Math.min(most, degrees)).toFixed(6);
  return new URLSearchParams({ w: side(bounds.getWest(), 900), s: side(bounds.getSouth(), 90), e: side(bounds.getEast(), 900), n: side(bounds.getNorth() > 85 ? 90 : bounds.getNorth(), 90), zoom: Math.min(MAX_ZOOM, map.getZoom()).toFixed(2) }).toString();
}

/** Asks after a pause; a newer question ends the older one, waiting or on its way. */
function createAsker(delayMs: number, run: (signal: AbortSignal) => Promise<void>, failed: () => void): (afterMs?: number) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | null = null;
  return (afterMs = delayMs) => {
    clearTimeout(timer);
    asking?.abort();
    timer = setTimeout(() => {
      const mine = new AbortController();
      asking = mine;
      run(mine.signal).catch(() => { if (!mine.signal.aborted) failed(); });
    }, afterMs);
  };
}
