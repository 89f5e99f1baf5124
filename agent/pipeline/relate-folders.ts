// Folders related: sidecars to files, albums, pairs. A folder stands alone, but for exports: the parts of a Takeout hold
// folders of one name, and a file may lie in another part than its sidecar or its album's file. Such folders, on whatever
// drives, are related as one group, from the catalog alone: a drive that is away takes part.
import type { Catalog } from '../catalog/catalog.ts';
import { splitPath } from '../catalog/files.ts';
import { markNearDue, readHashes } from '../catalog/looks.ts';
import { basisOf, isExport, listFoldersNamed, listMarkedFolders, markFolder, markKey, putRelatedFolder, putRelations, putStacks, readConnected, registerFolder, unmarkFolder, type Folder } from '../catalog/relations.ts';
import { addCandidate, anyWaiting, isWaitedFor, listCandidates, listSidecars, removeCandidate, setMatched, type SidecarRow } from '../catalog/sidecars.ts';
import type { AlbumImport, ImportFacts, TimeClaim } from '../../protocol/rows.ts';
import { albumOf } from './albums.ts';
import { findBursts, type BurstFile } from './bursts.ts';
import { matchSidecars, titleKey, type Match } from './match.ts';
import { compareWithSidecar } from './moments.ts';
import { BASIS, chooseStacks, MAX_SAME_IDENTIFIER, pairFolder, pairOnDrive, type Relation } from './pairs.ts';
import type { SidecarFormat } from './sidecars.ts';

/** What the protocol takes. */
const MAX_IMPORTS = 8;

/** Hashes that hang together and are settled folder by folder: more would be read again for each folder that touches them. */
const MAX_CONNECTED = 100;

interface MediaFile extends BurstFile { missing: boolean; imports: string; albums: string; sidecars: Set<SidecarRow> }

/** One folder of a group, as the catalog has it, and what it was matched to so far. */
interface Part extends Folder {
  media: Map<string, MediaFile>;
  sidecars: Map<string, SidecarRow>;
  /** Files that each sidecar was matched to, here and in other parts. */
  matched: Map<SidecarRow, number>;
  /** Some file got a sidecar of another part. */
  joined: boolean;
}

/** The last part of a folder's path, as it is compared; empty for a volume's top, which is no part of anything. */
function leafOf(dir: string): string { return splitPath(dir).name.normalize('NFC'); }

export function folderKey({ volume_id, dir }: Folder): string { return `${volume_id}\0${dir}`; }

/** Before the first group: marked folders are known by their names, so that the parts of an export meet in one group. */
export function registerMarked(catalog: Catalog): void {
  catalog.transact(() => { for (const folder of listMarkedFolders(catalog)) registerFolder(catalog, leafOf(folder.dir), folder, folder); });
}

/** The folders that must be related together with this one: those of its name where any of them is of an export, else itself. */
export function groupOf(catalog: Catalog, folder: Folder): Folder[] {
  const leaf = leafOf(folder.dir);
  if (leaf === '' || !isExport(catalog, leaf)) return [folder];
  const named = listFoldersNamed(catalog, leaf);
  return named.some((f) => folderKey(f) === folderKey(folder)) ? named : [...named, folder];
}

/** Relates a group in one transaction. `done`: the folders of this run, which need not be marked for what is known already. */
export function relateGroup(catalog: Catalog, group: readonly Folder[], done: ReadonlySet<string>): void {
  catalog.transact(() => {
    const parts = group.map((folder) => readPart(catalog, folder));
    for (const part of parts) matchPart(part);
    if (parts.length > 1) matchAcross(parts);
    const albums = albumsOf(parts);
    for (const part of parts) for (const sidecar of part.sidecars.values()) setMatched(catalog, part, sidecar, part.matched.get(sidecar) ?? 0);
    parts.forEach((part, i) => {
      writeImports(catalog, part, albums[i] ?? null);
      writeRelations(catalog, part, done);
      const holds = (format: SidecarFormat) => [...part.sidecars.values()].some((s) => s.format === format);
      const there = part.media.size > 0 || part.sidecars.size > 0;
      putRelatedFolder(catalog, leafOf(part.dir), part, there ? { takeout: holds('takeout'), album: holds('album') } : null);
      unmarkFolder(catalog, part);
    });
    markNearDue(catalog);
  });
}

