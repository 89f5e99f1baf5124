// `list`: every asset, ordered by capture time then hash. Reads the Worker alone; the agent is asked nothing.
import { EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { ListLine } from '../../protocol/list.ts';
import { connectOrStart } from './instance.ts';
import { printLine, safe } from './print.ts';

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    let after: string | null = '';
    while (after !== null) {
      const response: Response = await callWorker(instance.worker, `/api/list?all=${options.all ? 1 : 0}${after ? `&after=${encodeURIComponent(after)}` : ''}`);
      after = response.headers.get('x-next');
      for (const line of (await response.text()).split('\n')) {
        if (line) printLine(options.json ? line : lineText(ListLine.parse(JSON.parse(line))));
      }
    }
    return EXIT.ok;
  } finally { await instance.close(); }
}

function lineText(line: ListLine): string {
  const first = line.locations[0];
  const where = first ? `${first.volume}: ${first.path}${line.locations.length > 1 ? ` (and ${line.locations.length - 1} more)` : ''}` : 'no file is known any more';
  return `${line.taken_at?.replace('T', ' ') ?? 'no date            '}  ${line.kind.padEnd(5)}  ${line.sha256.slice(0, 12)}  ${safe(where)}`;
}
