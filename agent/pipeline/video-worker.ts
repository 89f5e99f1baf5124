// The process that runs FFmpeg (through node-av): one picture out of a video, or a picture in a format that sharp has no decoder
// for. Native decoders of hostile files can crash a process, so this is one of its own. Opens no file: it asks video.ts for bytes.

/** What is asked: decode one frame, upright, scaled to fit `maxSide` on its long side. */
export interface FrameJob { type: 'frame'; id: number; format: string; still: boolean; sizeBytes: number; maxSide: number; maxPixels: number }
export interface BytesReply { type: 'bytes'; readId: number; bytes: Uint8Array | null }
export interface ReadRequest { type: 'read'; id: number; readId: number; offset: number; length: number }
export interface FrameInfo { width: number | null; height: number | null; durationS: number | null }
export type FrameReply =
  | { type: 'done'; id: number; info: FrameInfo; pixels: { data: Uint8Array; width: number; height: number; channels: 3 | 4 } | null; reason: string | null; code: 'damaged' | 'too_large' | 'not_media' | 'unsupported' | null };

/** FFmpeg's demuxers for our formats. */
const DEMUXERS: Record<string, string> = {
  mp4: 'mov', mov: 'mov', '3gp': 'mov', matroska: 'matroska', webm: 'matroska', avi: 'avi', asf: 'asf', mpegts: 'mpegts', mpegps: 'mpeg', flv: 'flv', ogg: 'ogg',
  jpeg: 'jpeg_pipe', jxl: 'jpegxl_pipe', bmp: 'bmp_pipe', jp2: 'j2k_pipe', j2c: 'j2k_pipe',
};
/** One request for bytes; a poster needs the index and a few frames. */
const BLOCK_BYTES = 512 * 1024;
const MAX_CACHED_BLOCKS = 48;
/** A poster that needs more than this is given up: no drive shall be read through for one picture. */
const MAX_READ_BYTES = 400_000_000;
/** The poster is taken this far in, for first frames are often black. */
const POSTER_AT_S = 1;
const POSTER_AT_SHARE = 0.1;
/** Packets that may pass before a first frame comes out. */
const MAX_PACKETS = 600;

/** FFmpeg's names of pixel formats that hold transparency (palettes may). */
const ALPHA_FORMAT = /^(rgba|bgra|argb|abgr|ya\d|yuva|gbrap|pal8)/;

const pending = new Map<number, (bytes: Buffer | null) => void>();
let nextRead = 1;

function requestBytes(id: number, offset: number, length: number): Promise<Buffer | null> {
  const readId = nextRead++;
  return new Promise((resolve) => {
    pending.set(readId, resolve);
    process.send?.({ type: 'read', id, readId, offset, length } satisfies ReadRequest);
  });
}

/** The file as FFmpeg wants to see it: reads at a moving position, through a small cache of blocks. */
function openRemote(job: FrameJob): { read(size: number): Promise<Buffer | null>; seek(offset: bigint, whence: number): bigint } {
  const blocks = new Map<number, Promise<Buffer | null>>();
  let position = 0, total = 0;
  const block = (index: number): Promise<Buffer | null> => {
    let found = blocks.get(index);
    if (!found) {
      total += BLOCK_BYTES;
      if (total > MAX_READ_BYTES) return Promise.resolve(null);
      found = requestBytes(job.id, index * BLOCK_BYTES, Math.min(BLOCK_BYTES, job.sizeBytes - index * BLOCK_BYTES));
      blocks.set(index, found);
      if (blocks.size > MAX_CACHED_BLOCKS) { const oldest = blocks.keys().next().value; if (oldest !== undefined) blocks.delete(oldest); }
    }
    return found;
  };
  return {
    async read(size) {
      if (position >= job.sizeBytes || position < 0) return null;
      const bytes = await block(Math.floor(position / BLOCK_BYTES));
      const from = position % BLOCK_BYTES;
      if (!bytes || from >= bytes.length) return null;
      const part = bytes.subarray(from, from + size);
      position += part.length;
      return part;
    },
    seek(offset, whence) {
      const AVSEEK_SIZE = 0x10000;
      const n = Number(offset);
      if (whence === AVSEEK_SIZE) return BigInt(job.sizeBytes);
      position = whence === 1 ? position + n : whence === 2 ? job.sizeBytes + n : n;
      return BigInt(position);
    },
  };
}

/** Degrees clockwise that a display matrix asks for (ISO 14496-12, 6.2.2): a multiple of 90. */
function rotationOf(matrix: Buffer | null | undefined): number {
  if (!matrix || matrix.length < 36) return 0;
  const degrees = (Math.atan2(matrix.readInt32LE(4), matrix.readInt32LE(0)) * 180) / Math.PI;
  return ((Math.round(degrees / 90) * 90) % 360 + 360) % 360;
}

