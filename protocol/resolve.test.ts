// The resolver: the design's order, its guesses named as guesses, and one answer whatever order the claims came in.
import { describe, expect, it } from 'vitest';
import type { TimeClaim } from './rows.ts';
import { resolveTime } from './resolve.ts';
import { OFFSET_SOURCES, TAKEN_AT_SOURCES, type OffsetSource, type TakenAtSource } from './words.ts';

const NOW = Date.UTC(2026, 10, 1);
const wall = (source: TakenAtSource, text: string, offset: number | null = null, offsetSource: OffsetSource | null = offset === null ? null : 'exif'): TimeClaim => ({ source, wall: text, utc_ms: null, offset_minutes: offset, offset_source: offsetSource });
const utc = (source: TakenAtSource, ms: number): TimeClaim => ({ source, wall: null, utc_ms: ms, offset_minutes: null, offset_source: null });
const resolve = (claims: TimeClaim[], more: { gpsZone?: string | null; homeZone?: string } = {}) => resolveTime({ claims, gpsZone: null, homeZone: 'Europe/Rome', nowMs: NOW, ...more });

/** Small seeded generator (mulberry32): a failure prints its seed. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffle<T>(items: readonly T[], next: () => number): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i -= 1) { const j = Math.floor(next() * (i + 1)); [out[i], out[j]] = [out[j] as T, out[i] as T]; }
  return out;
}

describe('resolveTime', () => {
  it('says nothing when nothing speaks', () => {
    expect(resolve([])).toEqual({ takenAt: null, source: null, offsetMinutes: null, offsetSource: null, doubtful: false });
    expect(resolve([wall('exif_original', '2024-02-30T00:00:00'), wall('exif_original', '0000-00-00T00:00:00'), { ...utc('gps', 0), utc_ms: null }])).toMatchObject({ takenAt: null });
  });

  it('follows the design’s order of sources', () => {
    const claims = TAKEN_AT_SOURCES.map((source, i) => wall(source, `2020-01-01T00:00:${String(i).padStart(2, '0')}`));
    for (let i = 0; i < claims.length; i += 1) expect(resolve(claims.slice(i).reverse()).source).toBe(TAKEN_AT_SOURCES[i]);
  });

  it('believes a clock that was never set, or that is in the future, only when nothing else speaks', () => {
    expect(resolve([wall('exif_original', '1970-01-01T00:00:00'), utc('mtime', Date.UTC(2020, 5, 1, 10))])).toMatchObject({ source: 'mtime', takenAt: '2020-06-01T12:00:00', doubtful: false });
    expect(resolve([wall('exif_original', '1970-01-01T00:00:00')])).toMatchObject({ source: 'exif_original', doubtful: true });
    expect(resolve([wall('exif_original', '2199-01-01T00:00:00'), wall('name', '2021-01-01T00:00:00')])).toMatchObject({ source: 'name' });
    expect(resolve([wall('owner', '1802-01-01T00:00:00'), wall('exif_original', '2021-01-01T00:00:00')])).toMatchObject({ source: 'owner', takenAt: '1802-01-01T00:00:00' });
  });

  it('reads a moment in UTC in the place’s zone, else at home, and says which', () => {
    const moment = utc('quicktime', Date.UTC(2024, 6, 1, 12));
    expect(resolve([moment], { gpsZone: 'Asia/Kathmandu' })).toMatchObject({ takenAt: '2024-07-01T17:45:00', offsetMinutes: 345, offsetSource: 'gps_zone' });
    expect(resolve([moment])).toMatchObject({ takenAt: '2024-07-01T14:00:00', offsetMinutes: 120, offsetSource: 'home' });
    expect(resolve([moment], { gpsZone: 'No/Where', homeZone: 'No/Where' })).toMatchObject({ takenAt: '2024-07-01T12:00:00', offsetSource: 'home' });
  });

  it('finds the offset from the tag, the place, or the difference to a moment, in that order', () => {
    const text = '2024-07-01T14:00:02';
    expect(resolve([wall('exif_original', text, 60), utc('gps', Date.UTC(2024, 6, 1, 12))], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ offsetMinutes: 60, offsetSource: 'exif' });
    expect(resolve([wall('exif_original', text), utc('gps', Date.UTC(2024, 6, 1, 12))], { gpsZone: 'Asia/Tokyo' })).toMatchObject({ offsetMinutes: 540, offsetSource: 'gps_zone' });
    expect(resolve([wall('exif_original', text), utc('gps', Date.UTC(2024, 6, 1, 12))])).toMatchObject({ offsetMinutes: 120, offsetSource: 'utc_difference' });
    expect(resolve([wall('exif_original', text)])).toMatchObject({ offsetMinutes: null, offsetSource: null });
  });

  it('takes a difference for an offset only where some clock keeps it, and never from an mtime', () => {
    const at = Date.UTC(2024, 6, 1, 14);
    const after = (minutes: number) => resolve([wall('exif_original', '2024-07-01T14:00:00'), utc('takeout', at - minutes * 60_000)]);
    for (const real of [-720, -570, 0, 60, 330, 345, 525, 840]) expect(after(real + 2), String(real)).toMatchObject({ offsetMinutes: real });
    for (const none of [7, 20, 15, 75, 900, -780, 4_000]) expect(after(none), String(none)).toMatchObject({ offsetMinutes: null });
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00'), utc('mtime', at)])).toMatchObject({ offsetMinutes: null });
  });

  it('keeps no offset that no clock keeps or that names no source', () => {
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00', 15 * 60)])).toMatchObject({ offsetMinutes: null });
    expect(resolve([wall('exif_original', '2024-07-01T14:00:00', 60, null)])).toMatchObject({ offsetMinutes: null, offsetSource: null });
  });

  it('gives one answer in whatever order the claims come', () => {
    for (let seed = 1; seed <= 3_000; seed += 1) {
      const next = random(seed);
      const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
      // Few distinct values, so that ties of every kind are common; both fields at once, as only a hostile row has them.
      const claims = Array.from({ length: 1 + Math.floor(next() * 7) }, (): TimeClaim => ({
        source: pick(TAKEN_AT_SOURCES), wall: pick([null, '2020-01-01T10:00:00', '2020-01-01T12:00:00', '1970-01-01T00:00:00', '2020-13-01T00:00:00']),
        utc_ms: pick([null, Date.UTC(2020, 0, 1, 9), Date.UTC(2020, 0, 1, 10), 0, -8e15, Number.MAX_SAFE_INTEGER]), offset_minutes: pick([null, 60, 120, 999]), offset_source: pick([null, ...OFFSET_SOURCES]),
      }));
      const more = { gpsZone: pick([null, 'Asia/Tokyo']), homeZone: pick(['Europe/Rome', 'UTC']) };
      const answer = resolve(claims, more);
      for (let k = 0; k < 4; k += 1) expect(resolve(shuffle(claims, next), more), `seed ${seed}`).toEqual(answer);
      expect(resolve([...claims, ...claims], more), `seed ${seed}, twice`).toEqual(answer);
      if (answer.takenAt === null) expect(answer.source).toBeNull(); else expect(answer.source).not.toBeNull();
      expect(answer.offsetMinutes === null).toBe(answer.offsetSource === null);
    }
  });
});
