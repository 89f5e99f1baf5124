// Names of a made-up Takeout export, of every naming that is known, with the answer: for the bench of matching and pairing, and for its tests.
import type { FolderNames, Match } from '../agent/pipeline/match.ts';
import { createRandom } from '../scripts/demo-scenes.ts';

/** A folder's names and what belongs to what among them. */
export interface MadeFolder { name: string; names: FolderNames; expected: Match[] }

/** Photos in a folder, between a short album and a year. */
const PER_FOLDER = [40, 300, 2_000];
const SUFFIX = '.supplemental-metadata';
const MARKS = ['edited', 'bearbeitet', 'modifié', 'editado', 'edytowane', '編集済み', 'bewerkt', 'modificato'];

interface Draft { media: FolderNames['media'][number][]; sidecars: FolderNames['sidecars'][number][]; expected: Match[] }
interface Kind { share: number; make: (draft: Draft, id: string, random: () => number) => void }

const KINDS: readonly Kind[] = [
  { share: 40, make: (d, id, random) => { photo(d, `IMG_${id}.jpg`, random); } },
  { share: 8, make: (d, id, random) => { const s = photo(d, `PXL_${id}.MP.jpg`, random); add(d, `PXL_${id}.MP`, s, 'live'); } },
  { share: 14, make: (d, id, random) => { const s = photo(d, `IMG_${id}.HEIC`, random); add(d, `IMG_${id}.MP4`, s, 'live'); } },
  { share: 8, make: (d, id, random) => { const s = photo(d, `DSC_${id}.JPG`, random); add(d, `DSC_${id}-${MARKS[Math.floor(random() * MARKS.length)]}.JPG`, s, 'edited'); } },
  { share: 6, make: (d, id, random) => { photo(d, `Scan${id}.jpg`, random); photo(d, `Scan${id}.jpg`, random, 1); photo(d, `Scan${id}.jpg`, random, 2); } },
  { share: 5, make: (d, id, random) => { photo(d, `An_evening_by_the_sea_${id}_${'x'.repeat(20)}_and_more_of_it.jpg`, random); } },
  { share: 4, make: (d, id, random) => { const s = photo(d, `An_evening_in_the_hills_${id}_${'y'.repeat(20)}_and_more.jpg`, random); add(d, `${cutStem(`An_evening_in_the_hills_${id}_${'y'.repeat(20)}`)}(1).jpg`, s, 'copy'); } },
  { share: 4, make: (d, id, random) => { photo(d, `what? ${id} <a&b>.png`, random); } },
  { share: 4, make: (d, id, random) => { photo(d, `PXL_${id}~2.jpg`, random); } },
  { share: 2, make: (d, id, random) => { const s = photo(d, id, random); add(d, `${id}-edited.jpg`, s, 'edited'); } },
  { share: 2, make: (d, id, random) => { photo(d, `Café à ${id}.jpg`, random); } },
  { share: 2, make: (d, id, random) => { photo(d, `${'😀🥲😇🙂😉😌😍🥰😘'.repeat(2)}${id}😛😋😜.jpg`, random); } },
  { share: 3, make: (d, id) => { d.media.push({ name: `VID_${id}.mp4`, kind: 'video' }); } },
  { share: 2, make: (d, id) => { d.sidecars.push({ name: `elsewhere_${id}.jpg.json`, format: 'takeout', title: `elsewhere_${id}.jpg` }); } },
  { share: 2, make: (d, id) => { const name = `_MG_${id}`; for (const ext of ['CR2', 'JPG']) add(d, `${name}.${ext}`, `${name}.xmp`, 'own'); d.sidecars.push({ name: `${name}.xmp`, format: 'xmp', title: null }); } },
];
const SHARES = KINDS.reduce((sum, kind) => sum + kind.share, 0);

/**
 * About `count` names (media and sidecars, at least so many) in folders of realistic sizes, or all in one; the same for one
 * seed on every machine. Digits differ in every photo, so that its files have no other candidates.
 */
export function makeExport(count: number, seed: number, options: { oneFolder?: boolean } = {}): MadeFolder[] {
  const random = createRandom(seed);
  const folders: MadeFolder[] = [];
  let made = 0, id = 0;
  while (made < count) {
    const draft: Draft = { media: [], sidecars: [], expected: [] };
    const photos = options.oneFolder ? Infinity : (PER_FOLDER[Math.floor(random() * PER_FOLDER.length)] ?? 40);
    for (let i = 0; i < photos && made + draft.media.length + draft.sidecars.length < count; i += 1) {
      id += 1;
      pickKind(random).make(draft, String(id).padStart(6, '0'), random);
    }
    made += draft.media.length + draft.sidecars.length;
    folders.push({ name: `Photos ${folders.length + 1}`, names: { media: draft.media, sidecars: draft.sidecars }, expected: draft.expected });
  }
  return folders;
}

function pickKind(random: () => number): Kind {
  let at = random() * SHARES;
  for (const kind of KINDS) { at -= kind.share; if (at < 0) return kind; }
  return KINDS[0] as Kind;
}

function add(draft: Draft, media: string, sidecar: string, how: Match['how']): void {
  draft.media.push({ name: media, kind: /\.(mp4|mp)$/i.test(media) ? 'video' : 'image' });
  draft.expected.push({ sidecar, media, how });
}

/** A media file and its sidecar as an export of the old or the new kind names them; answers the sidecar's name. */
function photo(draft: Draft, title: string, random: () => number, number = 0): string {
  const replaced = title.replace(/[<>:"/\\|?*&]/g, '_');
  const at = replaced.lastIndexOf('.');
  // A title without an extension: the export gives the file one.
  const [stem, extension] = at < 0 ? [replaced, '.jpg'] : [replaced.slice(0, at), replaced.slice(at)];
  const suffix = random() < 0.5 ? SUFFIX : '';
  const numbered = number === 0 ? '' : `(${number})`;
  const sidecar = `${`${replaced}${suffix}`.slice(0, 46)}${numbered}.json`;
  draft.sidecars.push({ name: sidecar, format: 'takeout', title });
  const media = `${cutStem(stem)}${numbered}${extension}`;
  // Some copies have been through a file system that takes letters apart.
  add(draft, random() < 0.5 ? media : media.normalize('NFD'), sidecar, 'own');
  return sidecar;
}

/** 47 units, and a character that would be halved is kept whole. */
function cutStem(stem: string): string { return stem.slice(0, /[\uD800-\uDBFF]/.test(stem.charAt(46)) ? 48 : 47); }
