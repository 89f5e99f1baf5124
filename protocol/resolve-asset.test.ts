// Promise 6 as a property: whatever the owner, sidecars, names and the file say, in whatever order it came, the answer is one.
import { describe, expect, it } from 'vitest';
import { createDice, type Dice } from '../test/support/random.ts';
import { resolveAsset, type AssetInput, type OwnerFacts, type ResolvedAsset } from './resolve.ts';
import { AlbumImport, ImportFacts, TimeClaim } from './rows.ts';
import { IMPORT_SOURCES, OFFSET_SOURCES, TAKEN_AT_SOURCES } from './words.ts';

const CASES = 4_000;
/** Few values of each kind, so that ties, agreements and contradictions are common. */
function claim({ pick }: Dice): TimeClaim {
  const utc_ms = pick([null, Date.UTC(2019, 4, 6, 10, 11, 12), Date.UTC(2019, 4, 6, 8, 11, 12), Date.UTC(1960, 0, 1), 0, -62_135_596_800_000]);
  const offset_minutes = pick([null, null, 120, 345, 17 * 60]);
  return {
    source: pick(TAKEN_AT_SOURCES.filter((s) => s !== 'owner')), wall: pick([null, '2019-05-06T10:11:12', '2019-05-06T12:11:12', '2019-05-06T00:00:00', '1970-01-01T00:00:00', '1919-07-14T12:00:00']), utc_ms, offset_minutes,
    offset_source: offset_minutes === null ? null : pick(OFFSET_SOURCES), basis: pick([undefined, null, 'the maker says so']),
  };
}
function position({ pick }: Dice): { latitude: number | null; longitude: number | null; gps_zone: string | null } {
  return pick([{ latitude: null, longitude: null, gps_zone: null }, { latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome' }, { latitude: 44.1701, longitude: 9.6101, gps_zone: 'Europe/Rome' }, { latitude: 35.68, longitude: 139.7, gps_zone: 'Asia/Tokyo' }, { latitude: 5.6, longitude: -0.2, gps_zone: null }]);
}
const said = (dice: Dice): ImportFacts => ({
  source: dice.pick(IMPORT_SOURCES), name: dice.pick(['a.json', 'b.json', 'a.xmp']), time_claims: dice.some(2, () => claim(dice)), ...position(dice), description: dice.pick([null, '', 'at the lake', 'by the sea']),
  favourite: dice.pick([null, true, false]), archived: dice.pick([null, true, false]), rating: dice.pick([null, -1, 3, 5]), people: dice.some(3, () => dice.pick(['Ada', 'Bo', 'ada'])), tags: dice.some(3, () => dice.pick(['lake', 'sea'])),
});
const album = ({ pick }: Dice): AlbumImport => ({ key: pick(['k1', 'k2', 'k3']), title: pick(['Summer', 'summer', 'Été']) });
function owner({ pick, next }: Dice): OwnerFacts | null {
  if (next() < 0.5) return null;
  const placed = next() < 0.3;
  return {
    taken_at: pick([null, null, '2018-01-01T00:00:00']), utc_offset_minutes: pick([null, null, 60]), time_shift_s: pick([null, null, 3_600]), latitude: placed ? 1 : null, longitude: placed ? 2 : null, no_position: pick([false, false, true]),
    description: pick([null, '', 'mine']), favourite: pick([null, true, false]), archived: pick([null, true, false]), rating: pick([null, 0, 2]), zone: placed ? pick([null, 'Africa/Lagos']) : null,
    tags: pick([{ add: [], remove: [] }, { add: ['mine', 'sea'], remove: [] }, { add: ['boat'], remove: ['sea', 'gone'] }]),
  };
}
function asset(dice: Dice): AssetInput {
  return {
    file: { time_claims: dice.some(5, () => claim(dice)), ...position(dice), description: dice.pick([null, 'from the camera']), rating: dice.pick([null, 4]), tags: dice.some(2, () => dice.pick(['sea', 'boat'])), duration_ms: dice.pick([null, 1_500_000]) },
    evidence: dice.some(4, () => ({ time_claims: dice.some(3, () => claim(dice)), imports: dice.some(3, () => said(dice)), albums: dice.some(3, () => album(dice)) })),
    owner: owner(dice), albums: dice.pick([{ put: [], left: [] }, { put: [{ key: 'own', title: 'Mine' }, { key: 'k1', title: 'Winter' }], left: [] }, { put: [{ key: 'own', title: 'Mine' }], left: ['k1', 'k2'] }]), still: null, homeZone: dice.pick(['Europe/Berlin', 'UTC']), nowMs: Date.UTC(2026, 10, 1),
  };
}
/** The same facts, in another order at every level; `merged` moves them between locations, which must not show either. */
function reorder(input: AssetInput, { shuffle, pick }: Dice, merged: boolean): AssetInput {
  const evidence = merged
    ? [{ time_claims: [], imports: input.evidence.flatMap((e) => e.imports), albums: [] }, { time_claims: input.evidence.flatMap((e) => e.time_claims), imports: [], albums: input.evidence.flatMap((e) => e.albums) }]
    : [...input.evidence, ...(input.evidence[0] ? [pick(input.evidence)] : [])];
  return {
    ...input, albums: { put: shuffle(input.albums.put), left: shuffle(input.albums.left) }, file: { ...input.file, time_claims: shuffle(input.file.time_claims), tags: shuffle(input.file.tags) },
    evidence: shuffle(evidence).map((e) => ({
      time_claims: shuffle(e.time_claims), albums: shuffle(e.albums), imports: shuffle(e.imports).map((i) => ({ ...i, time_claims: shuffle(i.time_claims), people: shuffle(i.people), tags: shuffle(i.tags) })),
    })),
  };
}

describe('resolveAsset', () => {
  it(`gives the same in whatever order the facts come: ${CASES} cases`, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= CASES; seed += 1) {
      const dice = createDice(seed);
      const input = asset(dice);
      const answer = resolveAsset(input);
      for (const merged of [false, false, true]) expect(resolveAsset(reorder(input, dice, merged)), `seed ${seed}${merged ? ', merged' : ''}`).toEqual(answer);
      check(input, answer, seed);
      seen.add(`${answer.time.source} ${answer.time.offsetSource} ${answer.position?.source}`);
    }
    // The cases reach most of what there is to decide; a generator gone narrow would make this test say nothing.
    expect(seen.size).toBeGreaterThan(60);
  });

  it('makes inputs that rows may hold', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      for (const e of asset(createDice(seed)).evidence) {
        for (const row of e.imports) expect(ImportFacts.safeParse(row).error).toBeUndefined();
        for (const row of e.albums) expect(AlbumImport.safeParse(row).error).toBeUndefined();
        for (const row of e.time_claims) expect(TimeClaim.safeParse(row).error).toBeUndefined();
      }
    }
  });
});

