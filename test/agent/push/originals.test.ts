// Originals as the agent sends them: what goes along, under which names, in zips that other programs read and whose length was said
// before; and that whatever is not as it was indexed breaks the transfer before its last part. The Worker is a small server here.
import { spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sidecarsOfFolder } from '../../../agent/pipeline/relate-folders.ts';
import { scanAll } from '../../../agent/pipeline/index.ts';
import { relateMarked } from '../../../agent/pipeline/relate.ts';
import { nameAll } from '../../../agent/push/originals.ts';
import { createSender, openZip, type Sender } from '../../../agent/push/send-originals.ts';
import { TRANSFER_PART_BYTES } from '../../../protocol/limits.ts';
import type { TransferEnd } from '../../../protocol/transfer.ts';
import { createScene, png, put, sha, type Scene } from '../scan/scene.ts';

let s: Scene;
let worker: Server;
let sender: Sender;
let stop: AbortController;
let dir: string;
/** What came, and what is answered: how often there is no room, or that nobody waits. */
let parts: Buffer[];
let ends: TransferEnd[];
let full: number;
let left: boolean;
let onPart: ((n: number) => void) | undefined;
const warned: string[] = [];

beforeEach(async () => {
  s = createScene();
  dir = mkdtempSync(join(tmpdir(), 'jharokha-originals-'));
  [parts, ends, full, left, onPart] = [[], [], 0, false, undefined];
  warned.length = 0;
  worker = createServer((request, answer) => {
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => { body.push(chunk); }).on('end', () => {
      const what = /^\/sync\/transfers\/[0-9a-f-]{36}\/(\d+|wait|end)$/.exec(request.url ?? '')?.[1] ?? '';
      const say = (status: number, json: object) => { answer.writeHead(status, { 'content-type': 'application/json' }); answer.end(JSON.stringify(json)); };
      if (what === 'end') { ends.push(JSON.parse(Buffer.concat(body).toString()) as TransferEnd); say(200, {}); return; }
      if (left) { say(410, { error: 'gone' }); return; }
      if (what !== 'wait') { expect(Number(what)).toBe(parts.length); parts.push(Buffer.concat(body)); onPart?.(parts.length); }
      if (full > 0) { full -= 1; say(200, { room: false }); } else say(200, { room: true });
    });
  });
  await new Promise<void>((done) => { worker.listen(0, '127.0.0.1', done); });
  stop = new AbortController();
  sender = createSender({
    catalog: s.catalog, files: s.files, volumes: s.volumes, now: () => Date.now(), signal: stop.signal, worker: { url: `http://127.0.0.1:${(worker.address() as AddressInfo).port}`, token: 't' },
    warn: (line) => { warned.push(line); }, refresh: () => {}, sidecarsOf: (folder) => sidecarsOfFolder(s.catalog, folder),
  });
});
afterEach(async () => {
  stop.abort();
  await sender.settled();
  worker.closeAllConnections();
  await new Promise((done) => { worker.close(done); });
  s.close();
  rmSync(dir, { recursive: true, force: true });
});

async function index(): Promise<void> {
  await scanAll(s.ctx);
  await relateMarked(s.ctx);
}
/** Sends, waits for the end, and gives what came as one file. */
async function send(sha256s: string[], as: 'file' | 'zip') {
  const plan = await sender.send({ transfer_id: randomUUID(), sha256s, as });
  await sender.settled();
  return { plan, bytes: Buffer.concat(parts) };
}
/** Names and contents by a program that is none of ours. */
function unzip(bytes: Buffer): Record<string, Buffer> {
  const path = join(dir, 'a.zip');
  writeFileSync(path, bytes);
  const tested = spawnSync('unzip', ['-tq', path], { encoding: 'utf8' });
  if (!tested.error) expect(tested.stdout).toContain('No errors detected');
  // Python's asks for nothing but itself, and says names as they are.
  const read = spawnSync('python3', ['-c', 'import zipfile,sys,json,base64\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nassert all(i.compress_type==0 for i in z.infolist())\nprint(json.dumps([[i.filename,base64.b64encode(z.read(i)).decode()] for i in z.infolist()]))', path], { encoding: 'utf8', maxBuffer: 1e9 });
  expect(read.error === undefined || tested.error === undefined, 'neither unzip nor python3 is here').toBe(true);
  expect(read.stderr).toBe('');
  return Object.fromEntries((JSON.parse(read.stdout) as [string, string][]).map(([name, text]) => [name, Buffer.from(text, 'base64')]));
}
const big = (seed: number, size: number) => { const head = png(seed); return Buffer.concat([head, Buffer.alloc(size - head.length, seed)]); };

