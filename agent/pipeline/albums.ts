// The albums that an export keeps as folders: which folders are some, and by what key they are known. Pure.
import { createHash } from 'node:crypto';
import type { AlbumImport } from '../../protocol/rows.ts';

/** The protocol's bounds. */
const MAX_KEY = 500;
const MAX_TITLE = 500;

// Takeout puts every picture into a folder of its year, "Photos from 2019" in the account's language, and in some languages
// and years of the export that folder has its metadata.json like an album; older exports did so by day. Nobody made these
// albums, and as albums they would only repeat the timeline. So a folder that is named as such a folder, or whose file says
// such a title, is none. A joining word is asked for: "Photos 2019" is what a person may have called an album.
const PICTURES = 'photos?|fotos?|foto[’\']s|foton|fotografie|fotografias?|fotografías|fotografii|fotky|fotók|fotod|zdjęcia|bilder|billeder|kuvat|valokuvat|myndir|slike|poze|ảnh|фото|фотографии|фотографії|фотографије|снимки|снимке|φωτογραφίες|תמונות|صور';
const JOINS = 'from|von|aus|vom|de|del|des|du|da|dal|dalla|di|do|din|dari|tahun|uit|van|fra|från|frå|frá|af|vuodelta|z|ze|zo|iz|roku|od|từ|năm|за|от|из|від|з|из|από|το|من|עם|משנת|מ';
const YEAR_FOLDERS = [
  new RegExp(`^(?:${PICTURES})(?:\\s+(?:${JOINS}))+[\\s-]*\\d{4}(?:\\s*(?:год|г\\.|року|р\\.))?$`, 'iu'),
  /^\d{4}\s*(?:年の写真|年的照片|年的相片|年照片|년(?:의)?\s*사진|(?:yılı(?:na ait)?\s*)?fotoğrafları|-ből származó fotók)$/iu,
];
const DAY_FOLDER = /^\d{4}-\d{2}-\d{2}(?: - \d{4}-\d{2}-\d{2})?(?: #\d+)?$/;

/** True for a folder, or its title, that the export made by itself: one for each year, or for each day. */
export function isAutomaticFolder(name: string): boolean {
  const text = name.normalize('NFC').trim();
  return DAY_FOLDER.test(text) || YEAR_FOLDERS.some((pattern) => pattern.test(text));
}

/**
 * The album of a folder whose file about itself says `title`, or null where it is none. Google tells two albums of one
 * title apart by their folders' names, so both make the key; the drive and the folders above do not, for the parts of an
 * export and its copies hold the same album.
 */
export function albumOf(leaf: string, title: string | null): AlbumImport | null {
  const text = (title ?? '').trim().slice(0, MAX_TITLE).toWellFormed();
  if (text === '' || isAutomaticFolder(text) || isAutomaticFolder(leaf)) return null;
  const key = `takeout:${leaf.normalize('NFC')}/${text.normalize('NFC')}`;
  return { key: key.length <= MAX_KEY ? key : `takeout:${createHash('sha256').update(key).digest('hex')}`, title: text };
}
