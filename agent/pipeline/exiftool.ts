// One ExifTool for the agent: at most two processes, started at the first need and ended by `close`. It opens files by path
// itself (it is a process of its own) and is only ever asked to read.
import type { ExifTool } from 'exiftool-vendored';
import type { MetaTags } from './claims.ts';
import { nikonOffset } from './exif.ts';
import { cleanNumber, rawMetadataOf } from './text.ts';

/** ExifTool reads a picture in 12 ms; a minute means a drive that hangs. */
const TASK_TIMEOUT_MS = 60_000;
/** Tags that facts are made of: asking for less than everything makes it answer faster and shorter. */
export const WANTED = [
  'DateTimeOriginal', 'CreateDate', 'ModifyDate', 'DateCreated', 'CreationDate', 'OffsetTimeOriginal', 'OffsetTime', 'OffsetTimeDigitized',
  'TrackCreateDate', 'MediaCreateDate', 'DateUTC', 'DateTime', 'CreationTime', 'DateTimeDigitized', 'GPSDateStamp', 'GPSTimeStamp', 'GPSLatitude', 'GPSLongitude', 'GPSLatitudeRef', 'GPSLongitudeRef', 'GPSCoordinates', 'GPSPosition',
  'Make', 'Model', 'LensModel', 'LensID', 'Lens', 'AndroidManufacturer', 'AndroidModel', 'ExposureTime', 'FNumber', 'ISO', 'FocalLength', 'ContentIdentifier', 'MediaGroupUUID', 'Duration', 'ImageWidth', 'ImageHeight', 'SourceImageWidth', 'SourceImageHeight', 'Orientation', 'Rotation',
  'PreviewImage', 'JpgFromRaw', 'OtherImage', 'ThumbnailImage', 'ThumbnailTIFF', 'FileType', 'Error', 'Warning', 'Software',
  // Who wrote a movie, and whether its time is UTC (container-clock.ts).
  'HandlerDescription', 'CompressorID', 'CompressorName', 'FirmwareVersion', 'AndroidVersion', 'AndroidTimeZone', 'CreationDateValue', 'ContentCreateDate',
  'TimeZone', 'DaylightSavings', 'GPSDateTime', 'TimeCreated', 'ImageDescription', 'Description', 'Title', 'Caption-Abstract', 'Subject', 'Keywords', 'Rating',
];
/** Where movies keep their texts. */
const MOVIE_TEXT = /^(?:Keys|ItemList|UserData)$/;
/** Preview tags of RAW files that ExifTool can extract. */
export type PreviewTag = 'JpgFromRaw' | 'PreviewImage' | 'OtherImage' | 'ThumbnailImage' | 'ThumbnailTIFF';
const PREVIEW_TAGS: PreviewTag[] = ['JpgFromRaw', 'PreviewImage', 'OtherImage', 'ThumbnailImage', 'ThumbnailTIFF'];

export interface ExifToolAnswer { tags: MetaTags; previews: { tag: PreviewTag; bytes: number }[]; warning: string | null }

export interface ExifToolReader {
  /** Tags of the file at `path`. Throws what ExifTool says where it cannot read it at all. */
  read(path: string): Promise<ExifToolAnswer>;
  extract(tag: PreviewTag, path: string): Promise<Buffer>;
  close(): Promise<void>;
}

export function createExifTool(options: { processes: number }): ExifToolReader {
  let tool: Promise<ExifTool> | undefined;
  const start = (): Promise<ExifTool> => {
    tool ??= import('exiftool-vendored').then(({ ExifTool }) => new ExifTool({ maxProcs: options.processes, taskTimeoutMillis: TASK_TIMEOUT_MS, geolocation: false }));
    return tool;
  };
  return {
    async read(path) {
      checkPath(path);
      const raw = (await (await start()).readRaw(path, { readArgs: ['-n', '-a', '-G1', '-fast', '-api', 'largefilesupport=1', ...WANTED.map((t) => `-${t}`)] })) as Record<string, unknown>;
      return answerOf(raw);
    },
    async extract(tag, path) {
      checkPath(path);
      return (await start()).extractBinaryTagToBuffer(tag, path);
    },
    async close() {
      const running = tool;
      tool = undefined;
      if (running) await (await running).end();
    },
  };
}

/** ExifTool takes its arguments line by line. */
function checkPath(path: string): void {
  if (/[\r\n]/.test(path)) throw new Error('ExifTool cannot be given a path with a line break');
}

