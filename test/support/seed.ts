// Fills a site over the real sync: facts in batches, WebP renditions in packs. Pictures are made, in many colours.
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { PROTOCOL_VERSION } from '../../protocol/limits.ts';
import { encodePack, PACK_MIME, type PackItem } from '../../protocol/pack.ts';
import { renditionKey } from '../../protocol/rendition.ts';
import type { AssetFacts, AssetRow, EvidenceRow, LocationRow, NearRow, PlaceRow, ProblemRow, RootRow, ScanRow, StackRow, TimeClaim, VolumeRow } from '../../protocol/rows.ts';
import { GRID_VERSION, PREVIEW_VERSION } from '../../protocol/versions.ts';
import { encodeVectorPack, quantise, toUnit, VECTOR_PACK_MIME, vectorToText, type VectorSpace } from '../../protocol/vector.ts';
import { SITE_TOKEN, type Site } from './site.ts';

export interface Rows { volumes?: VolumeRow[]; roots?: RootRow[]; assets?: AssetRow[]; locations?: LocationRow[]; evidence?: EvidenceRow[]; scans?: ScanRow[]; problems?: ProblemRow[]; stacks?: StackRow[]; places?: PlaceRow[]; near?: NearRow[] }
export interface Seeder { push(rows: Rows): Promise<void>; pushPack(items: PackItem[]): Promise<void> }

/** One agent that pushes; every `push` is the next batch. Throws where a row is rejected. */
export function createSeeder(site: Site, agentId = 'agent-of-a-test'): Seeder {
  let seq = 0;
  return {
    async push(rows) {
      seq += 1;
      const batch = {
        protocol: PROTOCOL_VERSION, agent_id: agentId, epoch: 'epoch-1', seq, home_zone: 'Europe/Zurich',
        volumes: [], roots: [], assets: [], locations: [], evidence: [], scans: [], problems: [], ...rows,
      };
      const answer = await post(site, '/sync/batches', 'application/json', JSON.stringify(batch)) as { rejected: unknown[] };
      if (answer.rejected.length > 0) throw new Error(`rejected: ${JSON.stringify(answer.rejected)}`);
    },
    async pushPack(items) { await post(site, '/sync/renditions', PACK_MIME, encodePack(items)); },
  };
}

/** What an agent with a model leaves in the embedded index: vectors of assets, of words, and the word that searches are made in their space. Of any length; made unit here. */
export async function pushVectors(site: Site, space: VectorSpace, assets: readonly { sha256: string; vector: readonly number[] }[], texts: readonly { text: string; vector: readonly number[] }[]): Promise<void> {
  await post(site, '/sync/vectors', VECTOR_PACK_MIME, encodeVectorPack(space, assets.map(({ sha256, vector }) => ({ sha256, ...quantise(toUnit(vector)) }))));
  await post(site, '/sync/search-space', 'application/json', JSON.stringify({ space, engine: 'embedded', vectors: assets.length }), 'PUT');
  await post(site, '/sync/query-embeddings', 'application/json', JSON.stringify({ space, items: texts.map(({ text, vector }) => ({ text, vector: vectorToText(toUnit(vector)) })) }), 'PUT');
}

