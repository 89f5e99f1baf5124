// The forms, the page of changes and the JSON of corrections, over the Worker's own entry: what is refused, kept, said and undone.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { ask, askAsAgent, asset, countRows, createSender, exif, hashOf, location, migrate, postJson, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => {
  await reset(); await migrate(); send = createSender();
  await send({
    volumes: [volume()], assets: [1, 2, 3].map((n) => asset(n, { camera: n < 3 ? 'Cam <1>' : null, time_claims: [exif(`2024-05-06T07:08:0${n}`, 120)], latitude: 44.17, longitude: 9.61, gps_zone: 'Europe/Rome', description: 'a "file"' })),
    locations: [1, 2, 3].map((n) => location(n, `${n}.jpg`)),
  });
});

const PART = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', Origin: 'http://127.0.0.1:8420' };
async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = PART) {
  const answer = await ask(path, { method: 'POST', body: new URLSearchParams(fields), headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers }, redirect: 'manual' });
  return { status: answer.status, text: await answer.text(), to: answer.headers.get('location') };
}
const get = async (path: string, headers: Record<string, string> = {}) => { const answer = await ask(path, { headers }); return { status: answer.status, text: await answer.text() }; };
const item = (n: number) => env.DB.prepare('SELECT * FROM timeline_items WHERE sha256 = ?').bind(hashOf(n)).first<Record<string, unknown>>();
const edit = (n: number, what: string) => `/a/${hashOf(n)}/edit/${what}`;
const TIME = { date: '2020-01-02', time: '03:04', zone: '', scope: 'only', seen: '0', do: 'save' };

describe('the time', () => {
  it('is set, keeps the zone that the camera said, and is said with its way back', async () => {
    const answer = await post(edit(1, 'time'), TIME);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('Thursday, 2 January 2020');
    expect(answer.text).toContain('as you set it');
    expect(await item(1)).toMatchObject({ taken_at: '2020-01-02T03:04:00', utc_offset_minutes: 120 });
    const undo = /action="(\/edits\/\d+\/undo)"/.exec(answer.text)?.[1] ?? '';
    const undone = await post(undo, { asset: hashOf(1) });
    expect(undone.text).toContain('Undone.');
    expect(undone.text).toContain('Monday, 6 May 2024');
    expect((await post(undo, { asset: hashOf(1) })).text).toContain('undone before');
  });

  it.each([
    ['a date', { date: '2024-02-31' }, 'There is no such day in the calendar.'], ['the year 0', { date: '0000-01-01' }, 'There was no year 0.'], ['a time', { time: '25:61' }, 'There is no such time of day.'],
    ['a zone', { zone: '+25:00' }, 'No clock stands that far from UTC'], ['a name of a zone', { zone: 'Mars/Olympus' }, 'no time zone that is known'], ['nothing', { date: '2024-05-06', time: '07:08:01' }, 'Nothing was changed yet.'],
  ])('refuses %s in words, and keeps what was typed', async (_name, typed, words) => {
    const answer = await post(edit(1, 'time'), { ...TIME, ...typed });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain(words);
    expect(answer.text).toContain(`value="${{ ...TIME, ...typed }.time}"`);
    expect(await countRows('edits')).toBe(0);
  });

  it('moves all of the day by as much, once however often it is sent', async () => {
    const fields = { ...TIME, date: '2024-05-06', time: '08:08:01', scope: 'day' };
    expect((await post(edit(1, 'time'), fields)).text).toContain('Saved for 3 photos and videos.');
    expect([await item(1), await item(2)]).toMatchObject([{ taken_at: '2024-05-06T08:08:01' }, { taken_at: '2024-05-06T08:08:02' }]);
    const again = await post(edit(1, 'time'), { ...fields, time: '09:08:01' });
    expect(again.status).toBe(422);
    expect(again.text).toContain('Something was changed since this form was opened');
    expect(await item(2)).toMatchObject({ taken_at: '2024-05-06T08:08:02' });
  });

  it('takes a zone by name for all of a camera, and what was said back', async () => {
    await post(edit(1, 'time'), { ...TIME, date: '2024-05-06', time: '07:08:01', zone: 'Asia/Kolkata', scope: 'camera' });
    expect([await item(1), await item(3)]).toMatchObject([{ taken_at: '2024-05-06T07:08:01', utc_offset_minutes: 330 }, { utc_offset_minutes: 120 }]);
    await post(edit(1, 'time'), { ...TIME, do: 'forget' });
    expect(await item(1)).toMatchObject({ utc_offset_minutes: 120, utc_offset_source: 'exif' });
  });
});

