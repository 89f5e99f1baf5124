// The photos of a view as round markers: one photo is a link to it, several are a button that goes closer, or opens them
// where closer shows nothing more.
import { divIcon, latLng, latLngBounds, marker, type LatLng, type Map as LeafletMap, type Marker } from 'leaflet';
import { boxText, MAX_ZOOM, type Cluster } from '../../../protocol/map.ts';
import { renditionUrl } from '../../../protocol/rendition.ts';

const SIZE_PX = 46;
const SIZE_MANY_PX = 58;
const MANY = 100;
/** What reaches no further than this at the nearest zoom stays one marker. */
const APART_PX = 60;
/** Names stand under markers from here on: before, countries are enough. */
const NAMES_ZOOM = 5;
/** A pointer that went further has moved the map. */
const STILL_PX = 6;

export function createMarkers(map: LeafletMap): { show(clusters: readonly Cluster[]): void; turn(): void; places(): LatLng[] } {
  const shown = new Map<string, { marker: Marker; longitude: number }>();
  const near = (longitude: number) => longitude + 360 * Math.round((map.getCenter().lng - longitude) / 360);
  letDragsPass(map.getContainer());
  return {
    show(clusters) {
      // A name once, under the most of it.
      const names = new Set<string>();
      const named = (cluster: Cluster): boolean => {
        const name = cluster.cover?.name;
        if (!name || map.getZoom() < NAMES_ZOOM || names.has(name)) return false;
        names.add(name);
        return true;
      };
      const next = new Map(clusters.toSorted((a, b) => b.count - a.count).map((cluster) => ({ cluster, name: named(cluster) })).map((each) => [keyOf(each.cluster, each.name), each]));
      for (const [key, old] of shown) {
        if (next.has(key)) continue;
        // Focus does not fall out of the map with the marker that had it.
        if (old.marker.getElement()?.contains(document.activeElement)) map.getContainer().focus({ preventScroll: true });
        old.marker.remove();
        shown.delete(key);
      }
      for (const [key, { cluster, name }] of next) {
        if (shown.has(key)) continue;
        const size = cluster.count >= MANY ? SIZE_MANY_PX : SIZE_PX;
        const one = marker([cluster.latitude, near(cluster.longitude)], {
          icon: divIcon({ className: 'map-marker', html: draw(map, cluster, name), iconSize: [size, size] }), keyboard: false, interactive: false, zIndexOffset: Math.round(Math.log2(cluster.count) * 1_000),
        }).addTo(map);
        shown.set(key, { marker: one, longitude: cluster.longitude });
      }
    },
    places() { return [...shown.values()].map((each) => each.marker.getLatLng()); },
    turn() { for (const { marker: one, longitude } of shown.values()) one.setLatLng(latLng(one.getLatLng().lat, near(longitude))); },
  };
}

/** What a marker shows: one of the same stays where it is. */
function keyOf({ latitude, longitude, count, cover }: Cluster, named: boolean): string {
  return `${latitude},${longitude},${count},${cover?.sha256},${cover?.grid_version},${named}`;
}

function draw(map: LeafletMap, cluster: Cluster, named: boolean): HTMLElement {
  const { cover, count } = cluster;
  const inside = `/map/box/${boxText(cluster.box)}`;
  const one = count === 1 && cover !== null;
  const element = document.createElement(one ? 'a' : 'button');
  element.className = one ? 'map-photo tile' : 'map-photo';
  element.draggable = false;
  if (cover?.color) element.style.setProperty('--c', cover.color);
  if (cover && cover.grid_version > 0) {
    const image = new Image();
    image.alt = '';
    image.draggable = false;
    image.decoding = 'async';
    image.src = renditionUrl({ sha256: cover.sha256, name: 'grid', version: cover.grid_version });
    // A missing picture leaves its colour.
    image.addEventListener('error', () => image.remove());
    element.append(image);
  }
  const where = cover?.name ? `, ${cover.name}` : '';
  element.setAttribute('aria-label', one ? `${cover.kind === 'video' ? 'Video' : 'Photo'}${where}` : `${count.toLocaleString('en')} photos${where}: closer`);
  if (element instanceof HTMLAnchorElement && cover) element.href = `/a/${cover.sha256}?in=${encodeURIComponent(inside)}`;
  else element.addEventListener('click', () => goCloser(map, cluster, inside));
  const box = document.createElement('div');
  box.append(element);
  if (!one) box.append(text('map-count', sayShort(count)));
  if (named && cover?.name) box.append(text('map-place', cover.name));
  return box;
}

function text(className: string, words: string): HTMLElement {
  const span = document.createElement('span');
  span.className = className;
  span.ariaHidden = 'true';
  span.textContent = words;
  return span;
}

/** `999`, `1.2k`, `34k`, `1M`. */
function sayShort(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 9_950) return `${(count / 1_000).toFixed(1).replace(/\.0$/, '')}k`;
  return count < 999_500 ? `${Math.round(count / 1_000)}k` : `${(count / 1e6).toFixed(1).replace(/\.0$/, '')}M`;
}

function goCloser(map: LeafletMap, { box }: Cluster, inside: string): void {
  const turn = 360 * Math.round((map.getCenter().lng - (box.west + box.east) / 2) / 360);
  const bounds = latLngBounds([box.south, box.west + turn], [box.north, box.east + turn]);
  const reach = map.project(bounds.getSouthWest(), MAX_ZOOM).distanceTo(map.project(bounds.getNorthEast(), MAX_ZOOM));
  if (reach < APART_PX || map.getZoom() >= MAX_ZOOM) { location.assign(inside); return; }
  const fits = map.getBoundsZoom(bounds.pad(0.25));
  map.setView(bounds.getCenter(), Math.min(MAX_ZOOM, Math.max(fits, map.getZoom() + 1)));
}

/** A drag of the map that begins on a marker is not also a click on it. */
function letDragsPass(container: HTMLElement): void {
  let from: { x: number; y: number } | null = null;
  container.addEventListener('pointerdown', (event) => { from = { x: event.clientX, y: event.clientY }; }, { capture: true });
  container.addEventListener('click', (event) => {
    // detail 0: by key.
    if (event.detail === 0 || !from || Math.hypot(event.clientX - from.x, event.clientY - from.y) <= STILL_PX) return;
    event.preventDefault();
    event.stopPropagation();
  }, { capture: true });
}
