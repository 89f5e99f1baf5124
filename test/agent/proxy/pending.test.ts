// The stage that makes small videos, on a real catalog with real files and the real reader: what it makes, in which order, and
// what happens when a drive leaves, a file changes or the process is cut off.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { getAsset } from '../../../agent/catalog/assets.ts';
import { countProxiesToMake, countProxiesToPush, proxySpool, spoolName, sweepProxies } from '../../../agent/catalog/proxies.ts';
import { createProxyMaker, type ProxyMaker } from '../../../agent/pipeline/proxy.ts';
import { proxyPending, type ProxyContext } from '../../../agent/pipeline/proxy-pending.ts';
import { createReader } from '../../../agent/pipeline/reader.ts';
import { PROXY_VERSION } from '../../../protocol/versions.ts';
import { makeClip } from '../../support/make-clip.ts';
import { makePicture, withXmp } from '../../support/make-media.ts';
import { readMp4 } from '../../support/read-mp4.ts';
import { createScene, put, sha, type Scene } from '../scan/scene.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const clips = mkdtempSync(join(tmpdir(), 'jharokha-clips-'));
const reader = createReader({ heicWorkers: 1 });
const maker = createProxyMaker();
afterAll(async () => { await maker.close(); await reader.close(); rmSync(clips, { recursive: true, force: true }); });

async function clip(seed: number, seconds = 1): Promise<Buffer> {
  const path = join(clips, `${seed}-${seconds}.mp4`);
  if (!existsSync(path)) await makeClip({ path, seconds, width: 64 + seed * 2 });
  return readFileSync(path);
}
async function motionPhoto(video: Buffer): Promise<Buffer> {
  const still = withXmp(await makePicture({}), `xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoOffset='${video.length}'`);
  return Buffer.concat([still, video]);
}

