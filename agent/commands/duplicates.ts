// `duplicates`: what lies in more than one file, those first that take the most room for nothing. Says what is best kept, and does
// nothing: `trash` with the path of one of them moves that one alone.
import * as z from 'zod';
import { EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { connectOrStart } from './instance.ts';
import { printLine, safe } from './print.ts';

const Group = z.object({
  sha256: z.string(), size_bytes: z.number(), spare_bytes: z.number(), offered: z.boolean(), plug_in: z.array(z.string()),
  files: z.array(z.object({ best: z.boolean(), suggested: z.boolean(), state: z.enum(['present', 'away']), damaged: z.boolean(), paths: z.array(z.object({ volume: z.string(), path: z.string() })) })),
});

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    let [groups, bytes] = [0, 0];
    for (let from: string | null = ''; from !== null;) {
      const response: Response = await callWorker(instance.worker, `/api/duplicates?${options.order.withinDrive ? 'within=drive&' : ''}${from === '' ? '' : `from=${encodeURIComponent(from)}`}`);
      from = response.headers.get('x-next');
      for (const line of (await response.text()).split('\n').filter(Boolean)) {
        const group = Group.parse(JSON.parse(line));
        groups += 1;
        bytes += group.spare_bytes;
        if (options.json) printLine(line);
        else printGroup(group);
      }
    }
    if (!options.json) printLine(groups === 0 ? 'Nothing lies in more than one file.' : `${groups.toLocaleString('en')} lie in more than one file, which takes ${(bytes / 1e6).toFixed(1)} MB.`);
    return EXIT.ok;
  } finally { await instance.close(); }
}

function printGroup(group: z.infer<typeof Group>): void {
  printLine(`${group.sha256.slice(0, 12)}  ${(group.size_bytes / 1e6).toFixed(1)} MB in ${group.files.length} files`);
  for (const file of group.files) {
    const [first, ...others] = file.paths;
    const words = [file.best ? 'best' : file.suggested ? 'could go' : '', file.state === 'away' ? 'away' : '', file.damaged ? 'damaged' : ''].filter((word) => word !== '').join(', ');
    printLine(`  ${words.padEnd(8)}  ${safe(first?.volume ?? '')}: ${safe(first?.path ?? '')}${others.length > 0 ? ` (the same file is also seen under ${others.length} more)` : ''}`);
  }
  if (!group.offered && group.plug_in.length > 0) printLine(`  Plug in ${group.plug_in.map((name) => safe(name)).join(' or ')} to tidy this up.`);
}
