// What kind of picture an asset is, as searches ask for it: bits made from what is known of it and from its files' names.
// Cautious where only a name speaks: a wrong "screenshot" hides a photograph from who looks for photographs alone.
import { traitBit, type AssetTrait } from '../../protocol/search.ts';

export interface TraitFacts {
  kind: string; mime: string; camera: string | null; lens: string | null; width: number | null; height: number | null;
  motion: boolean;
  /** Types of the stacks' members that stand under it. */
  memberTypes: readonly string[];
  /** Paths of its own files. */
  paths: readonly string[];
  tags: readonly string[]; description: string | null;
}

/** At least this wide (or high): what no sensor gives by itself. 16:9 is 1.78, a cinema crop 2.39 but from no camera. */
const PANORAMA_RATIO = 2.2;
/** Names that systems give to pictures of a screen, in the languages of many. Compared without case, accents and blanks. */
const SCREENSHOT_WORDS = [
  'screenshot', 'screen shot', 'screen_shot', 'screencap', 'bildschirmfoto', "capture d'écran", 'capture d’écran', 'capture d_écran', 'captura de pantalla', 'captura de tela', 'captura de ecrã', 'schermata', 'skärmbild', 'skärmavbild',
  'skjermbilde', 'skærmbillede', 'schermafbeelding', 'zrzut ekranu', 'näyttökuva', 'ekran görüntüsü', 'снимок экрана', 'скриншот', 'スクリーンショット', '截屏', '屏幕快照', '屏幕截图', '螢幕快照', '스크린샷', '스크린 샷', 'स्क्रीनशॉट', 'ภาพหน้าจอ', 'لقطة شاشة',
];
const plain = (text: string) => text.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f\s]/g, '');
const SCREENSHOT_PLAIN = SCREENSHOT_WORDS.map(plain);
const SCREENSHOT_FOLDER = /(^|\/)(screenshots?|bildschirmfotos|captures d.écran|capturas de pantalla)\//i;
const PANORAMA_NAME = /^(PANO[_-]|.*[-_. ]PANO(RAMA)?[-_. ]|Panorama\b)/i;
const SELFIE_NAME = /(^|[^a-z])selfie([^a-z]|$)/i;
const FRONT_LENS = /\bfront\b/i;

export function traitsOf(facts: TraitFacts): number {
  const has = new Set<AssetTrait>([facts.kind === 'video' ? 'video' : 'photo']);
  const names = facts.paths.map((path) => path.slice(path.lastIndexOf('/') + 1));
  const says = (words: string | null) => words !== null && SCREENSHOT_PLAIN.includes(plain(words));
  if (facts.memberTypes.includes('live')) has.add('live');
  if (facts.motion) has.add('motion');
  if (facts.mime.startsWith('image/x-') || facts.memberTypes.includes('raw')) has.add('raw');
  if (names.some(isScreenshotName) || facts.paths.some((path) => SCREENSHOT_FOLDER.test(path)) || facts.tags.some(says) || says(facts.description)) has.add('screenshot');
  const ratio = facts.width && facts.height ? Math.max(facts.width / facts.height, facts.height / facts.width) : 1;
  if (facts.kind === 'image' && !has.has('screenshot') && ((facts.camera !== null && ratio >= PANORAMA_RATIO) || names.some((name) => PANORAMA_NAME.test(name)))) has.add('panorama');
  if (FRONT_LENS.test(facts.lens ?? '') || names.some((name) => SELFIE_NAME.test(name))) has.add('selfie');
  return [...has].reduce((bits, trait) => bits | traitBit(trait), 0);
}

/** The word starts the name, or follows an app's name in it: `Screenshot_2024…`, `com.app Screenshot 3.png`. */
function isScreenshotName(name: string): boolean {
  const folded = plain(name);
  return SCREENSHOT_PLAIN.some((word) => folded.includes(word));
}
