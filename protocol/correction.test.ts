// How the owner's words are read: what people and maps write is understood, and what cannot be is refused in a sentence.
import { describe, expect, test } from 'vitest';
import { CorrectionChange, readPosition, readShift, readWall, readZone } from './correction.ts';

describe('positions', () => {
  test.each([
    ['44.17, 9.61', 44.17, 9.61], ['44.17,9.61', 44.17, 9.61], [' (44.17; -9.61) ', 44.17, -9.61], ['44.17 9.61', 44.17, 9.61], ['−33.8688, 151.2093', -33.8688, 151.2093],
    ['44.17° N, 9.61° W', 44.17, -9.61], ['S 33.8688 W 70.5', -33.8688, -70.5], ['9.61 E 44.17 N', 44.17, 9.61], ['44°10\'12.0"N 9°36\'36.0"E', 44.17, 9.61], ['0, 0', 0, 0], ['-0.5, -0', -0.5, 0],
  ])('%s', (text, latitude, longitude) => {
    expect(readPosition(text)).toEqual({ ok: true, value: { latitude, longitude } });
  });
  test.each(['', 'Levanto', '44.17', '44.17, 9.61, 3', '213, 9', '44, 213', '44.17 N 9.61 N', '1e5, 2', 'NaN, NaN', '44,17 9,61', 'https://x/?q=1,2'])('not %s', (text) => {
    expect(readPosition(text)).toMatchObject({ ok: false, wrong: expect.stringMatching(/\w\.$|not\.$/) as string });
  });
});

describe('times and zones', () => {
  test.each([['2024-05-06', '7:08', '2024-05-06T07:08:00'], ['1969-7-20', '20:17:40', '1969-07-20T20:17:40'], ['850-01-02', '00:00', '0850-01-02T00:00:00'], ['2024-02-29', '23:59:59', '2024-02-29T23:59:59']])('%s %s', (date, time, wall) => {
    expect(readWall(date, time)).toEqual({ ok: true, value: wall });
  });
  test.each([['0000-01-01', '10:00', 'year 0'], ['2023-02-29', '10:00', 'no such day'], ['2023-13-01', '10:00', 'no such day'], ['06.05.2024', '10:00', 'written as'], ['2024-05-06', '25:00', 'time of day'], ['2024-05-06', 'noon', 'written as']])('not %s %s', (date, time, why) => {
    const read = readWall(date, time);
    expect(read.ok ? '' : read.wrong).toContain(why);
  });
  test.each([['+02:00', 120], ['-3', -180], ['UTC+5:30', 330], ['+0545', 345], ['Z', 0], ['−09:30', -570], ['+14', 840]])('%s', (text, minutes) => {
    expect(readZone(text)).toEqual({ ok: true, value: { utc_offset_minutes: minutes } });
  });
  test('zones are named', () => {
    expect(readZone('America/New York')).toEqual({ ok: true, value: { zone: 'America/New_York' } });
    for (const text of ['+25:00', '+02:75', '-13', 'Mars/Olympus', '']) expect(readZone(text).ok, text).toBe(false);
  });
  test('clocks run wrong by hours and minutes', () => {
    expect([readShift('1', '', 'later'), readShift('0', '30', 'earlier'), readShift('26', '5', 'later')]).toEqual([{ ok: true, value: 3600 }, { ok: true, value: -1800 }, { ok: true, value: 93_900 }]);
    const never: [string, string, string][] = [['', '', 'later'], ['0', '0', 'earlier'], ['1.5', '', 'later'], ['-1', '', 'later'], ['1', '1', ''], ['9999999', '0', 'later']];
    for (const typed of never) expect(readShift(...typed).ok, typed.join()).toBe(false);
  });
});

test('a change says one thing of the time, and something at all', () => {
  for (const change of [{}, { taken_at: '2024-01-01T00:00:00', shift_s: 1 }, { zone: 'Europe/Rome', utc_offset_minutes: 60 }, { utc_offset_minutes: 1500 }, { taken_at: '0000-01-01T00:00:00' }, { shift_s: 0 }, { position: { latitude: 213, longitude: 0 } }, { colour: 1 }]) {
    expect(CorrectionChange.safeParse(change).success, JSON.stringify(change)).toBe(false);
  }
  expect(CorrectionChange.safeParse({ taken_at: null, description: '', favourite: false }).success).toBe(true);
});
