// Drives by name, with the owner's note of where they lie: ‘Blue SSD’ (office drawer). Names are hostile text.
import { sayNumber, showName } from './words.ts';

export interface DriveName { label: string; note: string | null }

/** ‘Blue SSD’ (office drawer), for a sentence that is text. */
export function sayDriveName(drive: DriveName): string { return `‘${showName(drive.label)}’${drive.note ? ` (${showName(drive.note)})` : ''}`; }

/** Drives named in one sentence; the rest is a number. */
const MAX_NAMED = 3;

export function DriveNames(props: { drives: readonly DriveName[] }) {
  const named = props.drives.slice(0, MAX_NAMED);
  const more = props.drives.length - named.length;
  return (
    <>
      {named.map((drive, i) => <>{i > 0 && (i === named.length - 1 && more === 0 ? ' and ' : ', ')}‘<bdi>{showName(drive.label)}</bdi>’{drive.note && <> (<bdi>{showName(drive.note)}</bdi>)</>}</>)}
      {more > 0 && ` and ${sayNumber(more)} more`}
    </>
  );
}