describe('one file', () => {
  test('comes whole in parts of one size, with its size said before, and no part while there is no room', async () => {
    const bytes = big(1, 2 * TRANSFER_PART_BYTES + 5);
    put(s.at('DCIM/IMG_1.png'), bytes);
    await s.addRoot();
    await index();
    full = 3;
    const { plan, bytes: came } = await send([sha(bytes)], 'file');
    expect(plan).toEqual({ name: 'IMG_1.png', size_bytes: bytes.length, assets: 1, files: 1, left_out: { away: [], gone: 0 } });
    expect(parts.map((part) => part.length)).toEqual([TRANSFER_PART_BYTES, TRANSFER_PART_BYTES, 5]);
    expect(came.equals(bytes)).toBe(true);
    expect(ends).toEqual([{ outcome: 'sent', reason: null }]);
    expect(warned).toEqual([]);
  });

  test('of other bytes than were indexed is never sent to its end, though its size and times are the same', async () => {
    for (const size of [500, TRANSFER_PART_BYTES, 2 * TRANSFER_PART_BYTES + 9]) {
      parts = [];
      const path = s.at(`DCIM/${size}.png`);
      const bytes = big(size % 251, size);
      put(path, bytes);
      await s.addRoot();
      await index();
      const { atime, mtime } = statSync(path);
      writeFileSync(path, Buffer.concat([bytes.subarray(0, size - 1), Buffer.from([bytes[size - 1] === 0 ? 1 : 0])]));
      utimesSync(path, atime, mtime);
      const { plan, bytes: came } = await send([sha(bytes)], 'file');
      expect(plan.size_bytes).toBe(size);
      expect(came.length, `of ${size}`).toBeLessThan(size);
      expect(ends.at(-1)).toMatchObject({ outcome: 'changed', reason: expect.stringContaining(`‘DCIM/${size}.png’ on ‘blue’ has other bytes`) as string });
      expect(warned.at(-1)).toContain('has other bytes than when it was indexed');
    }
  });

  test('is read from another copy where the first cannot be opened, and left out where none is there', async () => {
    s.picture('a/x.png', 1);
    s.picture('b/y.png', 1);
    await s.addRoot();
    await index();
    s.files.setFaults([{ match: 'a/x\\.png$', op: 'open', error: 'EIO' }]);
    expect((await send([sha(png(1))], 'file')).bytes.equals(png(1))).toBe(true);
    rmSync(s.at('a/x.png'));
    rmSync(s.at('b/y.png'));
    expect(await sender.send({ transfer_id: randomUUID(), sha256s: [sha(png(1))], as: 'file' })).toMatchObject({ files: 0, size_bytes: 0, left_out: { away: [], gone: 1 } });
  });

  test('of a drive that leaves in the middle breaks; one that is away names it', async () => {
    const bytes = big(3, 3 * TRANSFER_PART_BYTES);
    put(s.at('x.png'), bytes);
    await s.addRoot();
    await index();
    onPart = (n) => { if (n === 1) s.drives.unplug('blue'); };
    const { bytes: came } = await send([sha(bytes)], 'file');
    expect(came.length).toBeLessThan(bytes.length);
    expect(ends).toEqual([{ outcome: 'away', reason: expect.stringContaining('‘blue’ left') as string }]);
    expect(await sender.send({ transfer_id: randomUUID(), sha256s: [sha(bytes)], as: 'file' })).toMatchObject({ files: 0, left_out: { away: [{ volume_id: 'uuid:blue', label: 'blue', assets: 1 }], gone: 0 } });
  });

  test('is not read on once nobody waits for it, and no more than three are sent at once', async () => {
    const bytes = big(4, 8 * TRANSFER_PART_BYTES);
    put(s.at('x.png'), bytes);
    await s.addRoot();
    await index();
    full = 1e9;
    for (let i = 0; i < 3; i += 1) await sender.send({ transfer_id: randomUUID(), sha256s: [sha(bytes)], as: 'file' }).catch(() => undefined);
    await expect(sender.send({ transfer_id: randomUUID(), sha256s: [sha(bytes)], as: 'file' })).rejects.toThrow('3 downloads of originals are under way');
    left = true;
    await sender.settled();
    expect(parts.length).toBeLessThan(4);
    expect([ends, warned]).toEqual([[], []]);
  });

  test('in a cloud is not opened, and so not fetched', async () => {
    s.picture('x.png', 1);
    await s.addRoot();
    await index();
    Object.assign(s.files, { platform: 'darwin' });
    s.files.setFaults([{ match: 'x\\.png$', op: 'lstat', effect: 'dataless' }, { match: 'x\\.png$', op: 'open', error: 'EACCES' }]);
    expect(await sender.send({ transfer_id: randomUUID(), sha256s: [sha(png(1))], as: 'file' })).toMatchObject({ files: 0, left_out: { gone: 1 } });
  });
});

