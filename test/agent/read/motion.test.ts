// Motion photos: the embedded video is found where a phone says it is, and only where an MP4 really stands there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findMotion } from '../../../agent/pipeline/motion.ts';
import { makePicture, withXmp } from '../../support/make-media.ts';
import { findSharedMedia } from '../../support/shared-media.ts';

const box = (type: string, body: Buffer | string = ''): Buffer => {
  const content = Buffer.from(body);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
};
const MP4 = Buffer.concat([box('ftyp', 'isom\0\0\0\0'), box('mdat', 'media media'), box('moov', 'index')]);
const still = () => makePicture({ width: 32, height: 24 });
const microVideo = (offset: number) => `xmlns:GCamera='http://ns.google.com/photos/1.0/camera/' GCamera:MicroVideo='1' GCamera:MicroVideoOffset='${offset}'`;
/** A Container directory as attributes of list items, put where `withXmp` has a closing description. */
const directory = (items: string) => `xmlns:x='y'><Container:Directory><rdf:Seq>${items}</rdf:Seq></Container:Directory><rdf:x `;
const item = (semantic: string, length: number, padding = 0) => `<rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='video/mp4' Item:Semantic='${semantic}' Item:Length='${length}' Item:Padding='${padding}'/></rdf:li>`;

/** Samsung's trailer round a video: one entry, the directory that counts backwards, `SEFT`. */
function sef(video: Buffer, name = 'MotionPhoto_Data'): Buffer {
  const label = Buffer.alloc(8);
  label.writeUInt16LE(0x0a30, 2);
  label.writeUInt32LE(name.length, 4);
  const block = Buffer.concat([label, Buffer.from(name), video]);
  const head = Buffer.alloc(24);
  head.write('SEFH');
  head.writeUInt32LE(106, 4);
  head.writeUInt32LE(1, 8);
  head.writeUInt16LE(0x0a30, 14);
  head.writeUInt32LE(block.length, 16);
  head.writeUInt32LE(block.length, 20);
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(head.length);
  tail.write('SEFT', 4);
  return Buffer.concat([block, head, tail]);
}

describe('motion photos', () => {
  it('finds the video by MicroVideo, by the directory with items behind it, by Samsung\'s trailer and by the mpvd box', async () => {
    const micro = withXmp(await still(), microVideo(MP4.length));
    expect(findMotion('jpeg', Buffer.concat([micro, MP4]))).toEqual({ offset_bytes: micro.length, length_bytes: MP4.length });
    const gainMap = Buffer.alloc(77, 1);
    const listed = withXmp(await still(), directory(`${item('Primary', 0)}${item('MotionPhoto', MP4.length, 3)}${item('GainMap', gainMap.length)}`));
    expect(findMotion('jpeg', Buffer.concat([listed, MP4, Buffer.alloc(3), gainMap]))).toEqual({ offset_bytes: listed.length, length_bytes: MP4.length });
    const plain = await still();
    expect(findMotion('jpeg', Buffer.concat([plain, sef(MP4)]))).toEqual({ offset_bytes: plain.length + 24, length_bytes: MP4.length });
    const heic = box('ftyp', 'heic\0\0\0\0');
    expect(findMotion('heic', Buffer.concat([heic, box('meta', 'xx'), box('mpvd', MP4)]))).toEqual({ offset_bytes: heic.length + 10 + 8, length_bytes: MP4.length });
  });

  it('claims nothing where no whole MP4 stands at the place', async () => {
    const jpeg = await still();
    const claims = [MP4.length, MP4.length - 1, 0, 4, 1e9];
    for (const offset of claims) expect(findMotion('jpeg', Buffer.concat([withXmp(jpeg, microVideo(offset)), Buffer.alloc(MP4.length, 7)])), `${offset}`).toBeNull();
    const cut = MP4.subarray(0, MP4.length - 3);
    expect(findMotion('jpeg', Buffer.concat([withXmp(jpeg, microVideo(cut.length)), cut]))).toBeNull();
    expect(findMotion('jpeg', Buffer.concat([withXmp(jpeg, microVideo(19)), box('ftyp', 'isom\0\0\0\0'), Buffer.alloc(3)]))).toBeNull();
    expect(findMotion('jpeg', Buffer.concat([jpeg, sef(MP4, 'Image_UTC_Data')]))).toBeNull();
    // A video behind a still that nobody speaks of, and the other way round.
    expect(findMotion('jpeg', Buffer.concat([jpeg, MP4]))).toBeNull();
    expect(findMotion('png', Buffer.concat([jpeg, sef(MP4)]))).toBeNull();
  });

  it('survives trailers and boxes that lie about their sizes', async () => {
    const jpeg = await still();
    const whole = Buffer.concat([jpeg, sef(MP4)]);
    // The trailer's 32 last bytes, each made to lie.
    for (let at = 1; at <= 32; at += 1) for (const value of [0, 255]) {
      const bad = Buffer.from(whole);
      bad[bad.length - at] = value;
      expect(() => findMotion('jpeg', bad)).not.toThrow();
    }
    expect(findMotion('jpeg', Buffer.from('SEFT'))).toBeNull();
    expect(findMotion('heic', box('mpvd', 'short'))).toBeNull();
  });
});

const media = findSharedMedia();
describe.skipIf(media.dir === undefined)(`motion photos of ${media.dir === undefined ? `nothing (skipped: ${media.reason})` : 'shared/media'}`, () => {
  const read = (name: string) => readFileSync(join(media.dir ?? '', 'motion-photos', name));
  it('finds exactly the bytes of the embedded video', () => {
    for (const name of ['synthetic_microvideo_v1.jpg', 'synthetic_motionphoto_v2.MP.jpg', 'synthetic_samsung_sef.jpg']) {
      const bytes = read(name);
      const motion = findMotion('jpeg', bytes);
      expect(motion, name).toMatchObject({ length_bytes: 217_963 });
      const { offset_bytes: at, length_bytes: length } = motion ?? { offset_bytes: 0, length_bytes: 0 };
      expect(createHash('sha256').update(bytes.subarray(at, at + length)).digest('hex'), name).toBe('a8b2fb5615db3e7d7ee332255ec4e6ca50bf658120bef1650fa5ff03883f41e3');
    }
    expect(findMotion('heic', read('samsung-one-ui-6.heic'))).toEqual({ offset_bytes: 452_284, length_bytes: 3_226_469 });
  });

  it('does not take the broken one for a motion photo', () => { expect(findMotion('jpeg', read('google_motion_photo_broken.jpg'))).toBeNull(); });
});
