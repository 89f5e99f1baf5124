// One order in a process of its own, which ends where it is told to: opens a catalog and stand-in drives, takes the order, carries
// it out as far as that goes, and exits.
import { readFileSync } from 'node:fs';
import { openCatalog } from '../../agent/catalog/catalog.ts';
import { createFileAccess } from '../../agent/files/access.ts';
import { createFileChanges } from '../../agent/files/changes.ts';
import { createOrders } from '../../agent/orders/orders.ts';
import { isInPackage } from '../../agent/pipeline/ignore.ts';
import { sidecarsOfFolder } from '../../agent/pipeline/relate-folders.ts';
import { createVolumes } from '../../agent/volumes/volumes.ts';
import type { Order } from '../../protocol/orders.ts';
import { standInFacts } from '../support/orders-facts.ts';
import { hookAccess, hookCalls, hookCatalog, hookChanges, type Hook, type Op } from '../support/orders-hooks.ts';

export interface Job { catalogFile: string; volumesFile: string; order: Order; links: boolean; kill: { op: Op; n: number; after: boolean } | null }

const job = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
let met = 0;
const die = (op: Op, after: boolean): void => {
  if (job.kill?.op !== op || job.kill.after !== after) return;
  met += 1;
  if (met === job.kill.n) process.kill(process.pid, 'SIGKILL');
};
const hook: Hook = { before: (op) => { die(op, false); }, after: (op) => { die(op, true); } };
const catalog = openCatalog(job.catalogFile);
const files = hookAccess(createFileAccess(), () => hook);
const changes = hookChanges(createFileChanges({ calls: hookCalls(job.links, () => hook) }), () => hook);
const orders = createOrders({
  catalog: hookCatalog(catalog, () => hook), files, changes, volumes: createVolumes({ testFile: job.volumesFile }), now: () => Date.now(), signal: new AbortController().signal,
  sidecarsOf: (folder) => sidecarsOfFolder(catalog, folder), inPackage: isInPackage, ownFolders: [], exportFacts: standInFacts, refresh: () => undefined, onChange: () => undefined, onEnded: () => undefined, warn: (line) => { console.error(line); },
});
await orders.take([{ order_id: job.order.order_id, cancelled: false }], async () => job.order);
await orders.settled();
catalog.close();