describe('place, words and clock', () => {
  it('take a position from a map, refuse what is none, and take one away', async () => {
    const wrong = await post(edit(1, 'place'), { position: '213, 9', seen: '0', do: 'save' });
    expect([wrong.status, wrong.text.includes('A latitude lies between −90 and 90; 213 does not.'), wrong.text.includes('value="213, 9"')]).toEqual([422, true, true]);
    await post(edit(1, 'place'), { position: '35.0, 139.0', seen: '0', do: 'save' });
    expect(await item(1)).toMatchObject({ latitude: 35, cell: '35.000,139.000', position_source: 'owner' });
    await post(edit(1, 'place'), { position: ' ', seen: '0', do: 'save' });
    expect(await item(1)).toMatchObject({ latitude: null, cell: null });
  });

  it('write a description that is text and nothing else, and empty it', async () => {
    const answer = await post(edit(1, 'description'), { description: 'Line <b>1</b>\r\nLine 2 ', seen: '0', do: 'save' });
    expect(await item(1)).toMatchObject({ description: 'Line <b>1</b>\nLine 2', description_source: 'owner' });
    expect(answer.text).toContain('Line &lt;b&gt;1&lt;/b&gt;\nLine 2');
    await post(edit(1, 'description'), { description: '', seen: '0', do: 'save' });
    expect(await item(1)).toMatchObject({ description: null });
    expect((await post(edit(1, 'description'), { description: 'x'.repeat(10_001), seen: '0', do: 'save' })).status).toBe(422);
  });

  it('shift a camera, saying before what it does', async () => {
    await post(edit(2, 'time'), { ...TIME, date: '2023-01-01' });
    const clock = { hours: '17', minutes: '', sign: 'later', from: '', to: '', seen: '1', do: 'save' };
    const preview = await post(edit(1, 'clock-preview'), clock);
    expect(preview.text).toContain('1 photo or video by this camera; 1 with a time that you gave stays');
    expect(preview.text).toContain('Monday, 6 May 2024, 7:08 → Tuesday, 7 May 2024, 0:08');
    expect((await post(edit(1, 'clock-preview'), { ...clock, from: '2024-05-07' })).text).toContain('0 photos and videos');
    expect((await post(edit(1, 'clock'), { ...clock, hours: 'one' })).text).toContain('Hours and minutes are whole numbers.');
    const saved = await post(edit(1, 'clock'), clock);
    expect(saved.text).toContain('Saved.');
    expect([await item(1), await item(2), await item(3)]).toMatchObject([{ taken_at: '2024-05-07T00:08:01' }, { taken_at: '2023-01-01T03:04:00' }, { taken_at: '2024-05-06T07:08:03' }]);
    expect((await get('/edits')).text).toContain('Clock of ‘Cam &lt;1&gt;’ set +17:00');
    expect((await post(edit(3, 'clock'), clock)).text).toContain('does not say which camera');
  });
});

describe('without script', () => {
  it('forms are pages, and lead back to the photo with what came of it', async () => {
    const form = await get(edit(1, 'time'));
    expect(form.text).toMatch(/^<!doctype html>[\s\S]*name="date" value="2024-05-06"/);
    const sent = await post(`${edit(1, 'time')}?in=%2Falbums%2F1`, TIME, { Origin: 'http://127.0.0.1:8420' });
    expect([sent.status, sent.to]).toEqual([303, `/a/${hashOf(1)}?in=%2Falbums%2F1&saved=1`]);
    expect((await get(sent.to ?? '')).text).toContain('Saved.');
    const refused = await post(edit(1, 'time'), { ...TIME, date: 'x' }, { Origin: 'http://127.0.0.1:8420' });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('<!doctype html>');
    expect((await post('/edits/1/undo', {}, { Origin: 'http://127.0.0.1:8420' })).to).toBe('/edits?done=undone');
  });

  it('nothing is taken from another site', async () => {
    for (const path of [edit(1, 'time'), '/edits/1/undo']) expect((await post(path, TIME, { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site' })).status, path).toBe(403);
    expect(await countRows('edits')).toBe(0);
  });

  it('addresses that name nothing are not here', async () => {
    expect((await get(`/a/${hashOf(99)}/edit/time`)).status).toBe(404);
    expect((await post(edit(1, 'colour'), {})).status).toBe(404);
    expect((await post('/edits/99/undo', {})).status).toBe(404);
    expect((await post('/edits/x/undo', {})).status).toBe(400);
  });
});

describe('in JSON', () => {
  it('many are corrected, listed and undone, with the token alone', async () => {
    const body = { scope: { kind: 'assets', sha256s: [1, 2, 3].map(hashOf) }, change: { description: 'all', favourite: true } };
    expect((await ask('/api/corrections', { method: 'POST', body: JSON.stringify(body) })).status).toBe(401);
    const done = await postJson('/api/corrections', body);
    expect(await done.json()).toEqual({ edit_id: 1, assets: 3 });
    expect(await item(3)).toMatchObject({ description: 'all', favourite: 1 });
    expect(await (await askAsAgent('/api/edits')).json()).toMatchObject([{ edit_id: 1, assets: 3, summary: 'Description written, Made favourite', undone_at_ms: null }]);
    expect(await (await postJson('/api/edits/1/undo', {})).json()).toEqual({ undone_now: true, restored: 3, kept: 0 });
    expect(await (await postJson('/api/edits/1/undo', {})).json()).toEqual({ undone_now: false, restored: 0, kept: 0 });
    expect(await item(3)).toMatchObject({ description: 'a "file"', favourite: 0 });
    for (const bad of [{ ...body, change: {} }, { ...body, scope: { kind: 'all' } }, { ...body, change: { utc_offset_minutes: 1500 } }, 'x']) expect((await postJson('/api/corrections', bad)).status).toBe(400);
    expect((await postJson('/api/corrections', { scope: { kind: 'assets', sha256s: Array.from({ length: 30_000 }, () => hashOf(1)) }, change: { favourite: true } })).status).toBe(413);
  });

  it('changes are paged newest first', async () => {
    for (let i = 0; i < 53; i += 1) await postJson('/api/corrections', { scope: { kind: 'assets', sha256s: [hashOf(1)] }, change: { description: `n${i}` } });
    const first = await get('/edits');
    expect([...first.text.matchAll(/class="edit-row"/g)].length).toBe(50);
    const next = /rel="next" href="([^"]+)"/.exec(first.text)?.[1] ?? '';
    expect([...(await get(next)).text.matchAll(/class="edit-row"/g)].length).toBe(3);
    expect((await get('/edits?before=x')).status).toBe(400);
  });
});
