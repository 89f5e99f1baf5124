// `doctor`: checks that catalog, Worker and renditions agree, sweeps what a crash left, and has what is missing made
// again. Originals are never touched.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { connectOrStart } from './instance.ts';
import { printJson, printLine } from './print.ts';

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    const db = new DatabaseSync(join(options.dataDir, 'catalog.db'), { timeout: 5_000 });
    const integrity = db.prepare('PRAGMA quick_check').all().map((r) => String(r['quick_check']));
    const sound = integrity.length === 1 && integrity[0] === 'ok';

    let swept = 0;
    let stored = 0;
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await (await callWorker(instance.worker, `/api/doctor/sweep${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`, { method: 'POST' })).json() as { checked: number; swept: number; cursor: string | null };
      swept += page.swept; stored += page.checked; cursor = page.cursor;
    }
    let remade = 0;
    let assets = 0;
    const forget = {
      grid: db.prepare('UPDATE assets SET grid_version = 0, grid_pushed = 0 WHERE sha256 = ? AND grid_pushed > 0'),
      preview: db.prepare('UPDATE assets SET preview_version = 0, preview_pushed = 0 WHERE sha256 = ? AND preview_pushed > 0'),
      proxy: db.prepare('UPDATE assets SET proxy_version = 0, proxy_pushed = 0 WHERE sha256 = ? AND proxy_pushed > 0'),
    };
    let lost = 0;
    for (let after: number | null = 0; after !== null;) {
      const page = await (await callWorker(instance.worker, `/api/doctor/check?after=${after}`, { method: 'POST' })).json() as { checked: number; missing: { sha256: string; name: keyof typeof forget }[]; next: number | null };
      assets += page.checked; lost += page.missing.length; after = page.next;
      if (sound) for (const m of page.missing) remade += Number(forget[m.name].run(m.sha256).changes);
    }
    db.close();
    if (remade > 0) await instance.ask('scan', { root_id: null });
    const report = { catalog: sound ? 'ok' : integrity.slice(0, 5).join('; '), assets, renditions_stored: stored, orphans_swept: swept, renditions_missing: lost, renditions_to_remake: remade };
    if (options.json) printJson(report);
    else {
      printLine(sound ? 'The catalog is sound.' : `The catalog is damaged: ${report.catalog}\nMove catalog.db away and start again: everything is indexed afresh, and what you did in the library stays.`);
      printLine(`${assets.toLocaleString('en')} assets, ${stored.toLocaleString('en')} renditions and small videos; ${swept} left-overs swept.`);
      if (lost > 0) printLine(`${lost} of them were missing; ${remade} are being made again as their drives are connected.`);
    }
    return sound ? EXIT.ok : EXIT.fatal;
  } finally { await instance.close(); }
}
