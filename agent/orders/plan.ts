// From an order to its steps, all of them before the first file is touched; and what the owner is told before giving it. Reads the
// catalog alone, so that it is the same whether it is asked for or carried out.
import type { Catalog } from '../catalog/catalog.ts';
import { getFile, joinPath, listCopies, splitPath, type FileRow } from '../catalog/files.ts';
import { listTrash, type NewStep, type TrashRow } from '../catalog/orders.ts';
import { listRoots } from '../catalog/roots.ts';
import { getVolume } from '../catalog/volumes.ts';
import { MAX_PLAN_REFUSED, type OrderOf, type OrderPlan, type Outcome } from '../../protocol/orders.ts';
import { fileKey, type OrderContext } from './context.ts';
import { trashBase, trashPath } from './trash.ts';

/** Stacks whose files belong together on the drive too: one without the other is half a photograph. */
const TOGETHER = "('live', 'raw')";

/** The asset and those that go with it wherever it goes, the one that is shown first: a Live Photo's video or still, the RAW or its JPEG. */
export function togetherWith(catalog: Catalog, sha256: string): string[] {
  const primary = catalog.prepare(`SELECT primary_sha256 FROM stacks WHERE member_sha256 = ? AND removed = 0 AND type IN ${TOGETHER}`).get(sha256)?.['primary_sha256'] as string | undefined;
  const top = primary ?? sha256;
  const members = catalog.prepare(`SELECT member_sha256 FROM stacks INDEXED BY stacks_by_primary WHERE primary_sha256 = ? AND removed = 0 AND type IN ${TOGETHER} ORDER BY member_sha256`).all(top);
  return [top, ...members.map((r) => r['member_sha256'] as string)];
}

export interface Planned { steps: NewStep[]; plan: OrderPlan }

/** Of nothing; `blocked` says why. */
export const EMPTY_PLAN: OrderPlan = { assets: 0, files: 0, sidecars: 0, bytes: 0, drives: [], away: [], last_copies: 0, refused: { total: 0, files: [] }, blocked: null };

/** Of the orders about the trash. */
export function planOrder(ctx: Pick<OrderContext, 'catalog' | 'sidecarsOf'>, orderId: string, body: OrderOf<'trash' | 'restore' | 'empty'>): Planned {
  return body.kind === 'trash' ? planTrash(ctx, orderId, body) : planFromTrash(ctx.catalog, body);
}

interface Unit { files: FileRow[]; dir: string; volume_id: string }

function planTrash({ catalog, sidecarsOf }: Pick<OrderContext, 'catalog' | 'sidecarsOf'>, orderId: string, body: OrderOf<'trash'>): Planned {
  const volumes = new Set(body.volumes);
  const chosen = body.copies === null ? null : new Set(body.copies.map((c) => `${c.volume_id}\0${c.path}`));
  const units = new Map<string, Unit>();
  const away = new Map<string, Set<string>>();
  const assets = new Set<string>();
  const taken = new Set<string>();
  for (const asked of body.sha256s) {
    const together = togetherWith(catalog, asked);
    const folders = chosen && foldersLeft(catalog, asked, chosen);
    for (const sha256 of together) {
      if (assets.has(sha256)) continue;
      for (const file of listCopies(catalog, sha256)) {
        const folder = `${file.volume_id}\0${file.dir}`;
        const place = `${file.volume_id}\0${joinPath(file.dir, file.name)}`;
        if (taken.has(place) || (chosen && (sha256 === asked ? !chosen.has(place) : !folders?.has(folder)))) continue;
        if (!volumes.has(file.volume_id)) { away.set(file.volume_id, (away.get(file.volume_id) ?? new Set()).add(fileKey(file))); continue; }
        taken.add(place);
        const key = `${folder}\0${together[0] ?? ''}`;
        const unit = units.get(key) ?? { files: [], dir: file.dir, volume_id: file.volume_id };
        unit.files.push(file);
        units.set(key, unit);
      }
      if (!chosen) assets.add(sha256);
    }
    if (chosen) assets.add(asked);
  }

  const roots = listRoots(catalog);
  const leaving = new Set<string>();
  for (const unit of units.values()) for (const file of unit.files) if (!file.in_package) leaving.add(`${file.volume_id}\0${joinPath(file.dir, file.name)}`);
  const steps: NewStep[] = [];
  const add = (step: Omit<NewStep, 'to_path'>) => {
    const { name } = splitPath(step.path);
    steps.push({ ...step, to_path: step.outcome ? null : trashPath(trashBase(roots, step.volume_id, step.path), orderId, steps.length, name) });
  };
  let number = 0;
  const related = new Map<string, Related>();
  const relatedOf = ({ volume_id, dir }: Unit): Related => {
    const known = related.get(`${volume_id}\0${dir}`) ?? relate(sidecarsOf({ volume_id, dir }));
    related.set(`${volume_id}\0${dir}`, known);
    return known;
  };
  for (const unit of joinUnits([...units.values()].sort(byPlace), relatedOf, leaving)) {
    const packaged = unit.files.some((f) => f.in_package);
    const refusal: { outcome: Outcome; reason: string } | undefined = packaged ? { outcome: 'refused', reason: 'It lies inside another program’s library, which takes no orders from here.' } : undefined;
    for (const file of unit.files) add({ unit: number, role: 'asset', volume_id: file.volume_id, path: joinPath(file.dir, file.name), sha256: file.sha256, size_bytes: file.size_bytes, ...refusal });
    if (!packaged) {
      for (const name of sidecarsGoing(relatedOf(unit), unit, leaving)) {
        const row = getFile(catalog, unit.volume_id, unit.dir, name);
        if (row) add({ unit: number, role: 'sidecar', volume_id: unit.volume_id, path: joinPath(unit.dir, name), sha256: null, size_bytes: row.size_bytes });
        leaving.add(`${unit.volume_id}\0${joinPath(unit.dir, name)}`);
      }
    }
    number += 1;
  }
  return { steps, plan: { ...sumUp(catalog, steps), away: listAway(catalog, away), last_copies: countLast(catalog, steps) } };
}

