// Zones' offsets by their history, at the edges where clocks jump; and what counts as a real offset.
import { describe, expect, it } from 'vitest';
import { offsetAtUtc, offsetAtWall, offsetText, realOffset, wallMs, wallText } from './time.ts';

describe('wall times', () => {
  it('go to milliseconds and back, from year 1 to 9999', () => {
    for (const text of ['0001-01-01T00:00:00', '0099-02-28T23:59:59', '1601-01-01T00:00:00', '1919-07-14T12:00:00', '1969-12-31T23:59:59', '1970-01-01T00:00:00', '2000-02-29T00:00:00', '9999-12-31T23:59:59']) expect(wallText(wallMs(text) ?? NaN)).toBe(text);
    expect(wallMs('1969-12-31T23:59:59')).toBe(-1000);
    for (const bad of ['2019-02-29T00:00:00', '1900-02-29T00:00:00', '2020-00-10T00:00:00', '2020-13-01T00:00:00', '2020-01-01T24:00:00', '2020-01-01T00:60:00', '2020-01-01', '']) expect(wallMs(bad), bad).toBeUndefined();
  });
});

describe('offsetAtWall', () => {
  it.each([
    // Summer time: the hour that is not there, and the one that is there twice.
    ['Europe/Berlin', '2024-03-31T01:59:59', 60], ['Europe/Berlin', '2024-03-31T02:30:00', 60], ['Europe/Berlin', '2024-03-31T03:00:00', 120],
    ['Europe/Berlin', '2024-10-27T01:59:59', 120], ['Europe/Berlin', '2024-10-27T02:30:00', 120], ['Europe/Berlin', '2024-10-27T03:00:00', 60],
    ['America/New_York', '2024-11-03T01:30:00', -240], ['Australia/Lord_Howe', '2024-04-07T01:45:00', 660], ['Australia/Lord_Howe', '2024-04-07T02:00:00', 630],
    // Rules of their time: Britain's all-year summer time, Moscow's, war-time double summer time, Nepal's quarter hour, India at war.
    ['Europe/London', '1970-01-15T12:00:00', 60], ['Europe/London', '1943-07-01T12:00:00', 120], ['Europe/Moscow', '2012-01-01T12:00:00', 240], ['Europe/Moscow', '2016-01-01T12:00:00', 180],
    ['Asia/Kathmandu', '1980-01-01T12:00:00', 330], ['Asia/Kathmandu', '1990-01-01T12:00:00', 345], ['Asia/Kolkata', '1943-01-01T12:00:00', 390], ['Asia/Pyongyang', '2016-01-01T12:00:00', 510],
    // A day that was not there (Samoa crossed the date line), and local mean time before the zones.
    ['Pacific/Apia', '2011-12-29T12:00:00', -600], ['Pacific/Apia', '2011-12-31T12:00:00', 840], ['Europe/Dublin', '1915-01-01T12:00:00', -25], ['Europe/Paris', '1900-01-01T12:00:00', 9],
  ])('%s at %s', (zone, wall, minutes) => { expect(offsetAtWall(zone, wall)).toBe(minutes); });

  it('agrees with the moment that it means, at every hour of years with jumps', () => {
    for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Africa/Casablanca', 'Pacific/Apia', 'Asia/Tehran']) {
      for (let at = Date.UTC(2011, 0, 1); at < Date.UTC(2012, 0, 2); at += 7 * 3_600_000) {
        const offset = offsetAtUtc(zone, at) ?? NaN;
        const back = offsetAtWall(zone, wallText(at + offset * 60_000)) ?? NaN;
        // In an hour that happens twice, the earlier of the two moments.
        if (back !== offset) expect(offsetAtUtc(zone, at - (back - offset) * 60_000), `${zone} ${wallText(at)}`).toBe(back);
      }
    }
  });

  it('knows nothing of zones that are none', () => {
    for (const zone of ['', 'No/Where', 'Europe/Berlin\0', '../etc']) expect(offsetAtWall(zone, '2020-01-01T00:00:00'), zone).toBeUndefined();
    expect(offsetAtUtc('Europe/Berlin', NaN)).toBeUndefined();
    expect(offsetAtWall('Europe/Berlin', '2020-02-30T00:00:00')).toBeUndefined();
  });
});

describe('realOffset', () => {
  it('rounds to what clocks keep, and to nothing else', () => {
    for (const real of [-720, -570, -210, 0, 60, 330, 345, 390, 525, 570, 630, 765, 840]) for (const slack of [-3, 0, 3]) expect(realOffset(real + slack)).toBe(real);
    for (const none of [7, 15, 20, 30, 75, 90, 900, -780, NaN, Infinity]) expect(realOffset(none), String(none)).toBeUndefined();
  });
  it('is spelled as people write it', () => { expect([0, 345, -210, 840].map(offsetText)).toEqual(['+00:00', '+05:45', '-03:30', '+14:00']); });
});
