// Short videos with moving time, sound, turns, places and HDR colours, made on the spot with FFmpeg through node-av.
import { readFileSync, writeFileSync } from 'node:fs';
import { cornerPixels } from './make-media.ts';

export interface ClipOptions {
  path: string; seconds?: number; width?: number; height?: number; fps?: number; sound?: boolean; picture?: boolean;
  format?: 'mp4' | 'mov' | 'avi' | 'matroska' | 'mpegts' | 'asf';
  /** FFmpeg's name of the video's encoder. */
  codec?: 'mpeg4' | 'libx264';
  /** Ten bits in HLG, as phones film. */
  hdr?: boolean;
  /** Index at the front, so that a clip that is cut off can still be read. */
  indexFirst?: boolean;
  /** Noise in every picture, so that it does not compress to nothing. */
  noise?: boolean;
  /** Paints the i-th picture's RGB pixels instead. */
  paint?: (rgb: Buffer, i: number) => void;
  bitsPerS?: number;
}

/** A clip of the picture that `cornerPixels` paints: red left, blue right, green in the top-left corner. */
export async function makeClip(options: ClipOptions): Promise<void> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const { path, seconds = 2, width = 64, height = 48, fps = 10, sound = false, picture = true, format = 'mp4', codec = 'libx264', hdr = false } = options;
  const muxer = await av.Muxer.open(path, { format, ...(options.indexFirst ? { options: { movflags: '+faststart' } } : {}) } as Parameters<typeof av.Muxer.open>[1]);
  const video = picture ? await av.Encoder.create(codec as Parameters<typeof av.Encoder.create>[0], {
    context: { bitRate: options.bitsPerS ?? (options.noise ? 8_000_000 : 600_000), framerate: new av.Rational(fps, 1), ...(hdr ? { colorTrc: av.AVCOL_TRC_ARIB_STD_B67, colorPrimaries: av.AVCOL_PRI_BT2020, colorSpace: av.AVCOL_SPC_BT2020_NCL } : {}) },
  }) : undefined;
  const audio = sound ? await av.Encoder.create((format === 'asf' ? 'wmav2' : format === 'avi' ? 'mp2' : 'aac') as Parameters<typeof av.Encoder.create>[0], { autoResample: true, context: { bitRate: 64_000 } }) : undefined;
  const videoOut = video ? muxer.addStream(video) : 0, audioOut = audio ? muxer.addStream(audio) : 0;
  const pixelFormat = hdr ? av.AV_PIX_FMT_YUV420P10LE : av.AV_PIX_FMT_YUV420P;
  const yuv = new av.SoftwareScaleContext();
  yuv.getContext(width, height, av.AV_PIX_FMT_RGB24, width, height, pixelFormat);
  const rgb = cornerPixels(width, height);
  for (let i = 0; video && i < Math.round(seconds * fps); i += 1) {
    // A generator of its own a frame: the same clip every time.
    if (options.noise) for (let at = 0, x = i * 7_919 + 1; at < rgb.length; at += 1) { x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0; rgb[at] = x >>> 24; }
    options.paint?.(rgb, i);
    const source = av.Frame.fromVideoBuffer(rgb, { width, height, format: av.AV_PIX_FMT_RGB24, timeBase: { num: 1, den: fps } });
    const frame = new av.Frame();
    frame.alloc();
    Object.assign(frame, { width, height, format: pixelFormat, ...(hdr ? { colorTrc: av.AVCOL_TRC_ARIB_STD_B67, colorPrimaries: av.AVCOL_PRI_BT2020, colorSpace: av.AVCOL_SPC_BT2020_NCL } : {}) });
    frame.allocBuffer();
    await yuv.scaleFrame(frame, source);
    frame.pts = BigInt(i);
    frame.timeBase = new av.Rational(1, fps);
    for await (const packet of video.packets(frame)) if (packet) await muxer.writePacket(packet, videoOut);
    source.free();
    frame.free();
  }
  const RATE = 44_100, SAMPLES = 1_024;
  for (let i = 0; audio && i * SAMPLES < seconds * RATE; i += 1) {
    const samples = Buffer.alloc(SAMPLES * 2);
    for (let s = 0; s < SAMPLES; s += 1) samples.writeInt16LE(Math.round(8_000 * Math.sin(((i * SAMPLES + s) / RATE) * 2 * Math.PI * 440)), s * 2);
    const frame = av.Frame.fromAudioBuffer(samples, { sampleRate: RATE, nbSamples: SAMPLES, format: av.AV_SAMPLE_FMT_S16, channelLayout: av.AV_CHANNEL_LAYOUT_MONO, timeBase: { num: 1, den: RATE } });
    frame.pts = BigInt(i * SAMPLES);
    for await (const packet of audio.packets(frame)) if (packet) await muxer.writePacket(packet, audioOut);
    frame.free();
  }
  if (video) for await (const packet of video.packets(null)) if (packet) await muxer.writePacket(packet, videoOut);
  if (audio) for await (const packet of audio.packets(null)) if (packet) await muxer.writePacket(packet, audioOut);
  await muxer.close();
  video?.close();
  audio?.close();
  yuv.freeContext();
}

/** Rewrites the display matrix of an MP4's first track: a player then turns it clockwise by so many degrees. */
export function turnMp4(path: string, degrees: 90 | 180 | 270): void {
  const bytes = readFileSync(path);
  const matrix = bytes.indexOf('tkhd') + 4 + 40;
  const [cos, sin] = degrees === 90 ? [0, 1] : degrees === 180 ? [-1, 0] : [0, -1];
  [cos, sin, 0, -sin, cos, 0, 0, 0].forEach((value, i) => bytes.writeInt32BE(value * 65_536, matrix + i * 4));
  writeFileSync(path, bytes);
}

/** Adds text tags (`\xa9xyz` is a place, `\xa9nam` a title) to an MP4 whose index comes last, as cameras write them. */
export function tagMp4(bytes: Buffer, tags: Record<string, string>): Buffer {
  const box = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(content.length + 8);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const udta = box('udta', Buffer.concat(Object.entries(tags).map(([type, text]) => {
    const head = Buffer.from([0, text.length, 0x15, 0xc7]);
    return box(type, Buffer.concat([head, Buffer.from(text)]));
  })));
  const moov = bytes.lastIndexOf('moov') - 4;
  if (moov < 0 || moov + bytes.readUInt32BE(moov) !== bytes.length) throw new Error('the index is not at the end');
  const out = Buffer.concat([bytes, udta]);
  out.writeUInt32BE(bytes.length - moov + udta.length, moov);
  return out;
}
