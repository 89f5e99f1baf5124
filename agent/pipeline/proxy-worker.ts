// The process that makes small MP4s, with FFmpeg through node-av (ADR 7): demux, decode, turn upright and shrink, encode, mux.
// Opens no file of the owner's (it asks for bytes) and writes the one path that it is given, in our own data folder.
import { statSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
import type { Decoder, Encoder, FilterAPI, Frame, Packet, Stream } from 'node-av';
import { MAX_PROXY_BYTES, PROXY_SHORT_PX } from '../../protocol/limits.ts';
import type { ProblemCode } from '../../protocol/words.ts';
import { PROXY_ENCODING, ratesFor, type Rates } from './proxy-settings.ts';
import { DEMUXERS, errorText, openRemote, pixelAspect, rotationOf, serveJobs, turnFilters } from './av-source.ts';

/** What is asked: the video of a file whose demuxer is `format`, as an MP4 at `path`. */
export interface ProxyJob { type: 'proxy'; id: number; format: string; sizeBytes: number; maxPixels: number; path: string }
/** `durationS`: what was made of it; `saidS`: what the container says it has. */
export interface ProxyMade { width: number; height: number; durationS: number; saidS: number | null; sizeBytes: number; sound: boolean }
export type ProxyReply = { type: 'done'; id: number; made: ProxyMade; code: null; reason: null } | { type: 'done'; id: number; made: null; code: ProblemCode; reason: string };

/** A demuxer of a broken file may jump to and fro; a sound one reads each byte once, an AVI its index too. */
const READ_FACTOR = 4;
const READ_ROOM_BYTES = 200_000_000;
/** Read through from front to back, in two places at the most where sound and picture lie apart. */
const CACHED_BLOCKS = 12;
/** Each thread of a decoder holds frames: of a 4K film with ten bits 25 MB each. So few, and fewer for those. */
const MAX_DECODER_THREADS = 4;
const LARGE_FRAME_PIXELS = 3_000_000;
const MAX_LARGE_THREADS = 2;
/** Said, not left to FFmpeg: with its own choice the tone mapping of this build gives black. */
const MAX_FILTER_THREADS = 4;
const PROGRESS_EVERY_MS = 1_000;
/** Camcorders' formats may hold two fields a frame; frames that are whole pass untouched. */
const FIELD_FORMATS = new Set(['mpegts', 'mpegps', 'avi']);
/** The least that a picture with one colour for four pixels can have. */
const MIN_SIDE_PX = 2;

// Before any thread is started, for on Linux each inherits it: whoever browses meanwhile comes first.
try { setPriority(constants.priority.PRIORITY_LOW); } catch { /* then at the usual one */ }

type Av = typeof import('node-av');
class Refusal extends Error {
  readonly code: ProblemCode;
  constructor(code: ProblemCode, message: string) { super(message); this.code = code; }
}

/** One stream's way through the codecs. */
interface Chain { decoder: Decoder; encoder: Encoder; out: number; /** What becomes of one frame before it is encoded; null asks for what is still held. */ shape(frame: Frame | null): Iterable<Frame | null> }

async function makeProxy(job: ProxyJob): Promise<ProxyReply> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const open: { close(): unknown }[] = [];
  try {
    return { type: 'done', id: job.id, made: await transcode(av, job, open), code: null, reason: null };
  } catch (error) {
    const reason = errorText(error);
    const code = error instanceof Refusal ? error.code : /no space left/i.test(reason) ? 'disk_full' : 'damaged';
    return { type: 'done', id: job.id, made: null, code, reason };
  } finally {
    for (const each of open.reverse()) await Promise.resolve(each.close()).catch(() => undefined);
  }
}

