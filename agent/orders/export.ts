// Exports: into any folder, by a template of what the library says of each asset, with an XMP beside each file that says it too. How
// files are written and named is copy.ts's.
import { splitPath } from '../catalog/files.ts';
import { listOpenAssets, listUnit, type OrderTarget } from '../catalog/orders.ts';
import { absolutePath } from '../volumes/identify.ts';
import { MAX_FACTS_ASSETS, type ExportFacts, type OrderOf } from '../../protocol/orders.ts';
import type { OrderContext } from './context.ts';
import type { Destination, Wish } from './copy.ts';
import { cleanFile, fillFile, fillFolders, readTemplate, type Values } from './names.ts';
import { writeXmp } from './xmp-write.ts';

type Facts = ExportFacts['items'][number];

export function exportDestination(ctx: OrderContext, orderId: string, order: OrderOf<'export'>, target: OrderTarget): Destination {
  const template = readTemplate(order.template);
  const factsOf = openFacts(ctx, orderId);
  return {
    outcome: 'exported', volumeId: target.volume_id, say: (volume, path) => absolutePath(volume.mount_point, path),
    place: async (unit) => {
      const all = listUnit(ctx.catalog, orderId, unit[0]?.unit ?? -1);
      const assets = all.filter((s) => s.role === 'asset');
      // The one that is shown says where all of them go.
      const lead = await factsOf(assets[0]?.sha256 ?? '', unit[0]?.unit ?? 0);
      const values = valuesOf(lead);
      const dir = [target.path, ...fillFolders(template, values)].filter((part) => part !== '').join('/');
      const wishes: Wish[] = [];
      for (const step of unit) {
        const { name } = splitPath(step.path);
        if (step.role === 'asset') { wishes.push({ step, dir, name: fillFile(template, name, values), made: null }); continue; }
        const of = assets.find((a) => `${a.path}.xmp` === step.path && a.volume_id === step.volume_id);
        wishes.push({ step, dir, name: cleanFile(name, ''), made: of ? Buffer.from(writeXmp(await factsOf(of.sha256 ?? '', step.unit))) : null });
      }
      return wishes;
    },
  };
}

function valuesOf(facts: Facts | undefined): Values {
  const [year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(facts?.taken_at ?? '')?.slice(1) ?? [];
  return { year: year ?? '', month: month ?? '', day: day ?? '', album: facts?.albums[0] ?? '', camera: facts?.camera ?? '' };
}

/** Asked for as many at once as an answer holds: those of the units that come next. */
function openFacts(ctx: OrderContext, orderId: string): (sha256: string, unit: number) => Promise<Facts | undefined> {
  let known = new Map<string, Facts | null>();
  let asking: Promise<void> = Promise.resolve();
  const ask = async (sha256: string, unit: number): Promise<void> => {
    if (known.has(sha256)) return;
    const wanted = [...new Set([sha256, ...listOpenAssets(ctx.catalog, orderId, unit, MAX_FACTS_ASSETS - 1)])];
    const { items } = await ctx.exportFacts(wanted);
    known = new Map(wanted.map((each) => [each, null]));
    for (const item of items) known.set(item.sha256, item);
  };
  return async (sha256, unit) => {
    // One question at a time: its answer is likely to hold what the next unit wants.
    asking = asking.catch(() => undefined).then(() => ask(sha256, unit));
    await asking;
    return known.get(sha256) ?? undefined;
  };
}
