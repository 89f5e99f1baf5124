// What a download of originals leaves out, and what would bring it.
import { sayDriveName, type DriveName } from './drive-names.tsx';
import { sayCount } from './words.ts';

/** A drive that is away, and what of the download lies there. */
export interface AwayDrive extends DriveName { assets: number }

/** `3 are on ‘Old HDD’, which is away.` Null where nothing is left out. */
export function sayLeftOut(away: readonly AwayDrive[], gone: number): string | null {
  const lines = away.map((drive) => `${sayCount(drive.assets, 'is', 'are')} on ${sayDriveName(drive)}, which is away.`);
  if (gone > 0) lines.push(`${sayCount(gone, 'is', 'are')} not where ${gone === 1 ? 'it was' : 'they were'}, or changed since.`);
  return lines.length > 0 ? lines.join(' ') : null;
}

/** Why nothing comes: `Plug in ‘Blue SSD’ to download the original.` */
export function sayPlugInFor(away: readonly DriveName[], what: 'the original' | 'the originals'): string {
  return away.length > 0 ? `Plug in ${away.map(sayDriveName).join(' or ')} to download ${what}.` : `No copy of ${what} is where it was.`;
}
