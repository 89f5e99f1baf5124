// The viewer's page as it comes from the Worker: a stack around its members, the name of a download, and the two marks that work without script.
import { env } from 'cloudflare:workers';
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { downloadName } from '../../views/parts/file-name.ts';
import { ask, asset, createSender, exif, hashOf, location, migrate, volume } from './support.ts';

let send: ReturnType<typeof createSender>;
beforeEach(async () => { await reset(); await migrate(); send = createSender(); });

const at = (n: number) => asset(n, { time_claims: [exif(`2024-05-06T07:08:${String(n).padStart(2, '0')}`)] });
const get = async (path: string) => { const answer = await ask(path); return { status: answer.status, text: await answer.text() }; };
const mark = (path: string, fields: Record<string, string>) => ask(path, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
const curation = () => env.DB.prepare('SELECT favourite, archived FROM curation WHERE sha256 = ?1').bind(hashOf(2)).first();
/** Hashes of the strip, in its order. */
const strip = (html: string) => [...(html.split('<nav class="strip"')[1] ?? '').split('</nav>')[0]?.matchAll(/href="\/a\/([0-9a-f]{64})/g) ?? []].map((m) => Number.parseInt(m[1] ?? '', 16));

async function fill(): Promise<void> {
  const rows = [1, 2, 3, 4, 9].map(at);
  await send({
    volumes: [volume()], assets: rows, locations: rows.map((row) => { const n = Number.parseInt(row.sha256, 16); return location(n, `DCIM/IMG_${n}.HEIC`); }),
    stacks: [{ member_sha256: hashOf(9), primary_sha256: hashOf(2), type: 'raw', basis: 'the same name', revision: 1, removed: false }],
  });
}

describe('a stack', () => {
  it('is offered to switch in, and a member stands where its primary does', async () => {
    await fill();
    const primary = (await get(`/a/${hashOf(2)}`)).text;
    const member = (await get(`/a/${hashOf(9)}`)).text;
    for (const html of [primary, member]) expect(html.split('class="stack-row"')[1]?.split('</nav>')[0]?.match(/\/a\/[0-9a-f]{64}/g)).toEqual([`/a/${hashOf(2)}`, `/a/${hashOf(9)}`]);
    expect(strip(primary)).toEqual([4, 3, 2, 1]);
    // Not where its own time would put it.
    expect(strip(member)).toEqual([4, 3, 9, 1]);
    expect(member).toContain(`near=${hashOf(2)}#a-`);
    expect((await get(`/a/${hashOf(3)}`)).text).not.toContain('stack-row');
  });
});

describe('marks without script', () => {
  it('are set, taken back, shown with their way back, and refused where they say nothing', async () => {
    await fill();
    const set = await mark(`/a/${hashOf(2)}/mark`, { favourite: 'yes' });
    expect([set.status, set.headers.get('location')]).toEqual([303, `/a/${hashOf(2)}?saved=1`]);
    expect(await curation()).toEqual({ favourite: 1, archived: null });
    expect((await get(`/a/${hashOf(2)}?saved=1`)).text).toContain('action="/edits/1/undo"');
    expect((await mark(`/a/${hashOf(2)}/mark`, { favourite: 'yes' })).headers.get('location')).toBe(`/a/${hashOf(2)}`);
    await mark(`/a/${hashOf(2)}/mark?in=%2Falbums%2F7`, { archived: 'yes' });
    await mark(`/a/${hashOf(2)}/mark`, { favourite: 'no' });
    expect(await curation()).toEqual({ favourite: 0, archived: 1 });
    expect((await mark(`/a/${hashOf(2)}/mark`, { favourite: 'perhaps' })).status).toBe(400);
    expect((await mark(`/a/${hashOf(77)}/mark`, { favourite: 'yes' })).status).toBe(404);
    const foreign = await ask(`/a/${hashOf(2)}/mark`, { method: 'POST', body: new URLSearchParams({ favourite: 'yes' }), headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.example' } });
    expect(foreign.status).toBe(403);
  });
});

test.each([
  ['DCIM/IMG_4711.HEIC', 'IMG_4711.webp'], ['été 2023.tar.gz', 'été 2023.tar.webp'], ['写真/富士山.JPG', '富士山.webp'], ['..', 'jharokha-00000000.webp'], ['a/.jpg', 'jharokha-00000000.webp'],
  ['x/\u202Egpj.exe', 'gpj.webp'], ['a\\..\\b:c*?"<>|\n.png', 'a .. b c.webp'], [`${'ß'.repeat(300)}.jpg`, `${'ß'.repeat(60)}.webp`], [undefined, 'jharokha-00000000.webp'], ['half\ud800.jpg', 'half\ufffd.webp'],
])('a download of %j is named %j', (path, name) => {
  expect(downloadName(path, '0'.repeat(64), 'webp')).toBe(name);
});
