// What files are, by their bytes before their names.
import { describe, expect, it } from 'vitest';
import { identify, wrongExtension } from '../../../agent/pipeline/identify.ts';
import { makeAppleDouble, makePicture } from '../../support/make-media.ts';

const of = (name: string, bytes: Buffer) => identify(name, bytes.length, bytes.subarray(0, 4096));
const ftyp = (major: string, ...compatible: string[]) => {
  const b = Buffer.alloc(16 + compatible.length * 4 + 64);
  b.writeUInt32BE(16 + compatible.length * 4, 0);
  b.write(`ftyp${major}`, 4, 'latin1');
  compatible.forEach((c, i) => b.write(c, 16 + i * 4, 'latin1'));
  return b;
};

describe('identify', () => {
  it('knows pictures that sharp writes, under any name', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff'] as const) {
      const bytes = await makePicture({ format });
      for (const name of [`a.${format}`, 'a', 'a.txt', 'a.mov']) expect(of(name, bytes), `${format} as ${name}`).toMatchObject({ as: 'asset', kind: 'image', format });
    }
  });

  it('tells the brands of ISO containers apart', () => {
    const cases: [Buffer, object][] = [
      [ftyp('heic', 'mif1'), { kind: 'image', format: 'heic', mime: 'image/heic' }],
      [ftyp('mif1', 'heic'), { kind: 'image', format: 'heic', mime: 'image/heic' }],
      [ftyp('mif1', 'avif', 'miaf'), { kind: 'image', format: 'avif' }],
      [ftyp('avif', 'mif1'), { kind: 'image', format: 'avif' }],
      [ftyp('crx '), { kind: 'image', format: 'raw', mime: 'image/x-canon-cr3' }],
      [ftyp('qt  '), { kind: 'video', format: 'mov' }],
      [ftyp('isom', 'mp42'), { kind: 'video', format: 'mp4' }],
      [ftyp('3gp5'), { kind: 'video', format: '3gp' }],
    ];
    for (const [bytes, want] of cases) expect(of('x', bytes)).toMatchObject({ as: 'asset', ...want });
    expect(of('song.m4a', ftyp('M4A ', 'mp42'))).toMatchObject({ as: 'ignored' });
  });

  it('tells RAW from TIFF by name, mark or DNG version', () => {
    const tiff = Buffer.alloc(64);
    tiff.write('II*\0', 0, 'latin1'); tiff.writeUInt32LE(16, 4);
    expect(of('a.tif', tiff)).toMatchObject({ format: 'tiff' });
    expect(of('a.NEF', tiff)).toMatchObject({ format: 'raw', mime: 'image/x-nikon-nef' });
    const cr2 = Buffer.from(tiff); cr2.write('CR', 8, 'latin1');
    expect(of('a', cr2)).toMatchObject({ format: 'raw', mime: 'image/x-canon-cr2' });
    const dng = Buffer.from(tiff); dng.writeUInt16LE(1, 16); dng.writeUInt16LE(0xc612, 18);
    expect(of('a', dng)).toMatchObject({ format: 'raw', mime: 'image/x-adobe-dng' });
  });

  it('ignores AppleDouble by its magic, and takes a photo whose name starts with ._', async () => {
    expect(of('._IMG_1.jpg', makeAppleDouble())).toMatchObject({ as: 'ignored' });
    const other = of('IMG_1.jpg', makeAppleDouble());
    expect(other.as).toBe('ignored');
    expect(other.as === 'ignored' && other.reason).toContain('AppleDouble');
    expect(of('._real.jpg', await makePicture())).toMatchObject({ as: 'asset', format: 'jpeg' });
  });

  it('ignores files of systems and what is no media, and names sidecars', () => {
    for (const name of ['.DS_Store', 'Thumbs.db', 'DESKTOP.INI']) expect(of(name, Buffer.from('anything'))).toMatchObject({ as: 'ignored' });
    expect(of('a.docx', Buffer.from('PK\x03\x04....'))).toEqual({ as: 'ignored', reason: 'not a photo or video' });
    expect(of('a.html', Buffer.from('<html>'))).toMatchObject({ as: 'ignored' });
    expect(of('a.mp3', Buffer.from('ID3\x04...........'))).toMatchObject({ as: 'ignored' });
    expect(of('a.xmp', Buffer.from('<x:xmpmeta>'))).toEqual({ as: 'sidecar', format: 'xmp' });
    expect(of('a.AAE', Buffer.from('<?xml'))).toEqual({ as: 'sidecar', format: 'aae' });
    for (const name of ['IMG_1.HEIC.json', 'IMG_1.jpg(1).json', 'IMG_1.jpg.supplemental-metadata.json', 'IMG_1.jpg.supplemental-me.json', 'a.jpg.supplemental-metadata(2).json']) {
      expect(of(name, Buffer.from('{"title": "x"}')), name).toEqual({ as: 'sidecar', format: 'json' });
    }
    expect(of('x.json', Buffer.from('{"photoTakenTime": {"timestamp": "1"}}'))).toEqual({ as: 'sidecar', format: 'json' });
    expect(of('package.json', Buffer.from('{"name": "x"}'))).toMatchObject({ as: 'ignored' });
  });

  it('fails what is named as media and is none, with the reason', () => {
    expect(of('a.jpg', Buffer.alloc(0))).toMatchObject({ as: 'failed', code: 'empty' });
    expect(of('noextension', Buffer.alloc(0))).toMatchObject({ as: 'failed', code: 'empty' });
    expect(of('empty.txt', Buffer.alloc(0))).toMatchObject({ as: 'ignored' });
    const zeros = of('a.HEIC', Buffer.alloc(4096));
    expect(zeros).toMatchObject({ as: 'failed', code: 'not_media' });
    expect(zeros.as === 'failed' && zeros.reason).toContain('zeros');
    const text = of('a.jpg', Buffer.from('404 not found'));
    expect(text.as === 'failed' && text.reason).toContain('text');
    expect(of('a.flif', Buffer.from('FLIF1234567890'))).toMatchObject({ as: 'failed', code: 'unsupported' });
  });

  it('never throws, whatever the first bytes are', () => {
    let seed = 7;
    const next = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff);
    const starts = ['\xff\xd8\xff', 'RIFF', 'II*\0', 'MM\0*', '\0\0\0\x18ftyp', '\x1a\x45\xdf\xa3', 'BM', 'OggS', '\x89PNG', 'G', '\xff\x0a', ''];
    for (let i = 0; i < 2_000; i++) {
      const bytes = Buffer.from(Array.from({ length: next() % 300 }, () => next() & 255));
      const head = Buffer.concat([Buffer.from(starts[i % starts.length] ?? '', 'latin1'), bytes]);
      for (const name of ['a.jpg', 'b', '.', '..', 'c.nef', '._d.mov']) expect(() => identify(name, head.length, head)).not.toThrow();
    }
  });

  it('says which names lie about their content', () => {
    expect(wrongExtension('a.mov', 'jpeg')).toContain('JPEG');
    for (const [name, format] of [['a.JPG', 'jpeg'], ['a', 'jpeg'], ['a.mp4', 'mov'], ['a.heif', 'avif'], ['a.dng', 'tiff'], ['a.unknown', 'png']] as const) expect(wrongExtension(name, format), name).toBeUndefined();
  });
});
