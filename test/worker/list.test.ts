// `list --json` as the Worker gives it: every line of the schema, one order, pages that neither skip nor repeat.
import { reset } from 'cloudflare:test';
import { beforeEach, describe, expect, it } from 'vitest';
import { SOFTWARE_VERSION } from '../../protocol/versions.ts';
import { LIST_PAGE_ROWS, PAGE_ROWS } from '../../protocol/limits.ts';
import { ListLine } from '../../protocol/list.ts';
import { asset, askAsAgent, createSender, evidence, exif, hashOf, location, migrate, mtime, problem, volume, VOLUME } from './support.ts';

beforeEach(async () => { await reset(); await migrate(); });

async function readPages<T>(path: string): Promise<T[][]> {
  const pages: T[][] = [];
  let after = '';
  for (;;) {
    const response = await askAsAgent(`${path}?after=${encodeURIComponent(after)}`);
    expect(response.status).toBe(200);
    const text = new TextDecoder().decode(await response.arrayBuffer());
    pages.push(text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as T));
    const next = response.headers.get('X-Next');
    if (!next) return pages;
    after = next;
  }
}

describe('list', () => {
  it('is empty on an empty library', async () => {
    expect(await readPages('/api/list')).toEqual([[]]);
  });

  it('gives whole lines that pass their schema', async () => {
    const send = createSender();
    await send({
      volumes: [volume({ label: 'Card' })],
      assets: [asset(1, { latitude: 44.1, longitude: 9.6, camera: 'Pixel 8', problems: [{ code: 'truncated', reason: 'ends too early' }] })],
      locations: [location(1, 'b.jpg'), location(1, 'a.jpg')],
    });
    const [line] = (await readPages<unknown>('/api/list')).flat();
    expect(ListLine.parse(line)).toMatchObject({
      sha256: hashOf(1), taken_at: '2024-05-06T07:08:09', taken_at_source: 'exif_original', utc_offset_minutes: 120, utc_offset_source: 'exif', latitude: 44.1, camera: 'Pixel 8',
      favourite: false, rating: null, albums: [], problems: [{ code: 'truncated', reason: 'ends too early' }],
      locations: [{ volume_id: VOLUME, volume: 'Card', path: 'a.jpg', state: 'away' }, { volume_id: VOLUME, volume: 'Card', path: 'b.jpg', state: 'away' }],
    });
  });

  it('orders by capture time then hash, unknown last, and pages without a gap or a repeat', async () => {
    const send = createSender();
    const total = LIST_PAGE_ROWS * 2 + 100;
    const unknownFrom = LIST_PAGE_ROWS + 300;
    const rows = Array.from({ length: total }, (_, n) => ({ n, wall: n < unknownFrom ? `20${String(10 + (n % 15)).padStart(2, '0')}-01-01T00:00:00` : null }));
    rows[0] = { n: 0, wall: '1931-01-01T00:00:00' };
    for (let i = 0; i < total; i += 1000) {
      const part = rows.slice(i, i + 1000);
      await send({ assets: part.map(({ n, wall }) => asset(n, { time_claims: wall === null ? [] : [exif(wall)] })), locations: part.map(({ n }) => location(n, `${n}.jpg`)) });
    }
    const pages = await readPages<ListLine>('/api/list');
    expect(pages.map((p) => p.length)).toEqual([LIST_PAGE_ROWS, LIST_PAGE_ROWS, 100]);
    const wanted = [...rows].sort((a, b) => (a.wall ?? '9999').localeCompare(b.wall ?? '9999') || hashOf(a.n).localeCompare(hashOf(b.n))).map(({ n }) => hashOf(n));
    expect(pages.flat().map((l) => l.sha256)).toEqual(wanted);
  });

  it('ends cleanly where the last page is exactly full', async () => {
    const send = createSender();
    const rows = Array.from({ length: LIST_PAGE_ROWS }, (_, n) => n);
    await send({ assets: rows.map((n) => asset(n)), locations: rows.map((n) => location(n, `${n}.jpg`)) });
    expect((await readPages('/api/list')).map((p) => p.length)).toEqual([LIST_PAGE_ROWS, 0]);
  });

  it('refuses cursors that are none', async () => {
    for (const after of ['x', '1.zz', `1e5.${hashOf(1)}`, "';--"]) expect((await askAsAgent(`/api/list?after=${encodeURIComponent(after)}`)).status, after).toBe(400);
    expect((await askAsAgent('/api/problems?after=x')).status).toBe(400);
  });
});

describe('problems', () => {
  it('are paged by path, whatever the paths hold', async () => {
    const send = createSender();
    const odd = ['line\nbreak', 'ü ñ 🎞', '100%25', '"quoted"', "it's", '', '<b>'];
    const paths = [...odd, ...Array.from({ length: PAGE_ROWS * 2 }, (_, n) => `p${n}`)];
    await send({ volumes: [volume()], problems: paths.map((p) => problem(p)) });
    const pages = await readPages<{ path: string; volume: string }>('/api/problems');
    expect(pages.map((p) => p.length)).toEqual([PAGE_ROWS, PAGE_ROWS, odd.length]);
    expect(pages.flat().map((p) => p.path).sort()).toEqual([...paths].sort());
    expect(pages[0]?.[0]?.volume).toBe('Blue SSD');
  });

  it('continue right after a path that needed escaping', async () => {
    const send = createSender();
    const paths = Array.from({ length: PAGE_ROWS + 1 }, (_, n) => `%41 "ü\n${String(n).padStart(4, '0')}`);
    await send({ problems: paths.map((p) => problem(p)) });
    expect((await readPages<{ path: string }>('/api/problems')).flat().map((p) => p.path)).toEqual(paths);
  });
});

describe('status', () => {
  it('says away and nothing else while nobody is there', async () => {
    expect(await (await askAsAgent('/api/status')).json()).toEqual({ agent: 'away', status: null, questions: [], volumes: [] });
    expect(await (await askAsAgent('/api/settings')).json()).toEqual({ home_zone: null });
  });
  it('counts the timeline in healthz', async () => {
    await createSender()({ assets: [asset(1), asset(2)], locations: [location(1, 'a'), location(2, 'b')], evidence: [evidence('a', { time_claims: [mtime(5)] })] });
    expect(await (await askAsAgent('/healthz')).json()).toMatchObject({ assets: 2, version: SOFTWARE_VERSION });
  });
});
