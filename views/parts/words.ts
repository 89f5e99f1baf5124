// How the pages say things: dates, sizes, sources and reasons in plain words. Pure; every text is one line for people.
import { dayText, monthName, sayDay, sayMonth, sayMonthShort } from '../../protocol/day-words.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import { PLACE_FAR_M, placeLabel } from '../../protocol/place.ts';
import { offsetAtWall, wallMs, wallText } from '../../protocol/time.ts';
import type { OffsetSource, PlaceSource, ProblemCode, StackType, TakenAtSource, ValueSource } from '../../protocol/words.ts';

export { dayText, sayDay, sayMonth, sayMonthShort };

const FILE_SYSTEMS: Record<string, string> = { apfs: 'APFS', exfat: 'exFAT', msdos: 'FAT', vfat: 'FAT', hfs: 'HFS+', hfsplus: 'HFS+', ntfs: 'NTFS', ntfs3: 'NTFS', btrfs: 'Btrfs', xfs: 'XFS', smbfs: 'SMB', cifs: 'SMB', nfs: 'NFS' };
export function sayFileSystem(type: string): string {
  return FILE_SYSTEMS[type.toLowerCase()] ?? showName(type);
}
const CODECS: Record<string, string> = { h264: 'H.264', hevc: 'HEVC', mpeg4: 'MPEG-4', mpeg1video: 'MPEG-1', mpeg2video: 'MPEG-2', mjpeg: 'Motion JPEG', prores: 'ProRes', h263: 'H.263', dvvideo: 'DV' };
/** `HEVC` for FFmpeg's `hevc`; what has no name of its own in capitals. */
export function sayCodec(codec: string): string {
  return CODECS[codec] ?? showName(codec.toUpperCase());
}
export function sayNumber(n: number): string {
  return Math.round(n).toLocaleString('en-GB');
}
export function sayCount(n: number, one: string, many = `${one}s`): string {
  return `${sayNumber(n)} ${n === 1 ? one : many}`;
}

/** `1 photo or video`, `1,204 photos and videos`. */
export function sayThings(n: number): string {
  return sayCount(n, 'photo or video', 'photos and videos');
}

/** `2023-10`, as an address names a month. */
export function monthAddress(month: number): string {
  return month === 0 ? 'none' : `${String(Math.floor(month / 100)).padStart(4, '0')}-${String(month % 100).padStart(2, '0')}`;
}

/** `Sunday, 22 October 2023` for a wall time. */
export function sayDate(wall: string): string {
  return `${sayDay(Number(wall.slice(0, 10).replaceAll('-', '')))} ${Number(wall.slice(0, 4))}`;
}
/** `9:39` of a wall time. */
export function sayTime(wall: string): string {
  return `${Number(wall.slice(11, 13))}:${wall.slice(14, 16)}`;
}