const MEDIA_COLUMNS = "f.name, f.sha256, f.imports, f.albums, a.kind, a.mime, a.size_bytes, f.missing_since_ms IS NOT NULL, json_extract(a.facts, '$.content_identifier', '$.duration_ms', '$.time_claims', '$.camera', '$.width', '$.height')";
type MediaRow = [name: string, sha256: string, imports: string, albums: string, kind: MediaFile['kind'], mime: string, sizeBytes: number, missing: number, rest: string];

function toMedia([name, sha256, imports, albums, kind, mime, size_bytes, missing, rest]: MediaRow): MediaFile {
  const [content_identifier, duration_ms, time_claims, camera, width, height] = JSON.parse(rest) as [string | null, number | null, TimeClaim[], string | null, number | null, number | null];
  return { name, sha256, imports, albums, kind, mime, size_bytes, missing: missing === 1, content_identifier, duration_ms, time_claims, camera, width, height, look: undefined, sidecars: new Set() };
}

function readPart(catalog: Catalog, { volume_id, dir }: Folder): Part {
  const rows = catalog.prepare(`SELECT ${MEDIA_COLUMNS} FROM files f CROSS JOIN assets a ON a.sha256 = f.sha256 WHERE f.volume_id = ? AND f.dir = ? AND f.seen_as = 'asset'`, true).all(volume_id, dir) as unknown as MediaRow[];
  const sidecars = listSidecars(catalog, { volume_id, dir });
  return { volume_id, dir, media: new Map(rows.map((r) => [r[0], toMedia(r)])), sidecars: new Map(sidecars.map((s) => [s.name, s])), matched: new Map(), joined: false };
}

// ---- Sidecars ----

function namesOf(media: Iterable<MediaFile>, sidecars: Iterable<SidecarRow>): Match[] {
  return matchSidecars({
    media: [...media].map(({ name, kind }) => ({ name, kind })), sidecars: [...sidecars].map(({ name, format, title }) => ({ name, format: format as SidecarFormat, title })),
  });
}

function join(part: Part, file: MediaFile, sidecar: SidecarRow): void {
  if (file.sidecars.has(sidecar)) return;
  file.sidecars.add(sidecar);
  part.matched.set(sidecar, (part.matched.get(sidecar) ?? 0) + 1);
}

function matchPart(part: Part): void {
  for (const match of namesOf(part.media.values(), part.sidecars.values())) {
    const file = part.media.get(match.media);
    const sidecar = part.sidecars.get(match.sidecar);
    if (file && sidecar) join(part, file, sidecar);
  }
}

/** Of a folder: for each file the sidecars beside it that speak of it, an AAE by its stem. */
export function sidecarsOfFolder(catalog: Catalog, folder: Folder): Map<string, string[]> {
  const part = readPart(catalog, folder);
  const found = new Map<string, string[]>();
  for (const match of namesOf(part.media.values(), part.sidecars.values())) put(found, match.media, match.sidecar);
  const stem = (name: string) => name.replace(/\.[^.]+$/, '').normalize('NFC').toLowerCase();
  const edits = [...part.sidecars.values()].filter((s) => s.format === 'aae');
  if (edits.length > 0) {
    const byStem = new Map<string, string[]>();
    for (const edit of edits) put(byStem, stem(edit.name), edit.name);
    for (const name of part.media.keys()) for (const edit of byStem.get(stem(name)) ?? []) put(found, name, edit);
  }
  return found;
}

function hasTakeout(file: MediaFile): boolean { return [...file.sidecars].some((s) => s.format === 'takeout'); }

/**
 * A file without a sidecar in its folder gets one of another part of the group, as if all lay in one folder, where
 * - the sidecar is a Takeout's (XMP and AAE stay beside their file), and it waits: no file of its own folder has it as its
 *   own. The original's may also serve for an edited copy, a Live Photo's video or a numbered copy in another part;
 * - the parts that have a sidecar of this name all say the same in it;
 * - what the file itself says of its capture is not on another day.
 * So two exports of different accounts, whose folders of one name hold other pictures under the same names, take nothing
 * from each other: each picture has its own sidecar, or none, and then the time tells.
 */
