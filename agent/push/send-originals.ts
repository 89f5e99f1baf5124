// Originals to a browser, through the Worker: reads them one after the other, hashes them on the way, and pushes them in parts, the
// next only when there is room for it. Whatever is not as it was promised breaks the download; nothing is ever sent short as whole.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { TRANSFER_PART_BYTES } from '../../protocol/limits.ts';
import type { RequestArgs } from '../../protocol/link.ts';
import type { TransferEnd, TransferPlan } from '../../protocol/transfer.ts';
import { isDataless, sameStat, type OpenFile } from '../files/access.ts';
import { FileError, isDeviceTrouble } from '../files/errors.ts';
import { DriveLeft, driveName, openRun, type OrderContext, type Run } from '../orders/context.ts';
import type { Volume } from '../volumes/types.ts';
import { absolutePath } from '../volumes/identify.ts';
import { endTransfer, pushTransferPart, waitForRoom, WorkerRefused, type WorkerAddress } from './client.ts';
import { findOriginals, type Original, type Originals } from './originals.ts';

/** Each takes a drive's head and some 20 MB. */
const MAX_AT_ONCE = 3;
const READ_BYTES = 1024 * 1024;
/** A drive is looked for again at each file, but no more often than this. */
const LOOK_AGAIN_MS = 2_000;
/** yazl tells a zip's length 76 bytes wrong between some 700 and 65,534 files, unless the 64-bit end record is asked for (ADR 21). */
const MANY_FILES = 200;
/** What both of a zip's clocks can say. */
const [FIRST_MS, LAST_MS] = [Date.UTC(1980, 0, 2), Date.UTC(2038, 0, 18)];

export interface SenderOptions extends Pick<OrderContext, 'catalog' | 'files' | 'volumes' | 'now' | 'sidecarsOf' | 'signal'> {
  worker: WorkerAddress;
  warn(line: string): void;
  /** Before each: tests change what fails. */
  refresh(): void;
}

export interface Sender {
  /** What will be sent; it is under way when this resolves. Throws a sentence where too many are. */
  send(asked: RequestArgs<'send_originals'>): Promise<TransferPlan>;
  /** Resolves when nothing is sent any more. */
  settled(): Promise<void>;
}

/** Why a transfer broke, for people. */
class Broken extends Error {
  readonly outcome: TransferEnd['outcome'];
  constructor(outcome: TransferEnd['outcome'], message: string) { super(message); this.name = 'Broken'; this.outcome = outcome; }
}

export function createSender(ctx: SenderOptions): Sender {
  const running = new Map<string, Promise<void>>();

  async function send(asked: RequestArgs<'send_originals'>): Promise<TransferPlan> {
    if (running.size >= MAX_AT_ONCE) throw new Error(`${MAX_AT_ONCE} downloads of originals are under way. Wait until one has ended.`);
    if (running.has(asked.transfer_id)) throw new Error('This transfer is under way.');
    let plan: TransferPlan | undefined;
    let ended = () => {};
    // It counts from here on, so that two that are asked for at once cannot pass together.
    running.set(asked.transfer_id, new Promise((done) => { ended = done; }));
    try {
      ctx.refresh();
      const run = openRun(ctx, `transfer ${asked.transfer_id}`);
      const found = await findOriginals(ctx, run, asked);
      const first = found.files[0];
      plan = { name: '', size_bytes: 0, assets: found.assets, files: found.files.length, left_out: found.left_out };
      if (!first) return plan;
      const reader = createReader(ctx, run);
      const zip = asked.as === 'zip' ? openZip(reader, found.files) : undefined;
      plan = { ...plan, name: zip ? 'jharokha-originals.zip' : first.name, size_bytes: zip?.size_bytes ?? first.size_bytes };
      void carry(asked.transfer_id, found, zip?.bytes ?? reader(first)).finally(() => { running.delete(asked.transfer_id); ended(); });
      return plan;
    } finally { if (!plan || plan.files === 0) { running.delete(asked.transfer_id); ended(); } }
  }

  /** Never throws: how it ended is told to the Worker, and what went wrong said here. */
  async function carry(id: string, { files }: Originals, bytes: AsyncIterable<Buffer>): Promise<void> {
    let end: TransferEnd = { outcome: 'sent', reason: null };
    try { await pushParts(id, bytes); } catch (error) {
      // Nobody waits for it any more: no fault, and nobody to tell.
      if (error instanceof WorkerRefused && error.status === 410) return;
      const reason = (error instanceof Error ? error.message : String(error)).slice(0, 900);
      end = ctx.signal.aborted ? { outcome: 'stopped', reason: 'Jharokha was ended on the computer that has the photos.' } : { outcome: error instanceof Broken ? error.outcome : 'failed', reason };
      ctx.warn(`A download of ${files.length === 1 ? 'an original' : `${files.length} originals`} broke: ${end.reason ?? ''}`);
    }
    await endTransfer(ctx.worker, id, end).catch(() => { /* The Worker hears nothing more, and breaks it off by itself. */ });
  }

  /** The last part leaves only after all that was read has been found right. */
  async function pushParts(id: string, bytes: AsyncIterable<Buffer>): Promise<void> {
    let [filling, resting] = [Buffer.allocUnsafeSlow(TRANSFER_PART_BYTES), Buffer.allocUnsafeSlow(TRANSFER_PART_BYTES)];
    let [at, n] = [0, 0];
    // One part is on its way while the next is read.
    let sending = Promise.resolve();
    const flush = async (): Promise<void> => {
      await sending;
      sending = pushPart(id, n, filling.subarray(0, at));
      sending.catch(() => { /* thrown at the next flush */ });
      [filling, resting] = [resting, filling];
      n += 1;
      at = 0;
    };
    for await (const chunk of bytes) {
      if (ctx.signal.aborted) throw new Error('stopped');
      for (let from = 0; from < chunk.length;) {
        if (at === TRANSFER_PART_BYTES) await flush();
        const length = Math.min(chunk.length - from, TRANSFER_PART_BYTES - at);
        chunk.copy(filling, at, from, from + length);
        at += length;
        from += length;
      }
    }
    await flush();
    await sending;
  }

  async function pushPart(id: string, n: number, bytes: Buffer<ArrayBuffer>): Promise<void> {
    let room = await pushTransferPart(ctx.worker, id, n, bytes, ctx.signal);
    while (!room) room = await waitForRoom(ctx.worker, id, ctx.signal);
  }

  return { send, settled: async () => { await Promise.all(running.values()); } };
}

