// What the FFmpeg processes (video-worker.ts, proxy-worker.ts) share: the file as FFmpeg wants to see it, fed from the agent, and
// the few words of FFmpeg that both need. Runs in the child; opens no file.

export interface BytesReply { type: 'bytes'; readId: number; bytes: Uint8Array | null }
export interface ReadRequest { type: 'read'; id: number; readId: number; offset: number; length: number }

/** FFmpeg's demuxers for our formats. */
export const DEMUXERS: Record<string, string> = {
  mp4: 'mov', mov: 'mov', '3gp': 'mov', matroska: 'matroska', webm: 'matroska', avi: 'avi', asf: 'asf', mpegts: 'mpegts', mpegps: 'mpeg', flv: 'flv', ogg: 'ogg',
  jpeg: 'jpeg_pipe', jxl: 'jpegxl_pipe', bmp: 'bmp_pipe', jp2: 'j2k_pipe', j2c: 'j2k_pipe',
};
/** One request for bytes. */
const BLOCK_BYTES = 512 * 1024;

const pending = new Map<number, (bytes: Buffer | null) => void>();
let nextRead = 1;

function requestBytes(id: number, offset: number, length: number): Promise<Buffer | null> {
  const readId = nextRead++;
  return new Promise((resolve) => {
    pending.set(readId, resolve);
    process.send?.({ type: 'read', id, readId, offset, length } satisfies ReadRequest);
  });
}

/** Runs `work` for every job that the agent sends, and sends what it answers. Ends with the agent. */
export function serveJobs<Job extends { type: string }, Reply>(work: (job: Job) => Promise<Reply>): void {
  process.on('message', (message: Job | BytesReply) => {
    if (message.type === 'bytes') {
      const { readId, bytes } = message as BytesReply;
      const resolve = pending.get(readId);
      pending.delete(readId);
      resolve?.(bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null);
      return;
    }
    void work(message as Job).then((reply) => process.send?.(reply));
  });
  // The agent is gone: nothing is left to answer.
  process.on('disconnect', () => process.exit(0));
}

export interface RemoteFile { read(size: number): Promise<Buffer | null>; seek(offset: bigint, whence: number): bigint }

/**
 * Reads at a moving position through a cache of a few blocks; `maxBytes` in all, then it reads as ended. With `ahead` the
 * next block is asked for while this one is worked on.
 */
export function openRemote(job: { id: number; sizeBytes: number }, { maxBytes, cachedBlocks, ahead }: { maxBytes: number; cachedBlocks: number; ahead: boolean }): RemoteFile {
  const blocks = new Map<number, Promise<Buffer | null>>();
  let position = 0, total = 0;
  const block = (index: number): Promise<Buffer | null> => {
    let found = blocks.get(index);
    if (!found) {
      total += BLOCK_BYTES;
      if (total > maxBytes) return Promise.resolve(null);
      found = requestBytes(job.id, index * BLOCK_BYTES, Math.min(BLOCK_BYTES, job.sizeBytes - index * BLOCK_BYTES));
      blocks.set(index, found);
      if (blocks.size > cachedBlocks) { const oldest = blocks.keys().next().value; if (oldest !== undefined) blocks.delete(oldest); }
    }
    return found;
  };
  return {
    async read(size) {
      if (position >= job.sizeBytes || position < 0) return null;
      const index = Math.floor(position / BLOCK_BYTES);
      const wanted = block(index);
      if (ahead && (index + 1) * BLOCK_BYTES < job.sizeBytes) void block(index + 1);
      const bytes = await wanted;
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
export function rotationOf(matrix: Buffer | null | undefined): number {
  if (!matrix || matrix.length < 36) return 0;
  const degrees = (Math.atan2(matrix.readInt32LE(4), matrix.readInt32LE(0)) * 180) / Math.PI;
  return ((Math.round(degrees / 90) * 90) % 360 + 360) % 360;
}

/** The filters that turn a frame upright, each with a comma before it. */
export function turnFilters(rotation: number): string {
  return rotation === 90 ? ',transpose=clock' : rotation === 270 ? ',transpose=cclock' : rotation === 180 ? ',hflip,vflip' : '';
}

interface Ratio { num: number; den: number }

/** Width of a shown pixel against its height; 1 where a stream says nothing or nonsense. */
export function pixelAspect(stream: { sampleAspectRatio: Ratio; codecpar: { sampleAspectRatio: Ratio } }): number {
  const sar = stream.sampleAspectRatio.num > 0 && stream.sampleAspectRatio.den > 0 ? stream.sampleAspectRatio : stream.codecpar.sampleAspectRatio;
  return sar.num > 0 && sar.den > 0 && sar.num / sar.den > 0.2 && sar.num / sar.den < 5 ? sar.num / sar.den : 1;
}

export function errorText(error: unknown): string { return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 160); }