async function post(site: Site, path: string, mime: string, body: string | Uint8Array<ArrayBuffer>, method: 'POST' | 'PUT' = 'POST'): Promise<unknown> {
  const answer = await fetch(site.url + path, { method, headers: { Authorization: `Bearer ${SITE_TOKEN}`, 'Content-Type': mime }, body });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

export function volumeRow(volumeId: string, label: string, more: Partial<VolumeRow> = {}): VolumeRow {
  return { volume_id: volumeId, revision: 1, identity: 'uuid', label, fs_type: 'apfs', capacity_bytes: 1e12, free_bytes: 4e11, read_only: false, ...more };
}
export function rootRow(rootId: string, volumeId: string, path: string, more: Partial<RootRow> = {}): RootRow {
  return { root_id: rootId, revision: 1, volume_id: volumeId, path, excludes: [], removed: false, ...more };
}

export function hashOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
export function wallClaim(wall: string, offsetMinutes: number | null = null): TimeClaim {
  return { source: 'exif_original', wall, utc_ms: null, offset_minutes: offsetMinutes, offset_source: offsetMinutes === null ? null : 'exif' };
}

/** An asset with every fact unknown but the given ones; `name` makes its hash. */
export function assetRow(name: string, wall: string | null, more: Partial<AssetFacts> & Partial<AssetRow> = {}): AssetRow {
  return {
    sha256: hashOf(name), revision: 1, kind: 'image', mime: 'image/jpeg', size_bytes: 3_400_000, width: 4000, height: 3000, duration_ms: null, color: '#887766', camera: null, lens: null, exposure: null,
    latitude: null, longitude: null, gps_zone: null, content_identifier: null, motion: null, description: null, rating: null, tags: [], proxy_bytes: null, time_claims: wall === null ? [] : [wallClaim(wall)], problems: [],
    facets: { facts: 1, grid: GRID_VERSION, preview: PREVIEW_VERSION, proxy: 0 }, ...more,
  };
}
export function locationRow(asset: Pick<AssetRow, 'sha256' | 'size_bytes'>, volumeId: string, path: string, more: Partial<LocationRow> = {}): LocationRow {
  return { volume_id: volumeId, path, revision: 1, sha256: asset.sha256, size_bytes: asset.size_bytes, mtime_ms: 1_700_000_000_000, fs_id: null, inode: null, in_package: false, ...more };
}

export function evidenceRow(volumeId: string, path: string, more: Partial<EvidenceRow> = {}): EvidenceRow {
  return { volume_id: volumeId, path, revision: 1, time_claims: [], imports: [], albums: [], ...more };
}
export function placeRow(cell: string, more: Partial<PlaceRow> = {}): PlaceRow {
  return { cell, revision: 1, rank: 1, source: 'offline', street: null, neighbourhood: null, city: null, region: null, country: null, country_code: null, distance_m: 100, zone: null, ...more };
}

/** Both renditions of a picture of the asset's shape, made from its number: a sky, a ground, a sun. */
export async function drawRenditions(asset: Pick<AssetRow, 'sha256' | 'width' | 'height'>, seed: number, names: ('grid' | 'preview')[] = ['grid', 'preview']): Promise<PackItem[]> {
  const ratio = (asset.width ?? 1) / (asset.height ?? 1);
  const hue = (seed * 47) % 360;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.round(ratio * 300)} 300" preserveAspectRatio="none">
    <defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="hsl(${hue} 60% 42%)"/><stop offset=".62" stop-color="hsl(${(hue + 50) % 360} 75% 76%)"/></linearGradient>
    <linearGradient id="g" x2="0" y2="1"><stop stop-color="hsl(${(hue + 170) % 360} 38% 34%)"/><stop offset="1" stop-color="hsl(${(hue + 190) % 360} 45% 14%)"/></linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#s)"/><circle cx="${30 + ((seed * 61) % 200)}" cy="${60 + ((seed * 37) % 90)}" r="${16 + (seed % 5) * 7}" fill="hsl(${(hue + 40) % 360} 95% 84%)"/>
    <path d="M0 ${190 + (seed % 4) * 12} Q ${ratio * 90} ${120 + (seed % 7) * 12} ${ratio * 160} 205 T ${ratio * 300} ${180 + (seed % 3) * 18} V300 H0Z" fill="url(#g)"/></svg>`;
  const sizes = { grid: { height: 440, version: GRID_VERSION }, preview: { height: ratio > 1 ? Math.round(1600 / ratio) : 1600, version: PREVIEW_VERSION } } as const;
  return Promise.all(names.map(async (name) => {
    const { height, version } = sizes[name];
    const bytes = await sharp(Buffer.from(svg)).resize(Math.max(1, Math.min(1600, Math.round(height * ratio))), height, { fit: 'fill' }).webp({ quality: 80, effort: 0 }).toBuffer();
    return { key: renditionKey({ sha256: asset.sha256, name, version }), sha256: hashOf(bytes), bytes: new Uint8Array(bytes) };
  }));
}