type ReadOriginal = (original: Original) => AsyncGenerator<Buffer>;

function createReader(ctx: SenderOptions, run: Run): ReadOriginal {
  const lookedAt = new Map<string, { volume: Volume; at: number }>();
  const find = async (volumeId: string): Promise<Volume> => {
    const known = lookedAt.get(volumeId);
    if (known && Date.now() - known.at < LOOK_AGAIN_MS) return known.volume;
    const volume = await run.at(volumeId);
    lookedAt.set(volumeId, { volume, at: Date.now() });
    return volume;
  };

  /** The first of its copies that can be read and has the size that was promised. */
  async function open(original: Original): Promise<{ file: OpenFile; where: string; volume_id: string }> {
    let trouble: Broken | undefined;
    for (const { volume_id, path } of original.places) {
      const where = `‘${path}’ on ‘${driveName(ctx.catalog, volume_id)}’`;
      try {
        const absolute = absolutePath((await find(volume_id)).mount_point, path);
        // Looked at before it is opened: to open what lies in a cloud would fetch it.
        const stat = ctx.files.lstat(absolute);
        if (!stat.isFile() || stat.size !== original.size_bytes || isDataless(stat, ctx.files.platform)) { trouble ??= new Broken('changed', `${where} is not as it was a moment ago.`); continue; }
        const file = await ctx.files.open(absolute);
        if (sameStat(stat, file.stat)) return { file, where, volume_id };
        await file.close();
        trouble ??= new Broken('changed', `${where} is not as it was a moment ago.`);
      } catch (error) { trouble ??= explain(error, where, driveName(ctx.catalog, volume_id)); }
    }
    throw trouble ?? new Broken('failed', 'There is no copy to read.');
  }

  return async function* read(original) {
    const { file, where, volume_id } = await open(original);
    const hash = original.sha256 === null ? undefined : createHash('sha256');
    try {
      for (let at = 0; at < original.size_bytes;) {
        const chunk = await file.read(at, Math.min(READ_BYTES, original.size_bytes - at));
        if (chunk.length === 0) throw new Broken('changed', `${where} became shorter while it was being read.`);
        hash?.update(chunk);
        at += chunk.length;
        yield chunk;
      }
      // A drive that left may have been read to the end out of memory.
      if (!sameStat(file.stat, ctx.files.lstat(file.path))) throw new Broken('changed', `${where} changed while it was being read.`);
      const found = hash?.digest('hex');
      if (found !== undefined && found !== original.sha256) throw new Broken('changed', `${where} has other bytes than when it was indexed: SHA-256 ${found}, not ${original.sha256 ?? ''}. Verify this drive.`);
    } catch (error) { throw explain(error, where, driveName(ctx.catalog, volume_id)); } finally { await file.close(); }
  };
}

function explain(error: unknown, where: string, drive: string): Broken {
  if (error instanceof Broken) return error;
  if (error instanceof DriveLeft || (error instanceof FileError && isDeviceTrouble(error))) return new Broken('away', `${where} could not be read to its end: ‘${drive}’ left, or gives errors.`);
  return new Broken('failed', `${where}: ${error instanceof Error ? error.message : String(error)}`);
}

/** The files as they are in one zip, of a length that is known before any is read. The first is opened at once. */
export function openZip(read: ReadOriginal, files: readonly Original[]): { size_bytes: number; bytes: AsyncIterable<Buffer> } {
  const zip = new ZipFile();
  const out = zip.outputStream as Readable;
  let reading: Readable | undefined;
  zip.on('error', (error: Error) => { out.destroy(error); });
  for (const file of files) {
    zip.addReadStreamLazy(file.name, { compress: false, size: file.size_bytes, mtime: new Date(Math.min(LAST_MS, Math.max(FIRST_MS, file.mtime_ms))) }, (ready) => {
      reading = Readable.from(read(file), { objectMode: false, highWaterMark: READ_BYTES });
      reading.on('error', (error) => { out.destroy(error); });
      ready(null, reading);
    });
  }
  let size = -1;
  zip.end({ forceZip64Format: files.length > MANY_FILES } as Parameters<ZipFile['end']>[0], ((total: number) => { size = total; }) as () => void);
  if (size < 0) throw new Error('the length of a zip is not known');
  return {
    size_bytes: size,
    bytes: (async function* bytes() {
      try { for await (const chunk of out) yield chunk as Buffer; } finally { reading?.destroy(); }
    })(),
  };
}