async function transcode(av: Av, job: ProxyJob, open: { close(): unknown }[]): Promise<ProxyMade> {
  const demuxer = DEMUXERS[job.format];
  if (!demuxer) throw new Refusal('unsupported', `${job.format} cannot be read`);
  const input = await av.Demuxer.open(openRemote(job, { maxBytes: job.sizeBytes * READ_FACTOR + READ_ROOM_BYTES, cachedBlocks: CACHED_BLOCKS, ahead: true }), { format: demuxer });
  open.push(input);
  // A cover image in a sound file is a video stream to FFmpeg, and no video.
  const video = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO && (s.disposition & av.AV_DISPOSITION_ATTACHED_PIC) === 0);
  if (!video) throw new Refusal('not_media', input.streams.length > 0 ? 'it holds sound and no picture' : 'it holds no video');
  // The first that can be decoded: phones add tracks of spatial sound that only they understand.
  const audio = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO && s.codecpar.sampleRate > 0 && av.Codec.findDecoder(s.codecpar.codecId) !== null);
  const saidS = Number.isFinite(input.duration) && input.duration > 0 ? input.duration : null;
  const rates = ratesFor(saidS, job.sizeBytes, audio !== undefined);
  if (!rates) throw new Refusal('too_large', 'it is too long for a small video');
  const muxer = await av.Muxer.open(job.path, { format: 'mp4', options: { movflags: '+faststart' }, useAsyncWrite: false });
  open.push(muxer);

  const chains = new Map<number, Chain>();
  const picture = await openPicture(av, job, video, rates, open);
  chains.set(video.index, { ...picture.chain, out: muxer.addStream(picture.chain.encoder) });
  if (audio) {
    const sound = await openSound(av, audio, rates, open);
    if (sound) chains.set(audio.index, { ...sound, out: muxer.addStream(sound.encoder) });
  }

  // Bytes come over the process's channel, so demuxing waits; everything else is done at once, which costs a third less
  // than a promise for every frame (ADR 7). The codecs use their own threads either way.
  const made = { endS: 0, bytes: 0 };
  const write = (chain: Chain, packet: Packet | null): void => {
    if (!packet) return;
    made.bytes += packet.size;
    if (made.bytes > MAX_PROXY_BYTES) throw new Refusal('too_large', 'its small video would be too large');
    const base = packet.timeBase.num / packet.timeBase.den;
    made.endS = Math.max(made.endS, Number(packet.pts + packet.duration) * base);
    muxer.writePacketSync(packet, chain.out);
    packet.free();
  };
  const shrink = (chain: Chain, frame: Frame | null): void => {
    for (const small of chain.shape(frame)) {
      if (!small) continue;
      // Applied already; the encoder would hand it on, and a player would turn the picture a second time.
      small.removeSideData(av.AV_FRAME_DATA_DISPLAYMATRIX);
      for (const packet of chain.encoder.packetsSync(small)) write(chain, packet);
      small.free();
    }
  };
  const decode = (chain: Chain, packet: Packet | null): void => {
    for (const frame of chain.decoder.framesSync(packet)) {
      if (!frame) continue;
      shrink(chain, frame);
      frame.free();
    }
  };
  let told = 0;
  for await (const packet of input.packets()) {
    if (!packet) break;
    const chain = chains.get(packet.streamIndex);
    if (chain) decode(chain, packet);
    packet.free();
    if (Date.now() - told > PROGRESS_EVERY_MS) { told = Date.now(); process.send?.({ type: 'progress' }); }
  }
  for (const chain of chains.values()) decode(chain, null);
  if (picture.size() === null) throw new Refusal('damaged', 'no picture in it could be decoded');
  for (const chain of chains.values()) {
    shrink(chain, null);
    for (const packet of chain.encoder.packetsSync(null)) write(chain, packet);
  }
  await muxer.close();
  const { width, height } = picture.size() ?? { width: 0, height: 0 };
  return { width, height, durationS: made.endS, saidS, sizeBytes: statSync(job.path).size, sound: chains.size > 1 };
}

interface Size { width: number; height: number }