/** What holds of every answer: the owner's word stands, and no value is without its source. */
function check({ owner: own, albums }: AssetInput, answer: ResolvedAsset, seed: number): void {
  const { time } = answer;
  const named = `seed ${seed}`;
  expect(time.takenAt === null, named).toBe(time.source === null);
  expect(time.offsetMinutes === null, named).toBe(time.offsetSource === null);
  if (own?.taken_at) expect(time, named).toMatchObject({ takenAt: own.taken_at, source: 'owner' });
  if (own?.utc_offset_minutes !== null && own?.utc_offset_minutes !== undefined && time.takenAt !== null) expect(time, named).toMatchObject({ offsetMinutes: own.utc_offset_minutes, offsetSource: 'owner' });
  if (own?.no_position) expect(answer.position, named).toBeNull();
  if (own?.description) expect(answer.description, named).toEqual({ text: own.description, source: 'owner' });
  if (own?.description === '') expect(answer.description, named).toBeNull();
  if (own?.favourite !== null && own !== null) expect(answer.favourite, named).toBe(own.favourite);
  for (const tag of own?.tags.remove ?? []) expect(answer.tags, named).not.toContain(tag);
  for (const tag of own?.tags.add ?? []) expect(answer.tags, named).toContain(tag);
  for (const key of albums.left) expect(answer.albums.map((a) => a.key), named).not.toContain(key);
  for (const { key } of albums.put) if (!albums.left.includes(key)) expect(answer.albums.map((a) => a.key), named).toContain(key);
  expect(new Set(answer.albums.map((a) => a.key)).size, named).toBe(answer.albums.length);
}
