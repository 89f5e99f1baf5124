// A small real Reader for tests of the scan: PNG and JPEG through sharp, nothing else. Counts its calls.
import { ReadError, type ByteFacts, type FileSource, type Identified, type QuickRead, type Reader, type RestRead } from '../../agent/pipeline/types.ts';
import type { TimeClaim } from '../../protocol/rows.ts';
import { GRID_DRAFT_VERSION, GRID_VERSION, PREVIEW_VERSION } from '../../protocol/versions.ts';

export interface TinyReader extends Reader {
  calls: { identify: number; quick: number; rest: number };
  /** Called before each quick read: lets a test change the world in the middle of a scan. */
  onQuick: ((source: FileSource) => void | Promise<void>) | null;
  /** What is true of files of these names besides: an identifier, a time, or that they are videos. */
  facts: Map<string, Partial<ByteFacts>>;
}

/** Names with `-later` leave their final grid and preview to the second phase; those with `-norest` fail there. */
export function createTinyReader(): TinyReader {
  const reader: TinyReader = {
    calls: { identify: 0, quick: 0, rest: 0 },
    onQuick: null,
    facts: new Map(),
    identify: (name, sizeBytes, head): Identified => {
      reader.calls.identify += 1;
      if (sizeBytes === 0) return { as: 'failed', code: 'empty', reason: 'The file is empty.' };
      if (head.subarray(0, 4).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47]))) return { as: 'asset', kind: 'image', mime: 'image/png', format: 'png' };
      if (head[0] === 0xff && head[1] === 0xd8) return { as: 'asset', kind: 'image', mime: 'image/jpeg', format: 'jpeg' };
      const sidecar = /\.(xmp|json|aae)$/i.exec(name)?.[1]?.toLowerCase() as 'xmp' | 'json' | 'aae' | undefined;
      if (sidecar) return { as: 'sidecar', format: sidecar };
      return { as: 'ignored', reason: 'no picture' };
    },
    quick: async (source, type): Promise<QuickRead> => {
      reader.calls.quick += 1;
      await reader.onQuick?.(source);
      const { default: sharp } = await import('sharp');
      const bytes = source.bytes ?? await source.read(0, source.sizeBytes);
      try {
        const image = sharp(bytes);
        const { width, height } = await image.metadata();
        const webp = await image.clone().webp({ quality: 50, effort: 0 }).toBuffer();
        const later = source.name.includes('-later') || source.name.includes('-norest');
        return {
          facts: {
            kind: type.kind, mime: type.mime, width, height, duration_ms: null, color: '#808080', camera: null, lens: null, exposure: null, latitude: null, longitude: null,
            gps_zone: null, content_identifier: null, motion: null, description: null, rating: null, tags: [], time_claims: [], problems: [], ...reader.facts.get(source.name),
          },
          rawMetadata: { size: bytes.length },
          grid: { bytes: webp, version: later ? GRID_DRAFT_VERSION : GRID_VERSION },
          preview: later ? null : { bytes: webp, version: PREVIEW_VERSION },
          unfinished: later,
        };
      } catch (error) { throw new ReadError('damaged', 'decode', `It cannot be decoded: ${error instanceof Error ? error.message : ''}`); }
    },
    rest: async (source): Promise<RestRead> => {
      reader.calls.rest += 1;
      if (source.name.includes('-norest')) throw new ReadError('decoder_crashed', 'render', 'The decoder crashed on it.');
      const { default: sharp } = await import('sharp');
      const webp = await sharp(source.bytes ?? await source.read(0, source.sizeBytes)).webp({ quality: 50, effort: 0 }).toBuffer();
      return { grid: { bytes: webp, version: GRID_VERSION }, preview: { bytes: webp, version: PREVIEW_VERSION }, problems: [], width: null, height: null, color: null };
    },
    nameClaims: (name, mtimeMs): TimeClaim[] => {
      const m = /(\d{4})(\d{2})(\d{2})/.exec(name);
      const claims: TimeClaim[] = [{ source: 'mtime', wall: null, utc_ms: Math.round(mtimeMs), offset_minutes: null, offset_source: null }];
      if (m) claims.push({ source: 'name', wall: `${m[1]}-${m[2]}-${m[3]}T00:00:00`, utc_ms: null, offset_minutes: null, offset_source: null });
      return claims;
    },
    close: async () => undefined,
  };
  return reader;
}