describe('the stage that makes small videos', () => {
  let scene: Scene;
  let spool: string;
  const order: string[] = [];
  beforeEach(async () => {
    scene = createScene();
    scene.ctx.reader = reader;
    spool = proxySpool(scene.drives.folder);
    order.length = 0;
    await scene.addRoot();
  });
  afterEach(() => { scene.close(); });
  const context = (more: Partial<ProxyContext> = {}): ProxyContext => ({ ...scene.ctx, maker, spool, ...more });
  /** The real maker, which also says what it was asked for. */
  const noting: ProxyMaker = { close: () => Promise.resolve(), make: (source, ...rest) => { order.push(source.name); return maker.make(source, ...rest); } };
  const version = (bytes: Buffer) => scene.catalog.prepare('SELECT proxy_version FROM assets WHERE sha256 = ?').get(sha(bytes))?.['proxy_version'];

  it('makes one for every video and motion photo, newest first, and none for stills', async () => {
    const [a, b, c] = [await clip(1), await clip(2), await motionPhoto(await clip(3))];
    put(scene.at('old.mp4'), a, 1_500_000_000);
    put(scene.at('new.mp4'), b, 1_700_000_000);
    put(scene.at('between.jpg'), c, 1_600_000_000);
    put(scene.at('still.jpg'), await makePicture({ seed: 4 }), 1_650_000_000);
    await scene.scan();
    expect(countProxiesToMake(scene.catalog)).toBe(3);
    expect(await proxyPending(context({ maker: noting }))).toEqual({ made: 3, failed: 0, away: 0 });
    expect(order).toEqual(['new.mp4', 'between.jpg', 'old.mp4']);
    expect(countProxiesToMake(scene.catalog)).toBe(0);
    expect(countProxiesToPush(scene.catalog)).toBe(3);
    expect(readdirSync(spool).sort()).toEqual([a, b, c].map((bytes) => spoolName(sha(bytes), PROXY_VERSION)).sort());
    // Of the motion photo it is the video inside that was made small.
    expect(await readMp4(join(spool, spoolName(sha(c), PROXY_VERSION)))).toMatchObject({ codec: 'h264', width: 70, height: 48 });
    expect(getAsset(scene.catalog, sha(c))?.facts).toMatchObject({ kind: 'image', motion: { length_bytes: (await clip(3)).length } });
    expect(await proxyPending(context({ maker: noting }))).toEqual({ made: 0, failed: 0, away: 0 });
  });

  it('names a video of which none can be made, and goes on', async () => {
    const whole = await clip(1, 4);
    const broken = Buffer.from(whole);
    // The index stays, so it has a size and a length; the pictures themselves are gone.
    broken.fill(0, broken.indexOf('mdat') + 4, broken.indexOf('moov') - 4);
    put(scene.at('broken.mp4'), broken, 1_700_000_000);
    put(scene.at('fine.mp4'), whole, 1_600_000_000);
    await scene.scan();
    const before = scene.catalog.revision();
    expect(await proxyPending(context())).toEqual({ made: 1, failed: 1, away: 0 });
    expect(version(broken)).toBe(-1);
    expect(getAsset(scene.catalog, sha(broken))?.facts.problems).toContainEqual({ code: 'damaged', reason: expect.stringContaining('no small video can be made of it') });
    expect(scene.catalog.revision(), 'the problem is to be pushed').toBeGreaterThan(before);
    expect(await proxyPending(context())).toEqual({ made: 0, failed: 0, away: 0 });
  });

  it('leaves what lies on a drive that is away, and makes it when the drive is back', async () => {
    const bytes = await clip(1);
    put(scene.at('a.mp4'), bytes);
    await scene.scan();
    scene.drives.unplug('blue');
    expect(await proxyPending(context())).toEqual({ made: 0, failed: 0, away: 1 });
    expect(version(bytes)).toBe(0);
    scene.drives.replug('blue');
    expect(await proxyPending(context())).toEqual({ made: 1, failed: 0, away: 0 });
  });

  it('says nothing of an asset whose drive leaves or whose file changes while it is read', async () => {
    // Too large to be read whole: the video, and seventy megabytes of an empty box.
    const [path, video, LARGE] = [scene.at('a.mp4'), await clip(1), 70_000_000];
    const write = (): void => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(LARGE - video.length);
      head.write('free', 4);
      put(path, Buffer.concat([video, head]));
      truncateSync(path, LARGE);
      utimesSync(path, 1_600_000_000, 1_600_000_000);
    };
    write();
    await scene.scan();
    const during = (then: () => void): ProxyMaker => ({ close: () => Promise.resolve(), make: async (...args) => { const read = await maker.make(...args); expect(read.code).toBeNull(); then(); return read; } });
    expect(await proxyPending(context({ maker: during(() => { utimesSync(path, 1_650_000_000, 1_650_000_000); }) }))).toEqual({ made: 0, failed: 0, away: 1 });
    write();
    expect(await proxyPending(context({ maker: during(() => { scene.drives.unplug('blue'); }) }))).toEqual({ made: 0, failed: 0, away: 1 });
    scene.drives.replug('blue');
    expect(readdirSync(spool)).toEqual([]);
    expect(await proxyPending(context())).toEqual({ made: 1, failed: 0, away: 0 });
  });

  it('makes none of bytes that are not those of the asset, though size and time are', async () => {
    const bytes = await clip(1);
    put(scene.at('a.mp4'), bytes);
    await scene.scan();
    put(scene.at('a.mp4'), Buffer.from(bytes).fill(7, 100, 110));
    expect(await proxyPending(context())).toEqual({ made: 0, failed: 0, away: 1 });
    expect(version(bytes)).toBe(0);
  });

  it('hands on a full disk, and stops while too much waits', async () => {
    const bytes = await clip(1);
    put(scene.at('a.mp4'), bytes);
    await scene.scan();
    const full: ProxyMaker = { close: () => Promise.resolve(), make: () => Promise.resolve({ made: null, code: 'disk_full', reason: 'No space left on device' }) };
    await expect(proxyPending(context({ maker: full }))).rejects.toMatchObject({ name: 'DiskFullError' });
    expect(version(bytes)).toBe(0);
    const waiting = join(spool, spoolName('c'.repeat(64), PROXY_VERSION));
    writeFileSync(waiting, '');
    truncateSync(waiting, 2_100_000_000);
    expect(await proxyPending(context())).toEqual({ made: 0, failed: 0, away: 0 });
    rmSync(waiting);
    expect(await proxyPending(context())).toMatchObject({ made: 1 });
  });

  it('can be stopped in the middle of one, and goes on with that one', async () => {
    const bytes = await clip(1, 30);
    put(scene.at('long.mp4'), bytes);
    await scene.scan();
    const stop = new AbortController();
    setTimeout(() => { stop.abort(); }, 50);
    expect(await proxyPending(context(), stop.signal)).toEqual({ made: 0, failed: 0, away: 0 });
    expect(readdirSync(spool)).toEqual([]);
    expect(version(bytes)).toBe(0);
    expect(await proxyPending(context())).toMatchObject({ made: 1 });
  });

  it('sweeps at the start what a crash left, and makes again what is gone', async () => {
    const bytes = await clip(1);
    put(scene.at('a.mp4'), bytes);
    await scene.scan();
    await proxyPending(context());
    mkdirSync(spool, { recursive: true });
    for (const left of [`${'a'.repeat(64)}.part`, spoolName('b'.repeat(64), PROXY_VERSION), spoolName(sha(bytes), PROXY_VERSION + 1)]) writeFileSync(join(spool, left), 'x');
    expect(sweepProxies(scene.catalog, spool)).toBe(3);
    expect(readdirSync(spool)).toEqual([spoolName(sha(bytes), PROXY_VERSION)]);
    expect(version(bytes)).toBe(PROXY_VERSION);
    rmSync(join(spool, spoolName(sha(bytes), PROXY_VERSION)));
    expect(sweepProxies(scene.catalog, spool)).toBe(0);
    expect(version(bytes)).toBe(0);
    expect(await proxyPending(context())).toMatchObject({ made: 1 });
  });
});