/** Of duplicates the folders that every copy of the asset in them leaves: what belongs to it there goes with it. */
function foldersLeft(catalog: Catalog, sha256: string, chosen: ReadonlySet<string>): Set<string> {
  const [left, kept] = [new Set<string>(), new Set<string>()];
  for (const f of listCopies(catalog, sha256)) (chosen.has(`${f.volume_id}\0${joinPath(f.dir, f.name)}`) ? left : kept).add(`${f.volume_id}\0${f.dir}`);
  return new Set([...left].filter((folder) => !kept.has(folder)));
}

function byPlace(a: Unit, b: Unit): number {
  const [x, y] = [`${a.volume_id}\0${a.dir}\0${a.files[0]?.name ?? ''}`, `${b.volume_id}\0${b.dir}\0${b.files[0]?.name ?? ''}`];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Of a folder: the sidecars of each file, and the files of each sidecar. */
interface Related { sidecars: ReadonlyMap<string, string[]>; media: ReadonlyMap<string, string[]> }

function relate(sidecars: ReadonlyMap<string, string[]>): Related {
  const media = new Map<string, string[]>();
  for (const [name, its] of sidecars) {
    for (const sidecar of its) {
      const list = media.get(sidecar);
      if (list) list.push(name);
      else media.set(sidecar, [name]);
    }
  }
  return { sidecars, media };
}

/** Sidecars of the unit's files that speak of no file that stays, each once. */
function sidecarsGoing(related: Related, unit: Unit, leaving: ReadonlySet<string>): string[] {
  const path = (name: string) => `${unit.volume_id}\0${joinPath(unit.dir, name)}`;
  const mine = new Set(unit.files.flatMap((f) => related.sidecars.get(f.name) ?? []));
  return [...mine].filter((sidecar) => !leaving.has(path(sidecar)) && (related.media.get(sidecar) ?? []).every((media) => leaving.has(path(media)))).sort();
}

/** Units that share a sidecar are one: it goes with everything that it speaks of, or stays beside it. */
function joinUnits(units: Unit[], relatedOf: (unit: Unit) => Related, leaving: ReadonlySet<string>): Unit[] {
  const path = (unit: Unit, name: string) => `${unit.volume_id}\0${joinPath(unit.dir, name)}`;
  const unitOf = new Map(units.flatMap((unit) => unit.files.map((f) => [path(unit, f.name), unit] as const)));
  for (const unit of units) {
    if (unit.files.length === 0 || unit.files.some((f) => f.in_package)) continue;
    // What joins may bring sidecars that it shares with yet another.
    for (let before = 0; before < unit.files.length;) {
      before = unit.files.length;
      for (const sidecar of sidecarsGoing(relatedOf(unit), unit, leaving)) {
        for (const media of relatedOf(unit).media.get(sidecar) ?? []) {
          const other = unitOf.get(path(unit, media));
          if (!other || other === unit) continue;
          for (const file of other.files.splice(0)) { unit.files.push(file); unitOf.set(path(unit, file.name), unit); }
        }
      }
    }
  }
  return units.filter((unit) => unit.files.length > 0);
}

/** Assets of which no copy stays anywhere: all that are known, connected or not, are among the steps. */
function countLast(catalog: Catalog, steps: readonly NewStep[]): number {
  const going = new Map<string, Set<string>>();
  for (const step of steps) {
    if (step.role !== 'asset' || step.sha256 === null || step.outcome) continue;
    const { dir, name } = splitPath(step.path);
    const row = getFile(catalog, step.volume_id, dir, name);
    if (row) going.set(step.sha256, (going.get(step.sha256) ?? new Set()).add(fileKey(row)));
  }
  let last = 0;
  for (const [sha256, keys] of going) if (listCopies(catalog, sha256).every((copy) => keys.has(fileKey(copy)))) last += 1;
  return last;
}

/** Everything that lies in the trash of these assets, on the drives that are connected. */
function planFromTrash(catalog: Catalog, body: OrderOf<'restore'> | OrderOf<'empty'>): Planned {
  const volumes = new Set(body.volumes);
  const away = new Map<string, Set<string>>();
  const units = new Map<string, number>();
  const steps: NewStep[] = [];
  const last = new Set<string>();
  const keys = new Map<string, string>();
  for (const row of listPart(catalog, body)) {
    if (!volumes.has(row.volume_id)) { away.set(row.volume_id, (away.get(row.volume_id) ?? new Set()).add(`${row.order_id}\0${row.n}`)); continue; }
    const unit = `${row.order_id}\0${row.unit}`;
    if (!units.has(unit)) units.set(unit, units.size);
    steps.push(stepOf(row, units.get(unit) ?? 0));
    const was = JSON.parse(row.file) as FileRow | null;
    if (was) keys.set(`${row.order_id}\0${row.n}`, fileKey(was));
    if (row.role === 'asset' && listCopies(catalog, row.sha256).length === 0) last.add(row.sha256);
  }
  steps.sort((a, b) => a.unit - b.unit);
  const keyOf = (step: NewStep): string => { const from = `${step.from_order ?? ''}\0${step.from_n ?? ''}`; return keys.get(from) ?? from; };
  return { steps, plan: { ...sumUp(catalog, steps, keyOf), away: listAway(catalog, away), last_copies: body.kind === 'empty' ? last.size : 0 } };
}

/** What of the trash the order is about, by whole units. */
function listPart(catalog: Catalog, { sha256s, files, of_order }: OrderOf<'restore'> | OrderOf<'empty'>): TrashRow[] {
  const rows = listTrash(catalog, sha256s).filter((row) => of_order === null || row.order_id === of_order);
  if (files === null) return rows;
  const places = new Set(files.map((file) => `${file.volume_id}\0${file.path}`));
  const units = new Set(rows.filter((row) => places.has(`${row.volume_id}\0${row.path}`)).map((row) => `${row.order_id}\0${row.unit}`));
  return rows.filter((row) => units.has(`${row.order_id}\0${row.unit}`));
}

function stepOf(row: TrashRow, unit: number): NewStep {
  return { unit, role: row.role, volume_id: row.volume_id, path: row.path, sha256: row.sha256 || null, size_bytes: row.size_bytes, to_path: row.trash_path, from_order: row.order_id, from_n: row.n };
}

export function listAway(catalog: Catalog, away: ReadonlyMap<string, ReadonlySet<string>>): OrderPlan['away'] {
  return [...away].map(([volume_id, files]) => ({ volume_id, label: getVolume(catalog, volume_id)?.label ?? volume_id, files: files.size })).sort((a, b) => (a.label < b.label ? -1 : 1));
}

function keyAt(catalog: Catalog, step: NewStep): string {
  const { dir, name } = splitPath(step.path);
  const row = getFile(catalog, step.volume_id, dir, name);
  return row ? fileKey(row) : `${step.volume_id}\0${step.path}`;
}

/** The plan's sums; paths of one file count once. */
export function sumUp(catalog: Catalog, steps: readonly NewStep[], keyOf: (step: NewStep) => string = (step) => keyAt(catalog, step)): OrderPlan {
  const going = steps.filter((s) => !s.outcome);
  const refused = steps.filter((s) => s.outcome);
  const seen = new Set<string>();
  const drives = new Map<string, { files: number; bytes: number }>();
  let [files, bytes, sidecars] = [0, 0, 0];
  for (const step of going) {
    const key = keyOf(step);
    if (seen.has(key)) continue;
    seen.add(key);
    if (step.role === 'sidecar') { sidecars += 1; continue; }
    files += 1;
    bytes += step.size_bytes;
    const drive = drives.get(step.volume_id) ?? { files: 0, bytes: 0 };
    drives.set(step.volume_id, { files: drive.files + 1, bytes: drive.bytes + step.size_bytes });
  }
  return {
    ...EMPTY_PLAN, assets: new Set(going.flatMap((s) => (s.role === 'asset' ? [s.sha256] : []))).size, files, sidecars, bytes,
    drives: [...drives].map(([volume_id, sum]) => ({ volume_id, label: getVolume(catalog, volume_id)?.label ?? volume_id, ...sum })).sort((a, b) => (a.label < b.label ? -1 : 1)),
    refused: { total: refused.length, files: refused.slice(0, MAX_PLAN_REFUSED).map((s) => ({ path: s.path, reason: s.reason ?? '' })) },
  };
}
