// Terms of a search as a test over the embedded index's columns. Kinds that have no column are not applied, and said so.
import { traitBit, type FilterTerm } from '../../protocol/search.ts';
import type { VectorQuestion } from '../../protocol/link.ts';
import { FLAG_FAVOURITE, type IndexStore } from './index-store.ts';

export interface Columns { day: Int32Array; place: Uint32Array; camera: Uint32Array; traits: Uint16Array; flags: Uint8Array }
export type Terms = VectorQuestion['terms'];
type Test = (slot: number) => boolean;

/** `applied` for each term; `test` holds for slots that keep to all that are, undefined where none is. */
export function makeTest(columns: Columns, terms: Terms, store: IndexStore): { applied: boolean[]; test: Test | undefined } {
  const tests = terms.map(({ term, negated }) => {
    const holds = testOf(columns, term, store);
    return holds && negated ? (slot: number) => !holds(slot) : holds;
  });
  const used = tests.filter((t) => t !== undefined);
  const [only] = used;
  return { applied: tests.map((t) => t !== undefined), test: used.length <= 1 ? only : (slot) => used.every((t) => t(slot)) };
}

function testOf(columns: Columns, term: FilterTerm, store: IndexStore): Test | undefined {
  const { day, place, camera, traits, flags } = columns;
  switch (term.kind) {
    case 'date': {
      const { ranges } = term;
      const [from, to] = ranges[0] as [number, number];
      // An unknown day is in no range, not even in one from the start of time.
      if (ranges.length === 1) return (slot) => { const d = day[slot] as number; return d !== 0 && d >= from && d <= to; };
      return (slot) => { const d = day[slot] as number; return d !== 0 && ranges.some((r) => d >= r[0] && d <= r[1]); };
    }
    case 'place': {
      const ids = store.listPlaces().filter(({ place: p }) => term.places.some((w) => p.country_code === w.country_code && (w.region === null || p.region === w.region) && (w.city === null || p.city === w.city))).map((p) => p.id);
      return isOneOf(place, ids);
    }
    case 'camera': return isOneOf(camera, term.cameras.map((c) => store.cameraId(c)).filter((id) => id !== undefined));
    case 'type': { const bit = traitBit(term.type); return (slot) => ((traits[slot] as number) & bit) !== 0; }
    case 'favourite': return (slot) => ((flags[slot] as number) & FLAG_FAVOURITE) !== 0;
    default: return undefined;
  }
}

function isOneOf(column: Uint32Array, ids: readonly number[]): Test {
  if (ids.length <= 1) { const id = ids[0]; return (slot) => column[slot] === id; }
  const set = new Uint8Array(Math.max(...ids) + 1);
  for (const id of ids) set[id] = 1;
  return (slot) => set[column[slot] as number] === 1;
}
