// A small map of one position: a piece of the world's shapes with a mark in it, drawn by the browser from one picture that it
// keeps. No script, no other server; a click opens the map there.
import { project, type Position } from '../../protocol/map.ts';
import { mapAddress } from './addresses.ts';
import { WORLD_UNITS, WORLD_URL } from './world.ts';

/** Some 28 degrees of longitude: enough to know a coast or a country by. */
const WIDE = 320;
const HIGH = 160;
/** What the click opens: a town. */
const ZOOM = 11;

export function SmallMap(props: Position) {
  const { x, y } = project(props);
  const [cx, cy] = [x * WORLD_UNITS, y * WORLD_UNITS];
  // At the 180th meridian the world goes on.
  const turns = [0, ...(cx < WIDE ? [-WORLD_UNITS] : []), ...(cx > WORLD_UNITS - WIDE ? [WORLD_UNITS] : [])];
  return (
    <a class="fact-map" href={mapAddress(props, ZOOM)} data-lat={props.latitude} data-lon={props.longitude} aria-label="Show this place on the map">
      <svg viewBox={`${(cx - WIDE / 2).toFixed(1)} ${(cy - HIGH / 2).toFixed(1)} ${WIDE} ${HIGH}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true">
        {turns.map((turn) => <use href={`${WORLD_URL}#land`} x={turn === 0 ? undefined : turn} />)}
        <circle class="fact-map-halo" cx={cx.toFixed(1)} cy={cy.toFixed(1)} r="13" /><circle class="fact-map-mark" cx={cx.toFixed(1)} cy={cy.toFixed(1)} r="6" />
      </svg>
    </a>
  );
}
