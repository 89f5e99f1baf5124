// Renditions made and not yet in R2. The stages put them in; agent/push takes them out when the Worker has them.
import type { Catalog } from './catalog.ts';
import { MAX_PACK_BYTES, MAX_PACK_ITEMS } from '../../protocol/limits.ts';
import { parseRenditionKey } from '../../protocol/rendition.ts';
import type { PackItem } from '../../protocol/pack.ts';

/** The next pack's worth, at most MAX_PACK_BYTES with its header. Read one by one: blobs are large. */
export function readNextPack(catalog: Catalog): PackItem[] {
  const items: PackItem[] = [];
  let bytes = 1_000;
  for (const row of catalog.prepare(`SELECT key, sha256, bytes FROM spool LIMIT ${MAX_PACK_ITEMS}`).iterate()) {
    const blob = row['bytes'] as Uint8Array;
    const size = blob.byteLength + 250;
    if (items.length > 0 && bytes + size > MAX_PACK_BYTES) break;
    items.push({ key: String(row['key']), sha256: String(row['sha256']), bytes: blob });
    bytes += size;
  }
  return items;
}

export function countSpooled(catalog: Catalog): number { return Number(catalog.prepare('SELECT count(*) AS n FROM spool').get()?.['n'] ?? 0); }

/** The Worker has these: the assets may now mention them (promise 5), and the bytes leave the spool. One transaction. */
export function acknowledgeRenditions(catalog: Catalog, keys: readonly string[]): void {
  catalog.transact(() => {
    const mention = {
      grid: catalog.prepare('UPDATE assets SET grid_pushed = ?2, revision = ?3 WHERE sha256 = ?1 AND grid_pushed < ?2'),
      preview: catalog.prepare('UPDATE assets SET preview_pushed = ?2, revision = ?3 WHERE sha256 = ?1 AND preview_pushed < ?2'),
    };
    const remove = catalog.prepare('DELETE FROM spool WHERE key = ?1');
    for (const key of keys) {
      const id = parseRenditionKey(key);
      if (id) mention[id.name].run(id.sha256, id.version, catalog.nextRevision());
      remove.run(key);
    }
  });
}