function filterText(width: number, height: number, rotation: number, alpha: boolean): string {
  const turn = rotation === 90 ? ',transpose=clock' : rotation === 270 ? ',transpose=cclock' : rotation === 180 ? ',hflip,vflip' : '';
  return `scale=w=${width}:h=${height}:flags=bicubic+accurate_rnd+full_chroma_int,format=${alpha ? 'rgba' : 'rgb24'}${turn}`;
}

async function readFrame(job: FrameJob): Promise<FrameReply> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const info: FrameInfo = { width: null, height: null, durationS: null };
  const fail = (code: 'damaged' | 'too_large' | 'not_media' | 'unsupported', reason: string): FrameReply => ({ type: 'done', id: job.id, info, pixels: null, code, reason });
  const demuxer = DEMUXERS[job.format];
  if (!demuxer) return fail('unsupported', `${job.format} cannot be read`);
  let input: Awaited<ReturnType<typeof av.Demuxer.open>> | undefined;
  try {
    try { input = await av.Demuxer.open(openRemote(job), { format: demuxer }); } catch (error) { return fail('damaged', text(error)); }
    // A cover image in a sound file is a video stream to FFmpeg, and no video.
    const stream = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO && (s.disposition & av.AV_DISPOSITION_ATTACHED_PIC) === 0);
    if (!stream) return fail(input.streams.length ? 'not_media' : 'damaged', input.streams.length ? 'it holds sound and no picture' : 'it holds no video');
    const { width, height } = stream.codecpar;
    const duration = input.duration;
    if (!job.still && Number.isFinite(duration) && duration > 0) info.durationS = duration;
    if (width > 0 && height > 0 && width * height > job.maxPixels) return fail('too_large', `${width} x ${height} pixels are more than can be decoded`);
    if (!job.still && info.durationS !== null && info.durationS > 0.5) await input.seek(Math.min(POSTER_AT_S, info.durationS * POSTER_AT_SHARE), -1, av.AVSEEK_FLAG_BACKWARD).catch(() => undefined);
    const sar = stream.sampleAspectRatio.num > 0 && stream.sampleAspectRatio.den > 0 ? stream.sampleAspectRatio : stream.codecpar.sampleAspectRatio;
    const aspect = !job.still && sar.num > 0 && sar.den > 0 && sar.num / sar.den > 0.2 && sar.num / sar.den < 5 ? sar.num / sar.den : 1;
    const rotation = job.still ? 0 : rotationOf(stream.codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX));
    const setSize = (w: number, h: number): void => {
      const shown = Math.max(1, Math.round(w * aspect));
      info.width = rotation % 180 === 0 ? shown : h;
      info.height = rotation % 180 === 0 ? h : shown;
    };
    if (width > 0 && height > 0) setSize(width, height);
    using decoder = await av.Decoder.create(stream, { exitOnError: false });
    let packets = 0;
    const some = (async function* (source: AsyncIterable<unknown>) { for await (const packet of source) { if (packets++ > MAX_PACKETS) return; yield packet; } })(input.packets(stream.index)) as ReturnType<typeof input.packets>;
    for await (const frame of decoder.frames(some)) {
      if (!frame || frame.width < 1 || frame.height < 1) continue;
      if (frame.width * frame.height > job.maxPixels) return fail('too_large', `${frame.width} x ${frame.height} pixels are more than can be decoded`);
      setSize(frame.width, frame.height);
      const shown = Math.max(1, Math.round(frame.width * aspect));
      const scale = Math.min(1, job.maxSide / Math.max(shown, frame.height));
      const alpha = job.still && ALPHA_FORMAT.test(av.avGetPixFmtName(frame.format as Parameters<typeof av.avGetPixFmtName>[0]) ?? '');
      const w = Math.max(1, Math.round(shown * scale)), h = Math.max(1, Math.round(frame.height * scale));
      using filter = av.FilterAPI.create(filterText(w, h, rotation, alpha), { threads: 1 });
      for await (const out of filter.frames(frame)) {
        if (!out) continue;
        return { type: 'done', id: job.id, info, pixels: { data: out.toBuffer(), width: out.width, height: out.height, channels: alpha ? 4 : 3 }, code: null, reason: null };
      }
    }
    return fail('damaged', 'no picture in it could be decoded');
  } catch (error) { return fail('damaged', text(error)); } finally { await input?.close().catch(() => undefined); }
}

function text(error: unknown): string { return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 160); }

process.on('message', (message: FrameJob | BytesReply) => {
  if (message.type === 'bytes') {
    const resolve = pending.get(message.readId);
    pending.delete(message.readId);
    resolve?.(message.bytes ? Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength) : null);
    return;
  }
  void readFrame(message).then((reply) => process.send?.(reply));
});
// The agent is gone: nothing is left to answer.
process.on('disconnect', () => process.exit(0));
