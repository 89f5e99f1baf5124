// Small videos on their way to a real Worker: whole or in parts, cut off at every step and gone on with, and mentioned only when
// they are there.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { putAsset } from '../../../agent/catalog/assets.ts';
import { openCatalog, type Catalog } from '../../../agent/catalog/catalog.ts';
import { startNewEpoch } from '../../../agent/catalog/outbox.ts';
import { countProxiesToMake, countProxiesToPush, proxySpool, putProxy, readUpload, spoolName } from '../../../agent/catalog/proxies.ts';
import { startProxyUpload } from '../../../agent/push/client.ts';
import type { PushContext } from '../../../agent/push/push.ts';
import { pushProxyStep } from '../../../agent/push/push-proxies.ts';
import { PROXY_PART_BYTES } from '../../../protocol/limits.ts';
import { proxyUrl } from '../../../protocol/rendition.ts';
import { PROXY_VERSION } from '../../../protocol/versions.ts';
import { SITE_TOKEN, startSite, type Site } from '../../support/site.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
let site: Site;
beforeAll(async () => { site = await startSite(); });
afterAll(() => site.stop());

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
function mp4(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size, seed);
  for (let at = 0; at < size; at += 997) bytes[at] = at & 255;
  bytes.set([0, 0, 0, 24, 0x66, 0x74, 0x79, 0x70]);
  return bytes;
}

