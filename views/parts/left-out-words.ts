// What a download of originals leaves out, and what would bring it.
import { sayCount, showName } from './words.ts';

/** A drive that is away: the owner's name for it, what is written on it, and what of the download lies there. */
export interface AwayDrive { name: string; note: string | null; assets: number }

/** ‘Blue SSD’ (in the drawer). */
export function sayDriveName(drive: { name: string; note: string | null }): string { return `‘${showName(drive.name)}’${drive.note ? ` (${showName(drive.note)})` : ''}`; }

/** `3 are on ‘Old HDD’, which is away.` Null where nothing is left out. */
export function sayLeftOut(away: readonly AwayDrive[], gone: number): string | null {
  const lines = away.map((drive) => `${sayCount(drive.assets, 'is', 'are')} on ${sayDriveName(drive)}, which is away.`);
  if (gone > 0) lines.push(`${sayCount(gone, 'is', 'are')} not where ${gone === 1 ? 'it was' : 'they were'}, or changed since.`);
  return lines.length > 0 ? lines.join(' ') : null;
}

/** Why nothing comes: `Plug in ‘Blue SSD’ to download the original.` */
export function sayPlugInFor(away: readonly Pick<AwayDrive, 'name' | 'note'>[], what: 'the original' | 'the originals'): string {
  return away.length > 0 ? `Plug in ${away.map(sayDriveName).join(' or ')} to download ${what}.` : `No copy of ${what} is where it was.`;
}
