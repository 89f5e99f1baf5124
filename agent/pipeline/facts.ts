// From tags to the facts of an asset: camera, exposure, position and zone, caption, time claims, and what is odd about them.
import { addProblem as addOnce } from '../catalog/assets.ts';
import type { AssetProblem } from '../../protocol/rows.ts';
import { claimsOf, type MetaTags } from './claims.ts';
import { descriptionOf, keywordsOf, ratingOf } from './caption.ts';
import { cleanNumber, cleanText, positiveNumber } from './text.ts';
import type { ByteFacts } from './types.ts';
import { zoneAt } from './zone.ts';

/** A position closer than this to 0,0 (100 m) is a receiver without a fix: nobody photographs the buoy there. */
const NULL_ISLAND_DEGREES = 0.001;
const MAX_REASON = 300;

/** Facts of one file from its tags. Sizes and colour are the decoder's to fill in. */
export async function factsOf(kind: 'image' | 'video', mime: string, tags: MetaTags): Promise<ByteFacts> {
  const { claims, problems } = claimsOf(tags);
  const position = positionOf(tags, problems);
  const exposure = { time_s: positiveNumber(tags.exposureTime), f_number: positiveNumber(tags.fNumber), iso: positiveNumber(tags.iso), focal_mm: positiveNumber(tags.focal) };
  const duration = cleanNumber(tags.durationS);
  return {
    kind, mime: mime.slice(0, 100), width: null, height: null,
    duration_ms: kind === 'video' && duration !== null && duration >= 0 && duration < 1e7 ? Math.round(duration * 1000) : null,
    color: null, camera: cameraName(tags.make, tags.model), lens: cleanText(tags.lens),
    exposure: Object.values(exposure).some((v) => v !== null) ? exposure : null,
    latitude: position?.latitude ?? null, longitude: position?.longitude ?? null,
    gps_zone: position ? await zoneAt(position.latitude, position.longitude) : null,
    content_identifier: cleanText(tags.contentIdentifier), motion: null,
    description: descriptionOf(tags), rating: ratingOf(tags.rating), tags: keywordsOf(tags), time_claims: claims, problems,
  };
}

/** A position that can be one, to the centimetre; else null, and a problem where the file says something else. */
export function positionOf(tags: Pick<MetaTags, 'latitude' | 'longitude'>, problems: AssetProblem[]): { latitude: number; longitude: number } | null {
  const { latitude, longitude } = tags;
  if (latitude === undefined || longitude === undefined) return null;
  // Both parts NaN is how a camera without a fix fills its tags: nothing is said, so nothing is wrong.
  if (Number.isNaN(latitude) && Number.isNaN(longitude)) return null;
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude) || Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    problems.push({ code: 'bad_metadata', reason: `the position is impossible: ${latitude}, ${longitude}` });
    return null;
  }
  if (Math.abs(latitude) < NULL_ISLAND_DEGREES && Math.abs(longitude) < NULL_ISLAND_DEGREES) {
    problems.push({ code: 'bad_metadata', reason: 'position 0,0 is doubtful' });
    return null;
  }
  return { latitude: round(latitude), longitude: round(longitude) };
}

/** Seven decimals are a centimetre: more is noise of the division. */
function round(degrees: number): number { return Math.round(degrees * 1e7) / 1e7; }

/** Maker and model as one name, without the maker twice and without its legal form. */
export function cameraName(make: unknown, model: unknown): string | null {
  const maker = cleanText(make)?.replace(/[\s,]+(corporation|corp\.?|imaging corp\.?|optical co\.?.*|co\.?,? ?ltd\.?|electronics|company|inc\.?|gmbh|camera ag)\b.*$/i, '').trim() || null;
  const name = cleanText(model);
  if (!name) return maker;
  if (!maker) return name;
  const first = (maker.split(/\s+/)[0] ?? maker).toLowerCase();
  return name.toLowerCase().startsWith(first) ? name : `${maker} ${name}`;
}

/** Adds a problem once, cut to what a line of a page takes. */
export function addProblem(facts: Pick<ByteFacts, 'problems'>, { code, reason }: AssetProblem): void {
  addOnce(facts, { code, reason: reason.slice(0, MAX_REASON) });
}