describe('small videos to the Worker', () => {
  let dir: string;
  let catalog: Catalog;
  const warnings: string[] = [];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'jharokha-push-'));
    catalog = openCatalog(join(dir, 'catalog.db'), 'agent');
    mkdirSync(proxySpool(dir));
    warnings.length = 0;
  });
  afterEach(() => { catalog.close(); rmSync(dir, { recursive: true, force: true }); });
  const context = (): PushContext => ({ catalog, agentId: 'agent', homeZone: 'UTC', worker: { url: site.url, token: SITE_TOKEN }, proxySpool: proxySpool(dir), assertRoom: () => {}, warn: (line) => { warnings.push(line); } });
  /** An asset with a made proxy of these bytes. */
  function made(sha256: string, bytes: Buffer): string {
    catalog.transact(() => {
      putAsset(catalog, {
        facts: {
          sha256, kind: 'video', mime: 'video/mp4', size_bytes: 1, width: 2, height: 2, duration_ms: 1, color: null, camera: null, lens: null, exposure: null, latitude: null, longitude: null,
          gps_zone: null, content_identifier: null, motion: null, description: null, rating: null, tags: [], time_claims: [], problems: [],
        }, rawMetadata: null, factsVersion: 1, grid: null, preview: null, unfinished: false,
      });
    });
    const path = join(proxySpool(dir), spoolName(sha256, PROXY_VERSION));
    writeFileSync(path, bytes);
    putProxy(catalog, sha256, null);
    return path;
  }
  const row = (sha256: string) => ({ ...catalog.prepare('SELECT proxy_version, proxy_pushed, proxy_bytes, revision > pushed_revision AS dirty FROM assets WHERE sha256 = ?').get(sha256) });
  const clean = () => { catalog.db.exec('UPDATE assets SET pushed_revision = revision'); };
  const stored = async (sha256: string) => { const answer = await fetch(`${site.url}${proxyUrl({ sha256, version: PROXY_VERSION })}`); return answer.ok ? Buffer.from(await answer.arrayBuffer()) : null; };
  const reopen = () => { catalog.close(); catalog = openCatalog(join(dir, 'catalog.db'), 'agent'); };

  it('sends a small one whole, then mentions it and takes it out of the spool', async () => {
    const sha256 = hashOf('small');
    const path = made(sha256, mp4(50_000, 1));
    clean();
    expect(await pushProxyStep(context())).toBe('whole');
    expect(await stored(sha256)).toEqual(mp4(50_000, 1));
    expect(row(sha256)).toEqual({ proxy_version: PROXY_VERSION, proxy_pushed: PROXY_VERSION, proxy_bytes: 50_000, dirty: 1 });
    expect(existsSync(path)).toBe(false);
    expect(await pushProxyStep(context())).toBe('none');
  });

  it('sends a large one part by part, and goes on where it was after each crash', async () => {
    const sha256 = hashOf('large');
    const bytes = mp4(3 * PROXY_PART_BYTES - 5, 2);
    made(sha256, bytes);
    clean();
    const steps: string[] = [];
    // A new agent after every single step: begin, three parts, complete.
    for (let i = 0; i < 5; i += 1) {
      expect(await stored(sha256), `after ${i} steps`).toBeNull();
      expect(row(sha256)).toMatchObject({ proxy_pushed: 0, dirty: 0 });
      steps.push(await pushProxyStep(context()));
      expect(readUpload(catalog)?.etags.length ?? null).toBe(i < 4 ? i : null);
      reopen();
    }
    expect(steps).toEqual(['part', 'part', 'part', 'part', 'whole']);
    expect((await stored(sha256))?.equals(bytes)).toBe(true);
    expect(row(sha256)).toMatchObject({ proxy_pushed: PROXY_VERSION, proxy_bytes: bytes.length, dirty: 1 });
  });

  it('believes the Worker that it has it, where the answer to the last step was lost', async () => {
    const sha256 = hashOf('lost answer');
    made(sha256, mp4(PROXY_PART_BYTES + 9, 3));
    for (let i = 0; i < 3; i += 1) await pushProxyStep(context());
    const before = readUpload(catalog);
    await pushProxyStep(context());
    // As if the agent had died before it noted the completion.
    writeFileSync(join(proxySpool(dir), spoolName(sha256, PROXY_VERSION)), mp4(PROXY_PART_BYTES + 9, 3));
    catalog.prepare('UPDATE assets SET proxy_pushed = 0, proxy_bytes = NULL').run();
    catalog.setMeta('proxy_upload', JSON.stringify(before));
    expect(await pushProxyStep(context())).toBe('whole');
    expect(row(sha256)).toMatchObject({ proxy_pushed: PROXY_VERSION, proxy_bytes: PROXY_PART_BYTES + 9 });
  });

  it('begins again where the Worker has forgotten the upload', async () => {
    const sha256 = hashOf('forgotten');
    const bytes = mp4(2 * PROXY_PART_BYTES, 4);
    made(sha256, bytes);
    await pushProxyStep(context());
    await pushProxyStep(context());
    // Somebody else begins it: the Worker ends what was left over.
    await startProxyUpload(context().worker, { sha256, version: PROXY_VERSION }, { size_bytes: bytes.length, sha256: hashOf('x') });
    await expect(pushProxyStep(context())).rejects.toMatchObject({ status: 409 });
    let step = await pushProxyStep(context());
    for (let i = 0; step === 'part' && i < 10; i += 1) step = await pushProxyStep(context());
    expect(step).toBe('whole');
    expect((await stored(sha256))?.equals(bytes)).toBe(true);
  });

  it('drops one that is refused, by name, and makes again one whose file is gone', async () => {
    const [bad, gone, fine] = [hashOf('bad'), hashOf('gone'), hashOf('fine')];
    made(bad, Buffer.alloc(1_000, 'no mp4'));
    rmSync(made(gone, mp4(10, 1)));
    made(fine, mp4(1_000, 5));
    const steps = [];
    for (let step = ''; step !== 'none' && steps.length < 10;) steps.push(step = await pushProxyStep(context()));
    expect(steps.filter((s) => s === 'whole')).toHaveLength(1);
    expect(row(bad)).toMatchObject({ proxy_version: -1, proxy_pushed: 0 });
    expect(warnings.join()).toContain('refused');
    expect(row(gone)).toMatchObject({ proxy_version: 0 });
    expect(countProxiesToMake(catalog)).toBe(1);
    expect(await stored(bad)).toBeNull();
  });

  it('stays where it is while the Worker cannot be reached', async () => {
    const path = made(hashOf('unreachable'), mp4(1_000, 6));
    await expect(pushProxyStep({ ...context(), worker: { url: 'http://127.0.0.1:9', token: 'x' } })).rejects.toMatchObject({ name: 'WorkerUnreachable' });
    expect(existsSync(path)).toBe(true);
    expect(countProxiesToPush(catalog)).toBe(1);
  });

  it('is made and pushed again for a Worker that lost everything, but not made again while it still waits', async () => {
    const [pushed, waiting] = [hashOf('pushed'), hashOf('waiting')];
    made(pushed, mp4(1_000, 7));
    await pushProxyStep(context());
    made(waiting, mp4(1_000, 8));
    startNewEpoch(catalog, 'e-lost-rows', false);
    expect(row(pushed)).toMatchObject({ proxy_version: PROXY_VERSION, proxy_pushed: PROXY_VERSION });
    startNewEpoch(catalog, 'e-lost-all', true);
    expect(row(pushed)).toMatchObject({ proxy_version: 0, proxy_pushed: 0, proxy_bytes: null });
    expect(row(waiting)).toMatchObject({ proxy_version: PROXY_VERSION, proxy_pushed: 0 });
  });
});