async function openPicture(av: Av, job: ProxyJob, stream: Stream, rates: Rates, open: { close(): unknown }[]): Promise<{ chain: Omit<Chain, 'out'>; size(): Size | null }> {
  const { width, height } = stream.codecpar;
  const checkSize = (w: number, h: number): void => { if (w * h > job.maxPixels) throw new Refusal('too_large', `${w} x ${h} pixels are more than can be decoded`); };
  checkSize(width, height);
  const threads = Math.min(availableParallelism(), width * height > LARGE_FRAME_PIXELS ? MAX_LARGE_THREADS : MAX_DECODER_THREADS);
  const decoder = await av.Decoder.create(stream, { exitOnError: false, context: { threadCount: threads } }).catch((error: unknown) => { throw new Refusal('unsupported', errorText(error)); });
  open.push(decoder);
  const aspect = pixelAspect(stream);
  const rotation = rotationOf(stream.codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX));
  const average = stream.avgFrameRate.den > 0 ? stream.avgFrameRate.num / stream.avgFrameRate.den : 0;
  const fps = average > 0.1 ? Math.min(average, PROXY_ENCODING.maxFps) : PROXY_ENCODING.maxFps;
  if (!av.Codec.findEncoderByName(av.FF_ENCODER_LIBX264)) throw new Refusal('unsupported', 'this FFmpeg has no H.264 encoder');

  const encoder = await av.Encoder.create(av.FF_ENCODER_LIBX264, {
    // Not as `options`: node-av 6.1.1 frees that dictionary twice when the encoder is opened at once and it is collected later.
    configure: (context) => {
      for (const [name, value] of Object.entries({ preset: PROXY_ENCODING.preset, crf: String(PROXY_ENCODING.crf), profile: 'high' })) av.FFmpegError.throwIfError(context.setOption(name, value), name);
    },
    context: {
      // Times of a phone are not a grid: they are kept as they are, on a clock that all usual rates divide.
      timeBase: new av.Rational(1, 90_000), framerate: new av.Rational(Math.round(fps * 1000), 1000),
      bitRate: 0, rcMaxRate: rates.videoBps, rcBufferSize: rates.videoBps * 2, gopSize: Math.max(1, Math.round(fps * PROXY_ENCODING.keyEveryS)), threadCount: 0,
    },
  });
  open.push(encoder);

  let size: Size | null = null;
  let filter: FilterAPI | null = null;
  let due = -Infinity, last = -Infinity;
  const isWanted = (frame: Frame): boolean => {
    if (frame.width < 1 || frame.height < 1) return false;
    checkSize(frame.width, frame.height);
    // A rate beyond what is shown costs time and bytes: frames that come too early are left out. None may come twice.
    const at = Number(frame.pts) * frame.timeBase.num / frame.timeBase.den;
    if (!Number.isFinite(at) || at <= last) return false;
    const step = 1 / PROXY_ENCODING.maxFps;
    if (at + step / 4 < due) return false;
    due = due === -Infinity ? at + step : Math.max(due + step, at + step / 2);
    last = at;
    return true;
  };
  const openFilter = (frame: Frame): FilterAPI => {
    const shown = Math.max(1, Math.round(frame.width * aspect));
    const scale = Math.min(1, PROXY_SHORT_PX / Math.min(shown, frame.height));
    const even = (n: number): number => { const wanted = Math.round((n * scale) / 2) * 2; return Math.max(MIN_SIDE_PX, wanted > n ? wanted - 2 : wanted); };
    const w = even(shown), h = even(frame.height);
    size = rotation % 180 === 0 ? { width: w, height: h } : { width: h, height: w };
    const made = av.FilterAPI.create(pictureFilters(av, job.format, frame, w, h, rotation), { graph: { nbThreads: Math.min(availableParallelism(), MAX_FILTER_THREADS) } });
    open.push(made);
    return made;
  };
  const shape = (frame: Frame | null): Iterable<Frame | null> => {
    if (frame === null) return filter?.framesSync(null) ?? [];
    return isWanted(frame) ? (filter ??= openFilter(frame)).framesSync(frame) : [];
  };
  return { chain: { decoder, encoder, shape }, size: () => size };
}

/**
 * From the source's picture to 8 bits in the usual colours, small and upright. Film for HDR screens (PQ, HLG) is mapped to
 * what all screens show: light made linear at the small size, its highlights rolled off (Hable's curve), then BT.709.
 */
function pictureFilters(av: Av, format: string, frame: Frame, width: number, height: number, rotation: number): string {
  const hdr = frame.colorTrc === av.AVCOL_TRC_SMPTE2084 || frame.colorTrc === av.AVCOL_TRC_ARIB_STD_B67;
  const interlaced = FIELD_FORMATS.has(format) ? 'yadif=deint=interlaced,' : '';
  const scale = `${interlaced}scale=w=${width}:h=${height}:flags=bicubic${hdr ? '' : ':out_range=tv'}`;
  const colours = hdr ? ',zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,zscale=t=bt709:m=bt709:r=tv' : '';
  return `${scale}${colours},format=yuv420p,setsar=1${turnFilters(rotation)}`;
}

async function openSound(av: Av, stream: Stream, rates: Rates, open: { close(): unknown }[]): Promise<Omit<Chain, 'out'> | null> {
  try {
    const decoder = await av.Decoder.create(stream, { exitOnError: false });
    // Gaps are filled and drifts evened out, so that sound and picture stay together.
    const filter = av.FilterAPI.create('aresample=async=1000,aformat=sample_fmts=fltp:sample_rates=44100|48000:channel_layouts=mono|stereo');
    const encoder = await av.Encoder.create(av.FF_ENCODER_AAC, { filter, context: { bitRate: rates.soundBps } });
    open.push(decoder, filter, encoder);
    return { decoder, encoder, shape: (frame) => filter.framesSync(frame) };
  } catch { return null; }
}

serveJobs(makeProxy);