describe('a zip', () => {
  test('holds what belongs together, is as long as was said, and other programs read it', async () => {
    const [still, film] = [png(5), png(6)];
    put(s.at('a/IMG_1.jpg'), still, 1_600_000_001);
    put(s.at('a/IMG_1.mov'), film);
    put(s.at('a/IMG_1.jpg.xmp'), '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
    s.picture('b/img_1.JPG', 7);
    s.picture('b/Zürich 🏔.png', 8);
    s.reader.facts.set('IMG_1.mov', { kind: 'video', mime: 'video/quicktime', duration_ms: 2_000, content_identifier: 'A' });
    s.reader.facts.set('IMG_1.jpg', { mime: 'image/heic', content_identifier: 'A' });
    await s.addRoot();
    await index();
    const { plan, bytes } = await send([sha(png(7)), sha(png(8)), sha(still)], 'zip');
    expect(plan).toMatchObject({ name: 'jharokha-originals.zip', size_bytes: bytes.length });
    expect(ends).toEqual([{ outcome: 'sent', reason: null }]);
    const files = unzip(bytes);
    expect(Object.entries(files).map(([name, content]) => `${name} ${sha(content).slice(0, 6)}`).sort()).toEqual([
      `img_1.JPG ${sha(png(7)).slice(0, 6)}`, `Zürich 🏔.png ${sha(png(8)).slice(0, 6)}`,
      `IMG_1 (2).jpg ${sha(still).slice(0, 6)}`, `IMG_1 (2).mov ${sha(film).slice(0, 6)}`, `IMG_1 (2).jpg.xmp ${sha(readFileSync(s.at('a/IMG_1.jpg.xmp'))).slice(0, 6)}`,
    ].sort());
  });

  test('breaks where one file in it has changed, and names that one', async () => {
    for (let i = 1; i <= 3; i += 1) put(s.at(`${i}.png`), big(i, 3_000_000));
    await s.addRoot();
    await index();
    onPart = () => { truncateSync(s.at('3.png'), 100); };
    const { plan, bytes } = await send([1, 2, 3].map((i) => sha(big(i, 3_000_000))), 'zip');
    expect(bytes.length).toBeLessThan(plan.size_bytes);
    expect(ends).toEqual([{ outcome: 'changed', reason: expect.stringContaining('‘3.png’') as string }]);
  });

  test('leaves out what is away, and says on which drive', async () => {
    s.picture('x.png', 1);
    await s.addRoot();
    const other = s.drives.plugIn('Old HDD');
    for (let i = 2; i <= 4; i += 1) put(join(other, `${i}.png`), png(i));
    const { addRoot } = await import('../../../agent/pipeline/index.ts');
    await addRoot(s.ctx, other);
    await index();
    s.drives.unplug('Old HDD');
    const { plan, bytes } = await send([1, 2, 3, 4].map((i) => sha(png(i))), 'zip');
    expect(plan).toMatchObject({ assets: 1, files: 1, left_out: { away: [{ label: 'Old HDD', assets: 3 }], gone: 0 } });
    expect(Object.keys(unzip(bytes))).toEqual(['x.png']);
  });

  // Left alone, yazl says 76 bytes too much between some 700 and 65,534 files. More, and 4 GB, take half a minute each: ADR 21 has them.
  test.each([0, 1, 199, 201, 1_500])('is as long as was said with %i files more', async (count) => {
    const content = randomBytes(3);
    const files = Array.from({ length: count + 1 }, (_, i) => ({ name: `DSC_${i}.jpg`, size_bytes: 3, mtime_ms: i === 0 ? -1e15 : 4e12, sha256: null, places: [] }));
    const zip = openZip(async function* read() { yield content; }, files);
    const out: Buffer[] = [];
    for await (const chunk of zip.bytes) out.push(chunk);
    const bytes = Buffer.concat(out);
    expect(zip.size_bytes).toBe(bytes.length);
    expect(Object.keys(unzip(bytes)).length).toBe(count + 1);
  });
});

test('names are different on file systems that know no case, and what belongs together keeps one stem', () => {
  const file = (name: string, sha256: string | null = 'x') => ({ name, sha256 });
  const units = [[file('IMG_1.HEIC'), file('IMG_1.MOV')], [file('img_1.heic'), file('img_1.mov'), file('img_1.heic.xmp', null), file('IMG_1.aae', null)], [file('IMG_1 (2).HEIC')], [file('a.jpg'), file('A.jpg')], [file('a.jpg')], [file('noending')], [file('noending')]];
  nameAll(units);
  expect(units.map((unit) => unit.map(({ name }) => name))).toEqual([
    ['IMG_1.HEIC', 'IMG_1.MOV'], ['img_1 (2).heic', 'img_1 (2).mov', 'img_1 (2).heic.xmp', 'IMG_1 (2).aae'], ['IMG_1 (2) (2).HEIC'], ['a.jpg', 'A (2).jpg'], ['a (3).jpg'], ['noending'], ['noending (2)'],
  ]);
  const many = Array.from({ length: 20_000 }, () => [file('IMG_0001.JPG')]);
  nameAll(many);
  expect(new Set(many.map(([one]) => one?.name)).size).toBe(20_000);
});