function matchAcross(parts: readonly Part[]): void {
  const waiting = new Set(parts.flatMap((p) => [...p.sidecars.values()].filter((s) => s.format === 'takeout' && !p.matched.has(s))));
  const alone = new Map<string, { part: Part; file: MediaFile }[]>();
  const media = new Map<string, MediaFile>();
  const sidecars = new Map<string, { part: Part; sidecar: SidecarRow }[]>();
  for (const part of parts) {
    for (const file of part.media.values()) {
      if (!media.has(file.name)) media.set(file.name, file);
      if (!hasTakeout(file)) put(alone, file.name, { part, file });
    }
    for (const sidecar of part.sidecars.values()) if (sidecar.format === 'takeout') put(sidecars, sidecar.name, { part, sidecar });
  }
  if (alone.size === 0 || sidecars.size === 0) return;
  for (const match of namesOf(media.values(), [...sidecars.values()].flatMap((s) => s[0]?.sidecar ?? []))) {
    for (const { part, file } of alone.get(match.media) ?? []) {
      const from = (sidecars.get(match.sidecar) ?? []).filter((s) => s.part !== part && (match.how !== 'own' || waiting.has(s.sidecar)));
      const said = new Set(from.map((s) => s.sidecar.said));
      const facts = said.size === 1 ? JSON.parse([...said][0] ?? 'null') as ImportFacts | null : null;
      if (!facts || compareWithSidecar(file, facts.time_claims) === 'apart') continue;
      for (const s of from) join(s.part, file, s.sidecar);
      part.joined = true;
    }
  }
}

function put<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/** Imports as the catalog keeps them: each once, in an order that depends on nothing but what they say. */
export function importsText(said: Iterable<string>): string {
  return `[${[...new Set(said)].filter((s) => s !== 'null').sort().slice(0, MAX_IMPORTS).join(',')}]`;
}

/** Writes what is said of each file, where it differs, and the candidates for sidecars that wait elsewhere. */
function writeImports(catalog: Catalog, part: Part, album: AlbumImport | null): void {
  const candidates = listCandidates(catalog, part);
  const search = anyWaiting(catalog);
  const albums = JSON.stringify(album ? [album] : []);
  for (const file of part.media.values()) {
    const said = [...file.sidecars].map((s) => s.said);
    const key = search && !hasTakeout(file) ? titleKey(file.name) : null;
    if (key !== null && isWaitedFor(catalog, key)) {
      const known = candidates.get(file.name);
      if (known?.title_key === key) {
        candidates.delete(file.name);
        // Its facts may have changed, and with them the answer; until then it keeps what it was given.
        if (known.said !== null) said.push(known.said);
        markKey(catalog, 'title', key);
      } else addCandidate(catalog, part, file.name, key);
    }
    const imports = importsText(said);
    if (imports === file.imports && albums === file.albums) continue;
    catalog.prepare('UPDATE files SET imports = ?, albums = ?, revision = ? WHERE volume_id = ? AND dir = ? AND name = ?').run(imports, albums, catalog.nextRevision(), part.volume_id, part.dir, file.name);
  }
  for (const gone of candidates.values()) removeCandidate(catalog, gone);
}

// ---- Albums ----

/**
 * The album of each part. A part without a file about the album belongs to that of its group where the group has but one,
 * and it is seen to be a part of an export: by a Takeout sidecar, by a file that got one from there, or by lying in a
 * folder of Google's. The owner's own folder of the same name is none.
 */
