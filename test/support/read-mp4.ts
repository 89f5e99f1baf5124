// What a proxy is, as a player meets it: its boxes in order, its streams, its times. Decodes every picture.
import { readFileSync } from 'node:fs';

export interface Mp4Facts {
  boxes: string[]; codec: string; pixelFormat: string; width: number; height: number; durationS: number; sound: string | null;
  /** Every decoded picture counts; the longest time between two that can be jumped to; degrees that a player would turn it. */
  frames: number; longestGopS: number; turned: boolean; framesPerS: number;
  /** Mean brightness of the first picture, 0 to 255, and its pixels. */
  luma: number; rgb: Buffer;
}

export async function readMp4(path: string): Promise<Mp4Facts> {
  const av = await import('node-av');
  av.Log.setLevel(av.AV_LOG_QUIET);
  const bytes = readFileSync(path);
  const boxes: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += bytes.readUInt32BE(at)) boxes.push(bytes.toString('latin1', at + 4, at + 8));
  await using input = await av.Demuxer.open(path);
  const video = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_VIDEO);
  const audio = input.streams.find((s) => s.codecpar.codecType === av.AVMEDIA_TYPE_AUDIO);
  if (!video) throw new Error(`${path} holds no video`);
  using decoder = await av.Decoder.create(video);
  using filter = av.FilterAPI.create('format=rgb24', { threads: 1 });
  let frames = 0, lastKey = 0, longestGopS = 0, endS = 0, luma = 0, pixelFormat = '';
  let rgb: Buffer = Buffer.alloc(0);
  for await (const packet of input.packets(video.index)) {
    if (!packet) break;
    const at = Number(packet.pts) * packet.timeBase.num / packet.timeBase.den;
    endS = Math.max(endS, at);
    if (packet.isKeyframe) { longestGopS = Math.max(longestGopS, at - lastKey); lastKey = at; }
    for (const frame of decoder.framesSync(packet)) if (frame) {
      frames += 1;
      if (frames === 1) {
        pixelFormat = av.avGetPixFmtName(frame.format as Parameters<typeof av.avGetPixFmtName>[0]) ?? '';
        const y = frame.toBuffer().subarray(0, frame.width * frame.height);
        luma = y.reduce((n, v) => n + v, 0) / y.length;
        for (const out of filter.framesSync(frame)) if (out) rgb = out.toBuffer();
      }
      frame.free();
    }
    packet.free();
  }
  for (const frame of decoder.framesSync(null)) if (frame) frames += 1;
  return {
    boxes, codec: video.codecpar.codecId === av.AV_CODEC_ID_H264 ? 'h264' : String(video.codecpar.codecId), pixelFormat, width: video.codecpar.width, height: video.codecpar.height,
    durationS: input.duration, sound: audio ? (audio.codecpar.codecId === av.AV_CODEC_ID_AAC ? 'aac' : String(audio.codecpar.codecId)) : null,
    frames, longestGopS: Math.max(longestGopS, endS - lastKey), turned: video.codecpar.getCodedSideData(av.AV_PKT_DATA_DISPLAYMATRIX) !== null, framesPerS: frames / input.duration, luma, rgb,
  };
}
