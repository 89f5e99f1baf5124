// Sidecars whose media lies in a folder of another name: moved out of the export, or on another drive. Takeout's sidecars
// say the title of their file, which is the only thread left, and a thin one.
//
// The rule, so that no picture gets another's facts. A waiting sidecar and a file without one belong together where the
// file's name is the sidecar's title, and
// - the file says itself when it was taken, and that is the sidecar's moment, give or take a clock's offset; or it says
//   nothing, the title is of the kind that programs count up (four digits or more), the sidecar is not a numbered one
//   (`X.jpg(1).json` is about the second X.jpg), and there is no other waiting sidecar of this title;
// - among all files in the catalog, on whatever drives, exactly one content fits the sidecar, and it fits no other sidecar
//   that says something else.
// What fits two ways fits none; a later file or sidecar can so take a match back. The answer depends on what is there,
// never on the order in which it came.
import type { Catalog } from '../catalog/catalog.ts';
import { splitPath } from '../catalog/files.ts';
import { listMarkedKeys, listRelatedFolders, unmarkKeys } from '../catalog/relations.ts';
import { addCandidate, listCandidatesOf, listTitlesToLook, listWaiting, setCandidateSaid, setLooked, setMatchedByTitle, type Candidate, type Waiting } from '../catalog/sidecars.ts';
import type { AssetFacts, ImportFacts } from '../../protocol/rows.ts';
import { couldBeFor, titleKey } from './match.ts';
import { compareWithSidecar, type Timed } from './moments.ts';
import { importsText } from './relate-folders.ts';

const TITLES_AT_ONCE = 500;
/** Sidecars times files of one title that are compared: beyond it (`IMG_0001.JPG` of a hundred cameras) a title says nothing. */
const MAX_COMPARED = 10_000;
const COUNTED = /\d{4}/;

/** Looks once among all known files for titles that began to wait; files that come later are seen when their folder is related. */
export async function lookForTitles(catalog: Catalog, pace: () => Promise<void>): Promise<void> {
  const titles = listTitlesToLook(catalog);
  if (titles.size === 0) return;
  // A file that has a Takeout sidecar needs none; the mark is our own JSON, in which a text cannot hold a bare quote.
  const select = catalog.prepare(`SELECT name FROM files WHERE volume_id = ? AND dir = ? AND seen_as = 'asset' AND instr(imports, '"source":"takeout"') = 0`, true);
  for (const folder of listRelatedFolders(catalog)) {
    const found = (select.all(folder.volume_id, folder.dir) as unknown as [string][]).map(([name]) => ({ name, key: titleKey(name) })).filter(({ key }) => titles.has(key));
    if (found.length > 0) catalog.transact(() => { for (const { name, key } of found) addCandidate(catalog, folder, name, key); });
    await pace();
  }
  catalog.transact(() => { setLooked(catalog, titles); });
}

/** Settles every marked title. */
export async function relateTitles(catalog: Catalog, pace: () => Promise<void>): Promise<void> {
  for (let keys = listMarkedKeys(catalog, 'title', TITLES_AT_ONCE); keys.length > 0; keys = listMarkedKeys(catalog, 'title', TITLES_AT_ONCE)) {
    catalog.transact(() => {
      for (const key of keys) relateTitle(catalog, key);
      unmarkKeys(catalog, 'title', keys);
    });
    await pace();
  }
}

function relateTitle(catalog: Catalog, key: string): void {
  const waiting = listWaiting(catalog, key);
  const candidates = listCandidatesOf(catalog, key);
  const said = choose(catalog, waiting, candidates);
  for (const candidate of candidates) {
    const next = said.get(candidate) ?? null;
    if (next !== candidate.said) { setCandidateSaid(catalog, candidate, next); writeSaid(catalog, candidate, next); }
  }
  for (const sidecar of waiting) setMatchedByTitle(catalog, sidecar, [...said.values()].filter((s) => s === sidecar.said).length);
  if (waiting.length === 0) catalog.prepare('DELETE FROM title_candidates WHERE title_key = ?').run(key);
}

/** What each candidate gets, by the rule above. */
function choose(catalog: Catalog, waiting: readonly Waiting[], candidates: readonly Candidate[]): Map<Candidate, string> {
  const chosen = new Map<Candidate, string>();
  const sidecars = new Map(waiting.map((s) => [s.said, s]));
  if (sidecars.size * candidates.length > MAX_COMPARED) return chosen;
  const fits: { sidecar: Waiting; candidate: Candidate; sha256: string }[] = [];
  for (const candidate of candidates) {
    const file = readTimed(catalog, candidate);
    if (!file) continue;
    for (const sidecar of sidecars.values()) if (couldBelong(sidecar, candidate, file, sidecars.size === 1)) fits.push({ sidecar, candidate, sha256: file.sha256 });
  }
  const contents = Map.groupBy(fits, (f) => f.sidecar);
  const words = Map.groupBy(fits, (f) => f.sha256);
  const isOne = (values: readonly unknown[]) => new Set(values).size === 1;
  for (const fit of fits) {
    if (isOne((contents.get(fit.sidecar) ?? []).map((f) => f.sha256)) && isOne((words.get(fit.sha256) ?? []).map((f) => f.sidecar))) chosen.set(fit.candidate, fit.sidecar.said);
  }
  return chosen;
}

function couldBelong(sidecar: Waiting, candidate: Candidate, file: Timed, only: boolean): boolean {
  // Folders of one name were compared by names already (relate-folders.ts), which say more than titles.
  const leaf = (dir: string) => splitPath(dir).name.normalize('NFC');
  if (leaf(sidecar.dir) !== '' && leaf(sidecar.dir) === leaf(candidate.dir)) return false;
  if (!couldBeFor(sidecar.title, candidate.name)) return false;
  const times = compareWithSidecar(file, (JSON.parse(sidecar.said) as ImportFacts).time_claims);
  return times === 'agree' || (times === 'silent' && only && COUNTED.test(sidecar.title) && !/\(\d+\)/.test(sidecar.name));
}

function readTimed(catalog: Catalog, c: Candidate): (Timed & { sha256: string }) | undefined {
  const row = catalog.prepare("SELECT a.facts FROM files f CROSS JOIN assets a ON a.sha256 = f.sha256 WHERE f.volume_id = ? AND f.dir = ? AND f.name = ? AND f.seen_as = 'asset'").get(c.volume_id, c.dir, c.name);
  return row ? JSON.parse(row['facts'] as string) as AssetFacts : undefined;
}

/** A candidate has no Takeout sidecar of its own, so whatever is Takeout's among its imports came from here. */
function writeSaid(catalog: Catalog, c: Candidate, said: string | null): void {
  const row = catalog.prepare('SELECT imports FROM files WHERE volume_id = ? AND dir = ? AND name = ?').get(c.volume_id, c.dir, c.name);
  if (!row) return;
  const own = (JSON.parse(row['imports'] as string) as ImportFacts[]).filter((i) => i.source !== 'takeout').map((i) => JSON.stringify(i));
  const imports = importsText(said === null ? own : [...own, said]);
  if (imports !== row['imports']) catalog.prepare('UPDATE files SET imports = ?, revision = ? WHERE volume_id = ? AND dir = ? AND name = ?').run(imports, catalog.nextRevision(), c.volume_id, c.dir, c.name);
}