function albumsOf(parts: readonly Part[]): (AlbumImport | null)[] {
  const own = parts.map((part) => {
    const files = [...part.sidecars.values()].filter((s) => s.format === 'album');
    return files.length === 0 ? undefined : files.map((s) => albumOf(leafOf(part.dir), s.album_title)).find((a) => a !== null) ?? null;
  });
  const known = new Map(own.flatMap((a) => (a ? [[a.key, a] as const] : [])));
  const shared = known.size === 1 ? [...known.values()][0] ?? null : null;
  return parts.map((part, i) => {
    const mine = own[i];
    if (mine !== undefined) return mine;
    const exported = part.joined || [...part.sidecars.values()].some((s) => s.format === 'takeout') || /^google /i.test(splitPath(splitPath(part.dir).dir).name);
    return exported ? shared : null;
  });
}

// ---- Pairs ----

function writeRelations(catalog: Catalog, part: Part, done: ReadonlySet<string>): void {
  const files = [...part.media.values()];
  const relations = pairFolder(files);
  const byIdentifier = new Map(relations.filter((r) => r.basis === BASIS.identifier).map((r) => [r.member, r]));
  for (const file of files) {
    if (file.content_identifier === null) continue;
    if (file.kind === 'video' && !byIdentifier.has(file.sha256)) {
      const found = pairOnDrive(file, findStills(catalog, part.volume_id, file.content_identifier));
      if (found) relations.push(found);
    } else if (file.kind === 'image') {
      // The relation is written in the video's folder, so that one looks again; not where the video has a still beside it.
      for (const [dir, sha256] of findVideos(catalog, part.volume_id, file.content_identifier)) {
        const folder = { volume_id: part.volume_id, dir };
        if (!done.has(folderKey(folder)) && basisOf(catalog, folder, sha256) !== BASIS.identifier) markFolder(catalog, part.volume_id, dir);
      }
    }
  }
  settleStacks(catalog, putRelations(catalog, part, chooseStacks([...relations, ...burstsOf(catalog, files, relations)])));
}

/** Of what is there: a burst without its files is none. */
function burstsOf(catalog: Catalog, files: readonly MediaFile[], relations: readonly Relation[]): Relation[] {
  const there = files.filter((file) => file.kind === 'image' && !file.missing);
  if (there.length < 2) return [];
  const hashes = readHashes(catalog, there.filter((file) => file.camera !== null).map((file) => file.sha256));
  return findBursts(there.map((file) => ({ ...file, look: hashes.get(file.sha256) })), new Set(relations.flatMap((r) => [r.member, r.primary])));
}

/** Stacks of these members now, where little hangs on each; the others' once every folder has been related (relate.ts). */
function settleStacks(catalog: Catalog, members: readonly string[]): void {
  const settled = new Set<string>();
  for (const member of members) {
    if (settled.has(member)) continue;
    const connected = readConnected(catalog, [member], MAX_CONNECTED);
    if (!connected) { markKey(catalog, 'member', member); continue; }
    putStacks(catalog, connected.hashes, chooseStacks(connected.relations));
    for (const hash of connected.hashes) settled.add(hash);
  }
}

/** Files of a volume whose asset carries this identifier; `?1` volume, `?2` identifier, `?3` kind. */
const WITH_IDENTIFIER = `(SELECT * FROM assets INDEXED BY assets_by_identifier WHERE facts ->> '$.content_identifier' = ?2 AND facts ->> '$.content_identifier' IS NOT NULL AND kind = ?3
  ORDER BY sha256 LIMIT ${MAX_SAME_IDENTIFIER}) a CROSS JOIN files f INDEXED BY files_by_sha256 ON f.sha256 = a.sha256 WHERE f.volume_id = ?1 AND f.seen_as = 'asset' ORDER BY f.dir, f.name LIMIT ${MAX_SAME_IDENTIFIER}`;

function findStills(catalog: Catalog, volumeId: string, identifier: string): MediaFile[] {
  return (catalog.prepare(`SELECT ${MEDIA_COLUMNS} FROM ${WITH_IDENTIFIER}`, true).all(volumeId, identifier, 'image') as unknown as MediaRow[]).map(toMedia);
}

function findVideos(catalog: Catalog, volumeId: string, identifier: string): [dir: string, sha256: string][] {
  return catalog.prepare(`SELECT f.dir, f.sha256 FROM ${WITH_IDENTIFIER}`, true).all(volumeId, identifier, 'video') as unknown as [string, string][];
}
