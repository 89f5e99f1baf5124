// The process that runs FFmpeg (through node-av): one picture out of a video, or a picture in a format that sharp has no decoder
// for. Native decoders of hostile files can crash a process, so this is one of its own. Opens no file: it asks for bytes.
import { DEMUXERS, errorText, openRemote, pixelAspect, rotationOf, serveJobs, turnFilters } from './av-source.ts';

/** What is asked: decode one frame, upright, scaled to fit `maxSide` on its long side. */
export interface FrameJob { type: 'frame'; id: number; format: string; still: boolean; sizeBytes: number; maxSide: number; maxPixels: number }
export interface FrameInfo { width: number | null; height: number | null; durationS: number | null; codec: string | null }
export type FrameReply =
  | { type: 'done'; id: number; info: FrameInfo; pixels: { data: Uint8Array; width: number; height: number; channels: 3 | 4 } | null; reason: string | null; code: 'damaged' | 'too_large' | 'not_media' | 'unsupported' | null };

/** A poster that needs more than this is given up: no drive shall be read through for one picture. */
const MAX_READ_BYTES = 400_000_000;
/** The index is read to and fro. */
const CACHED_BLOCKS = 48;
/** The poster is taken this far in, for first frames are often black. */
const POSTER_AT_S = 1;
const POSTER_AT_SHARE = 0.1;
/** Packets that may pass before a first frame comes out. */
const MAX_PACKETS = 600;

/** FFmpeg's names of pixel formats that hold transparency (palettes may). */
const ALPHA_FORMAT = /^(rgba|bgra|argb|abgr|ya\d|yuva|gbrap|pal8)/;

function filterText(width: number, height: number, rotation: number, alpha: boolean): string {
  return `scale=w=${width}:h=${height}:flags=bicubic+accurate_rnd+full_chroma_int,format=${alpha ? 'rgba' : 'rgb24'}${turnFilters(rotation)}`;
}

async function readFrame(job: FrameJob): Promise<FrameReply> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const info: FrameInfo = { width: null, height: null, durationS: null, codec: null };
  const fail = (code: 'damaged' | 'too_large' | 'not_media' | 'unsupported', reason: string): FrameReply => ({ type: 'done', id: job.id, info, pixels: null, code, reason });
  const demuxer = DEMUXERS[job.format];
  if (!demuxer) return fail('unsupported', `${job.format} cannot be read`);
  let input: Awaited<ReturnType<typeof av.Demuxer.open>> | undefined;
  try {
    try { input = await av.Demuxer.open(openRemote(job, { maxBytes: MAX_READ_BYTES, cachedBlocks: CACHED_BLOCKS, ahead: false }), { format: demuxer }); } catch (error) { return fail('damaged', errorText(error)); }
    // A cover image in a sound file is a video stream to FFmpeg, and no video.
    const stream = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO && (s.disposition & av.AV_DISPOSITION_ATTACHED_PIC) === 0);
    if (!stream) return fail(input.streams.length ? 'not_media' : 'damaged', input.streams.length ? 'it holds sound and no picture' : 'it holds no video');
    const { width, height } = stream.codecpar;
    if (!job.still) info.codec = av.avGetCodecName(stream.codecpar.codecId);
    const duration = input.duration;
    if (!job.still && Number.isFinite(duration) && duration > 0) info.durationS = duration;
    if (width > 0 && height > 0 && width * height > job.maxPixels) return fail('too_large', `${width} x ${height} pixels are more than can be decoded`);
    if (!job.still && info.durationS !== null && info.durationS > 0.5) await input.seek(Math.min(POSTER_AT_S, info.durationS * POSTER_AT_SHARE), -1, av.AVSEEK_FLAG_BACKWARD).catch(() => undefined);
    const aspect = job.still ? 1 : pixelAspect(stream);
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
  } catch (error) { return fail('damaged', errorText(error)); } finally { await input?.close().catch(() => undefined); }
}

serveJobs(readFrame);