/** The answer from ExifTool's own: keys are `Group:Tag` (-G1), numbers are numbers (-n). */
export function answerOf(raw: Record<string, unknown>): ExifToolAnswer {
  const groups: Record<string, Record<string, unknown>> = {};
  const flat: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const colon = key.lastIndexOf(':');
    // exiftool-vendored switches on MWG's composites, which repeat other tags with less in them.
    if (key.startsWith('MWG:')) continue;
    const name = key.slice(colon + 1);
    (groups[key.slice(0, Math.max(0, colon))] ??= {})[name] = value;
    flat[name] ??= value;
  }
  const find = (name: string, ...wanted: RegExp[]): unknown => {
    for (const pattern of wanted) for (const [group, tags] of Object.entries(groups)) if (pattern.test(group) && tags[name] !== undefined) return tags[name];
    return undefined;
  };
  const tags: MetaTags = {
    exifOriginal: find('DateTimeOriginal', /^ExifIFD$/, /^(?!XMP|IPTC|Composite|Matroska|Info|ASF|Photoshop)/), offsetOriginal: find('OffsetTimeOriginal', /./),
    exifCreate: find('CreateDate', /^(ExifIFD|IFD0|EXIF)$/), offsetDigitized: find('OffsetTimeDigitized', /./),
    exifModify: find('ModifyDate', /^IFD0$/), offsetModify: find('OffsetTime', /./),
    clockOffsetMinutes: nikonOffset(find('TimeZone', /^Nikon/), find('DaylightSavings', /^Nikon/)),
    gpsDate: find('GPSDateStamp', /^GPS$/), gpsTime: find('GPSTimeStamp', /^GPS$/), gpsMoment: find('GPSDateTime', /^XMP/),
    xmpDates: [find('DateTimeOriginal', /^XMP/), find('DateCreated', /^XMP/), find('CreateDate', /^XMP/), find('DateTimeOriginal', /^Composite$/), iptcDate(find('DateCreated', /^IPTC$/), find('TimeCreated', /^IPTC$/))].filter((v) => v !== undefined),
    // Sony's XAVC keeps the like in an XML of its own (CreationDateValue); older iPhones in user data (ContentCreateDate, `©day`).
    keysCreation: find('CreationDate', /^Keys$/, /^ItemList$/, /^UserData$/, /^QuickTime$/) ?? flat['CreationDateValue'] ?? withTime(find('ContentCreateDate', /^UserData$/, /^ItemList$/)),
    containerUtc: [find('CreateDate', /^QuickTime$/)].filter((v) => v !== undefined),
    containerMoments: [find('DateTimeOriginal', /^(Matroska|Info|ASF)/), find('CreationDate', /^ASF$/)].filter((v) => v !== undefined),
    containerSigns: Object.values(groups).flatMap((g) => ['HandlerDescription', 'CompressorID', 'CompressorName', 'FirmwareVersion'].flatMap((name) => (g[name] === undefined ? [] : [g[name]]))),
    androidVersion: flat['AndroidVersion'], androidOffset: flat['AndroidTimeZone'],
    xmpDescription: find('Description', /^XMP-dc/) ?? find('Description', MOVIE_TEXT) ?? find('Title', MOVIE_TEXT), iptcDescription: find('Caption-Abstract', /^IPTC/), exifDescription: find('ImageDescription', /^IFD0$/),
    rating: find('Rating', /^XMP-xmp$/, /^IFD0$/), xmpKeywords: find('Subject', /^XMP-dc/), iptcKeywords: find('Keywords', /^IPTC/),
    make: find('Make', /^IFD0$/, /./) ?? flat['AndroidManufacturer'], model: find('Model', /^IFD0$/, /./) ?? flat['AndroidModel'], lens: flat['LensModel'] ?? textOnly(flat['LensID']) ?? textOnly(flat['Lens']),
    exposureTime: flat['ExposureTime'], fNumber: flat['FNumber'], iso: flat['ISO'], focal: flat['FocalLength'],
    contentIdentifier: flat['ContentIdentifier'] ?? flat['MediaGroupUUID'], durationS: flat['Duration'],
    ...largestSize(groups), orientation: find('Orientation', /^IFD0$/, /./),
    raw: rawMetadataOf(raw) ?? {},
  };
  delete tags.raw['SourceFile'];
  readPosition(tags, find);
  const previews: ExifToolAnswer['previews'] = [];
  for (const tag of PREVIEW_TAGS) {
    const m = /Binary data (\d+) bytes/.exec(String(flat[tag] ?? ''));
    if (m) previews.push({ tag, bytes: Number(m[1]) });
  }
  const warning = flat['Error'] ?? flat['Warning'];
  return { tags, previews, warning: typeof warning === 'string' ? warning : null };
}

/** The largest size that any directory of pictures names: the others are previews. */
function largestSize(groups: Record<string, Record<string, unknown>>): { width?: number; height?: number } {
  let best: { width?: number; height?: number } = {};
  for (const [group, tags] of Object.entries(groups)) {
    const width = cleanNumber(tags['ImageWidth']), height = cleanNumber(tags['ImageHeight']);
    if (!/^(IFD0|SubIFD\d*|File|QuickTime|Track\d+|RIFF|Matroska|ASF|CIFF|CanonRaw|FLASH)$/.test(group) || !width || !height) continue;
    // A track may hold a camera's wider raw frame; the picture's own directory speaks first.
    if (best.width && group.startsWith('Track') && group !== 'Track1') continue;
    if (!best.width || !best.height || width * height > best.width * best.height) best = { width, height };
  }
  return best;
}

function iptcDate(day: unknown, time: unknown): string | undefined { return typeof day === 'string' ? [day, ...(typeof time === 'string' ? [time] : [])].join(' ') : undefined; }

/** `©day` is often a bare year or day, which music files keep there. */
function withTime(value: unknown): unknown { return typeof value === 'string' && /\d:\d\d/.test(value.slice(10)) ? value : undefined; }

function textOnly(value: unknown): string | undefined { return typeof value === 'string' && !/^[\d\s.]*$/.test(value) ? value : undefined; }

function readPosition(tags: MetaTags, find: (name: string, ...groups: RegExp[]) => unknown): void {
  const latitude = cleanNumber(find('GPSLatitude', /^Composite$/, /./));
  const longitude = cleanNumber(find('GPSLongitude', /^Composite$/, /./));
  if (latitude !== null && longitude !== null) { tags.latitude = latitude; tags.longitude = longitude; return; }
  const pair = find('GPSCoordinates', /^Keys$/, /./) ?? find('GPSPosition', /./);
  const parts = typeof pair === 'string' ? pair.split(/[\s,]+/).map(Number) : [];
  const [a, b] = parts;
  if (a !== undefined && b !== undefined && Number.isFinite(a) && Number.isFinite(b)) { tags.latitude = a; tags.longitude = b; }
}