/** A UTC moment for people: `today at 14:05`, `2 November`, `March 2024`. In UTC, for a page does not know where its reader is. */
export function sayAgo(ms: number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - ms) / 1000);
  if (seconds < 90) return 'just now';
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} minutes ago`;
  if (seconds < 36 * 3600) return sayCount(Math.round(seconds / 3600), 'hour') + ' ago';
  if (seconds < 30 * 86_400) return sayCount(Math.round(seconds / 86_400), 'day') + ' ago';
  const wall = wallText(ms);
  const month = monthName(Number(wall.slice(5, 7)));
  return seconds < 300 * 86_400 ? `${Number(wall.slice(8, 10))} ${month}` : `${month} ${wall.slice(0, 4)}`;
}
/** A day for people, of a moment of which only the day is known: `today`, `3 days ago`, `2 November`. */
export function sayDayAgo(ms: number, nowMs: number): string {
  const days = Math.floor(nowMs / 86_400_000) - Math.floor(ms / 86_400_000);
  return days <= 0 ? 'today' : days === 1 ? 'yesterday' : sayAgo(nowMs - days * 86_400_000, nowMs);
}
/** `Away since` reads well before a date, and not before `3 days ago`. */
export function sayAwaySince(ms: number, nowMs: number): string {
  const wall = wallText(ms);
  const month = monthName(Number(wall.slice(5, 7)));
  if (nowMs - ms < 86_400_000) return 'Away, last seen ' + sayAgo(ms, nowMs);
  return nowMs - ms < 300 * 86_400_000 ? `Away since ${Number(wall.slice(8, 10))} ${month}` : `Away since ${month} ${wall.slice(0, 4)}`;
}

export function sayBytes(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let n = bytes;
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) { n /= 1000; unit++; }
  return `${unit === 0 || n >= 99.95 ? Math.round(n) : n.toFixed(1)} ${units[unit] ?? ''}`;
}
export function sayDuration(ms: number): string {
  const s = Math.round(ms / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}
export function sayEta(seconds: number): string {
  if (seconds < 60) return 'less than a minute left';
  if (seconds < 3600 * 1.5) return `${sayCount(Math.round(seconds / 60), 'minute')} left`;
  if (seconds < 86_400 * 1.5) return `about ${sayCount(Math.round(seconds / 3600), 'hour')} left`;
  return `about ${Math.round(seconds / 86_400)} days left`;
}

/** `UTC+2`, or the zone's own name where the position says which it is. */
export function sayOffset(minutes: number, wall: string, gpsZone: string | null): string {
  if (gpsZone && offsetAtWall(gpsZone, wall) === minutes) {
    const ms = wallMs(wall);
    try {
      const part = new Intl.DateTimeFormat('en-GB', { timeZone: gpsZone, timeZoneName: 'long' }).formatToParts((ms ?? 0) - minutes * 60_000).find((p) => p.type === 'timeZoneName');
      if (part) return part.value;
    } catch { /* an unknown zone: the bare offset is as true */ }
  }
  return sayUtc(minutes);
}

const TIME_SOURCES: Record<TakenAtSource, string> = {
  owner: 'as you set it', exif_original: 'from the camera’s clock', quicktime_keys: 'from the phone’s clock', xmp: 'from an editing program’s note', exif_other: 'from another date in the file',
  quicktime: 'from the date inside the video', takeout: 'from Google Takeout', gps: 'from the time of the GPS', name: 'from the file’s name: a guess', mtime: 'from the file’s date: a guess',
};
const OFFSET_WORDS: Record<OffsetSource, string> = {
  owner: 'zone as you set it', exif: ' and zone', quicktime_keys: ' and zone', gps_zone: 'zone from where it was taken', utc_difference: 'zone from a second clock in the file', home: 'read in your home zone: a guess',
};
/** Where a time came from: `from the camera’s clock and zone`. */
export function sayTimeSource(source: TakenAtSource, offset: OffsetSource | null): string {
  if (offset === null) return source === 'mtime' || source === 'name' ? TIME_SOURCES[source] : `${TIME_SOURCES[source]}, zone not known`;
  const words = OFFSET_WORDS[offset];
  return words.startsWith(' ') ? `${TIME_SOURCES[source]}${words}` : `${TIME_SOURCES[source]}, ${words}`;
}
export function isGuess(source: TakenAtSource | null, offset: OffsetSource | null, doubtful: boolean): boolean {
  return source === 'mtime' || source === 'name' || offset === 'home' || doubtful;
}

/** `1/1,024 s` for an exposure time in seconds. */
export function sayExposureTime(seconds: number): string {
  if (seconds >= 0.4) return `${Number(seconds.toFixed(1))} s`;
  return `1/${sayNumber(1 / seconds)} s`;
}
/** `HEIC`, `JPEG`, `MP4`. */
export function sayType(mime: string): string {
  const sub = (mime.split('/')[1] ?? mime).replace(/^x-/, '');
  const names: Record<string, string> = { quicktime: 'QuickTime', matroska: 'Matroska', 'svg+xml': 'SVG' };
  return names[sub] ?? sub.toUpperCase();
}
export function sayPosition(latitude: number, longitude: number): string {
  const part = (n: number, plus: string, minus: string) => `${Math.abs(n).toFixed(4)}° ${n < 0 ? minus : plus}`;
  return `${part(latitude, 'N', 'S')}, ${part(longitude, 'E', 'W')}`;
}

/** `UTC+5:30` for 330. */
export function sayUtc(minutes: number): string {
  const abs = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(abs / 60)}${abs % 60 ? `:${String(abs % 60).padStart(2, '0')}` : ''}`;
}
/** `+1:30`, `−5:00` for a clock's seconds. */
export function sayShift(seconds: number): string {
  const minutes = Math.round(Math.abs(seconds) / 60);
  return `${seconds < 0 ? '−' : '+'}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}
export interface PlaceNames { street: string | null; neighbourhood: string | null; city: string | null; region: string | null; country: string | null; distance_m: number | null }
/** `Levanto, Liguria, Italy`, `Near Levanto (4.3 km), …` where it is some way off; undefined where nothing is named. */
export function sayPlace(place: PlaceNames): string | undefined {
  const label = placeLabel(place);
  return label === '' ? undefined : label.charAt(0).toUpperCase() + label.slice(1);
}
/** Above this share of a day one place stands for it; farther off than this a town is only near. */
const MAIN_SHARE = 0.7;
const NEAR_M = 10_000;
/** A day's place beside its title: the town that most of its photos are from, or the two where it was spent; '' where none is known. */
export function sayDayPlace(places: readonly { city: string | null; country: string | null; distance_m: number | null; n: number }[]): string {
  const named = places.map((place) => {
    const metres = place.distance_m ?? 0;
    return { ...place, town: place.city === null || metres > PLACE_FAR_M ? null : metres > NEAR_M ? `near ${place.city}` : place.city };
  });
  const [first, second] = named;
  if (!first) return '';
  const alone = !first.town || !second?.town || second.town === first.town || first.n / named.reduce((n, place) => n + place.n, 0) > MAIN_SHARE;
  const towns = alone ? first.town : `${first.town} and ${second.town}`;
  const country = (alone || first.country === second?.country) && first.country !== first.city ? first.country : null;
  const text = [towns, country].filter(Boolean).join(', ') || first.country || '';
  return text.charAt(0).toUpperCase() + text.slice(1);
}
const PLACE_SOURCES: Record<PlaceSource, string> = { offline: 'named offline', nominatim: 'named by Nominatim, © OpenStreetMap contributors' };
export function sayPlaceSource(source: PlaceSource): string {
  return PLACE_SOURCES[source];
}
const POSITION_SOURCES: Record<ValueSource, string> = { owner: 'position as you set it', xmp: 'position from a sidecar (XMP)', takeout: 'position from Google Takeout', file: 'position from GPS' };
export function sayPositionSource(source: ValueSource): string {
  return POSITION_SOURCES[source];
}
const WORD_SOURCES: Record<ValueSource, string> = { owner: 'as you wrote it', xmp: 'from a sidecar (XMP)', takeout: 'from Google Takeout', file: 'from inside the file' };
export function sayWordSource(source: ValueSource): string {
  return WORD_SOURCES[source];
}
const STACK_WORDS: Record<StackType, string> = { live: 'Video of the Live Photo', raw: 'RAW file', edited: 'Edited version', burst: 'From the same burst' };
export function sayStack(type: StackType): string {
  return STACK_WORDS[type];
}

const PROBLEMS: Record<ProblemCode, { title: string; help: string }> = {
  unreadable: { title: 'Could not be opened', help: 'The system or the drive refused to hand them out. Check the permissions, or the drive itself.' },
  vanished: { title: 'Gone before they were read', help: 'They were listed, and then were no longer there. The next scan looks again.' },
  changed_while_read: { title: 'Still being written', help: 'They changed while they were read. The next scan reads them again.' },
  empty: { title: 'Empty files', help: 'There is not one byte in them.' },
  truncated: { title: 'Cut short', help: 'The end of the file is missing. What there is of the picture is shown.' },
  damaged: { title: 'Damaged', help: 'The file does not hold a picture that can be read. Another copy may still be whole.' },
  too_large: { title: 'Too large', help: 'The picture would need more memory than is safe to give.' },
  unsupported: { title: 'Formats that cannot be shown yet', help: 'They are safe where they are.' },
  not_media: { title: 'Not photos or videos', help: 'The name says one thing, the content another.' },
  bad_name: { title: 'Names that cannot be kept', help: 'The name of the file is not valid text. Renaming it helps.' },
  bad_metadata: { title: 'Odd facts inside', help: 'What the file says of itself makes no sense, so it was left out.' },
  privacy: { title: 'Held back by macOS', help: 'Allow it under System Settings, Privacy & Security, Files and Folders (or Full Disk Access), for the program that runs Jharokha.' },
  placeholder: { title: 'Only in the cloud', help: 'The file itself is not on this computer. Opening it would download it, so it was left alone.' },
  decoder_crashed: { title: 'The decoder gave up', help: 'The file made the picture decoder crash. Everything else went on.' },
  decoder_timeout: { title: 'Took too long', help: 'The decoder did not finish in time.' },
  disk_full: { title: 'No room left', help: 'The disk with Jharokha’s own data is full.' },
  other: { title: 'Something else', help: 'The reason stands beside each file.' },
};
export function sayProblem(code: ProblemCode): { title: string; help: string } {
  return PROBLEMS[code];
}

export interface ProgressWords { text: string; short: string; share: number | null }
/** The one line about what the agent does now; undefined while it rests. */
export function sayProgress(status: AgentStatus | null): ProgressWords | undefined {
  if (!status || status.phase === 'idle') return undefined;
  const seen = status.counts?.seen ?? 0;
  const eta = status.eta_s === null ? '' : `, ${sayEta(status.eta_s)}`;
  const name = status.root ? lastPart(status.root) : 'your folders';
  if (status.phase === 'scanning') {
    const waiting = status.pending.facts;
    const total = waiting === null ? null : seen + waiting;
    const of = total !== null && total > seen ? ` of about ${sayNumber(total)}` : '';
    return { text: `Reading ${name}: ${sayNumber(seen)}${of}${eta}`, short: total !== null && total > seen ? `${Math.floor((seen / total) * 100)} %` : `${sayNumber(seen)} read`, share: total ? seen / total : null };
  }
  if (status.phase === 'rendering') {
    const left = status.pending.previews ?? 0;
    return { text: `Making larger previews: ${sayNumber(left)} to go${eta}`, short: `${sayNumber(left)} to go`, share: null };
  }
  if (status.phase === 'embedding') {
    const left = status.pending.vectors ?? 0;
    return { text: `Looking at photos for the search: ${sayNumber(left)} to go${eta}`, short: `${sayNumber(left)} to go`, share: null };
  }
  if (status.phase === 'proxies') {
    const left = status.pending.proxies ?? 0;
    return { text: `Making small videos: ${sayNumber(left)} to go${eta}`, short: `${sayNumber(left)} to go`, share: null };
  }
  return { text: `Bringing the library up to date${eta}`, short: 'Updating', share: null };
}

/** Characters that draw nothing, or turn what follows about: shown as what they are, so that no name can pose as another. The joiners inside emoji and Indic words stay. */
const UNSEEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
/** A name or path as it may be shown: `⟨U+202E⟩` instead of a right-to-left override, `↵` instead of a newline. */
export function showName(text: string): string {
  return text.replace(UNSEEN, (c) => (c === '\n' ? '↵' : `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`));
}

/** The last part of a path, for a short name of a folder. */
export function lastPart(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? path;
}

/** A file's address in pages: `encodeURIComponent` for ids that may hold anything. */
export function idPath(id: string): string {
  return encodeURIComponent(id);
}
/** An element's id for any text. */
export function elementId(prefix: string, id: string): string {
  return `${prefix}-${id.replace(/[^A-Za-z0-9_-]/g, (c) => `_${c.charCodeAt(0).toString(16)}`)}`;
}
