// The world below the photos: countries as quiet shapes with hairlines between them and their names where they fit. Coarse
// shapes first; finer ones, six times as large, when one looks closer.
import { divIcon, geoJSON, latLng, layerGroup, marker, svg, type LatLng, type LayerGroup, type Map as LeafletMap, type Marker } from 'leaflet';
import { feature, mesh } from 'topojson-client';
import { flattenRing, project, unproject, WORLD_PX, type Position } from '../../../protocol/map.ts';

const FINE_ZOOM = 4;
/** How wide a letter of a name is, about, and how high a line. */
const LETTER_PX = 7;
const LINE_PX = 18;
/** A marker, its number and its name, about. */
const MARKER_PX = 60;
/** Drawn this far around the view, in views: a drag shows land at once. */
const AROUND = 0.4;

type Topology = Parameters<typeof mesh>[0];
type Countries = Exclude<Parameters<typeof feature<{ name: string }>>[1], string> & { type: 'GeometryCollection' };
/** Ready for Leaflet. */
interface Shapes { land: { type: 'GeometryCollection'; geometries: { type: 'MultiPolygon'; coordinates: [number, number][][][] }[] }; borders: ReturnType<typeof mesh>; names: Name[] }
interface Name { name: string; at: Position; /** Shares of the world. */ wide: number; high: number }

/** `avoid` says what stands over the land: a name that would lie under it is left out. */
export function drawLand(map: LeafletMap, coarseUrl: string, fineUrl: string): { avoid(markers: readonly LatLng[]): void } {
  map.createPane('land').style.zIndex = '150';
  const names = map.createPane('names');
  names.style.zIndex = '450';
  names.style.pointerEvents = 'none';
  const renderer = svg({ pane: 'land', padding: AROUND });
  const turns = new Map<number, LayerGroup>();
  const labels = new Map<Name, Marker>();
  let shapes: Shapes | undefined;
  let fine: 'no' | 'asked' = 'no';
  let over: readonly LatLng[] = [];

  const use = (next: Shapes): void => {
    shapes = next;
    for (const group of turns.values()) group.remove();
    for (const label of labels.values()) label.remove();
    turns.clear();
    labels.clear();
    update();
  };
  const update = (): void => {
    if (!shapes) return;
    if (fine === 'no' && map.getZoom() >= FINE_ZOOM) {
      fine = 'asked';
      // Without them the coarse ones stay, and the next move asks again.
      loadShapes(fineUrl).then(use, () => { fine = 'no'; });
    }
    // The world as often as it is in view.
    const bounds = map.getBounds().pad(AROUND);
    const [first, last] = [Math.floor((bounds.getWest() + 180) / 360), Math.floor((bounds.getEast() + 180) / 360)];
    for (const [turn, group] of turns) if (turn < first || turn > last) { group.remove(); turns.delete(turn); }
    for (let turn = first; turn <= last; turn += 1) if (!turns.has(turn)) turns.set(turn, drawWorld(shapes, turn, renderer).addTo(map));
    showNames(map, shapes.names, labels, over);
  };
  map.on('moveend', update);
  loadShapes(coarseUrl).then((coarse) => { if (!shapes) use(coarse); }, () => undefined);
  return { avoid(markers) { over = markers; if (shapes) showNames(map, shapes.names, labels, over); } };
}

async function loadShapes(url: string): Promise<Shapes> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return readShapes(await answer.json() as Topology);
}

/** Fill without an outline: where a country is cut at the map's edge is no border. */
function drawWorld(shapes: Shapes, turn: number, renderer: ReturnType<typeof svg>): LayerGroup {
  const options = { renderer, pane: 'land', interactive: false, coordsToLatLng: (at: number[]) => latLng(at[1] ?? 0, (at[0] ?? 0) + 360 * turn) };
  return layerGroup([geoJSON(shapes.land, { ...options, style: { className: 'land' } }), geoJSON(shapes.borders, { ...options, style: { className: 'border' } })]);
}

/** A country's parts, flat, and its holes with them: an even number of rings round a point is no land. */
function readShapes(topology: Topology): Shapes {
  const countries = topology.objects['countries'] as Countries;
  const names: Name[] = [];
  const parts = feature(topology, countries).features.map(({ geometry, properties }) => {
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : [];
    const largest = polygons.map((rings) => measure(flattenRing(rings[0] ?? [])[0] ?? [])).sort((a, b) => b.area - a.area)[0];
    if (largest) names.push({ name: properties.name, ...largest });
    return { type: 'MultiPolygon' as const, coordinates: polygons.flatMap((rings) => {
      const flat = rings.map(flattenRing);
      return (flat[0] ?? []).map((_, side) => flat.map((sides) => sides[side] ?? sides[0] ?? []));
    }) };
  });
  return { land: { type: 'GeometryCollection', geometries: parts }, borders: mesh(topology, countries, (a, b) => a !== b), names: names.sort((a, b) => b.wide * b.high - a.wide * a.high) };
}

/** A ring's area, middle and extent, in shares of the world. */
function measure(ring: readonly (readonly [number, number])[]): { area: number; at: Position; wide: number; high: number } {
  const points = ring.map(([longitude, latitude]) => project({ longitude, latitude }));
  let [area, x, y] = [0, 0, 0];
  for (const [i, a] of points.entries()) {
    const b = points[(i + 1) % points.length] ?? a;
    const cross = a.x * b.y - b.x * a.y;
    area += cross;
    x += (a.x + b.x) * cross;
    y += (a.y + b.y) * cross;
  }
  const span = (values: number[]) => values.reduce((most, value) => Math.max(most, value), -Infinity) - values.reduce((least, value) => Math.min(least, value), Infinity);
  return { area: Math.abs(area), at: unproject({ x: x / (3 * area), y: y / (3 * area) }), wide: span(points.map((p) => p.x)), high: span(points.map((p) => p.y)) };
}

/** Largest countries first; a name that would lie over another is left out. */
function showNames(map: LeafletMap, names: readonly Name[], labels: Map<Name, Marker>, over: readonly LatLng[]): void {
  const world = WORLD_PX * 2 ** map.getZoom();
  const bounds = map.getBounds();
  const taken: { x: number; y: number; wide: number }[] = [];
  const markers = over.map((each) => map.latLngToContainerPoint(each));
  for (const each of names) {
    const wide = each.name.length * LETTER_PX;
    const longitude = each.at.longitude + 360 * Math.round((map.getCenter().lng - each.at.longitude) / 360);
    const at = map.latLngToContainerPoint([each.at.latitude, longitude]);
    const fits = each.wide * world > wide + 8 && each.high * world > LINE_PX && bounds.contains([each.at.latitude, longitude])
      && !taken.some((other) => Math.abs(other.y - at.y) < LINE_PX && Math.abs(other.x - at.x) < (other.wide + wide) / 2)
      && !markers.some((other) => Math.abs(other.y - at.y) < (MARKER_PX + LINE_PX) / 2 && Math.abs(other.x - at.x) < (MARKER_PX + wide) / 2);
    const old = labels.get(each);
    if (!fits) { old?.remove(); labels.delete(each); continue; }
    taken.push({ x: at.x, y: at.y, wide });
    if (old) { old.setLatLng([each.at.latitude, longitude]); continue; }
    const words = document.createElement('span');
    words.textContent = each.name;
    labels.set(each, marker([each.at.latitude, longitude], { pane: 'names', interactive: false, keyboard: false, icon: divIcon({ className: 'map-name', html: words, iconSize: [0, 0] }) }).addTo(map));
  }
}
