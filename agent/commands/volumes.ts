// `volumes`: the drives that the library knows, and which of them are connected.
import { EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { connectOrStart } from './instance.ts';
import { printJson, printLine, safe } from './print.ts';

interface VolumeLine { volume_id: string; volume: string; state: 'present' | 'away'; identity: string; fs_type: string; capacity_bytes: number | null; free_bytes: number | null; read_only: boolean; files: number }

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    const volumes = await (await callWorker(instance.worker, '/api/volumes')).json() as VolumeLine[];
    for (const v of volumes) {
      if (options.json) printJson(v);
      else printLine(`${v.state === 'present' ? '●' : '○'} ${safe(v.volume)}  ${v.files.toLocaleString('en')} files  ${v.fs_type}${v.read_only ? ', read-only' : ''}${v.identity === 'weak' ? ', no lasting identity' : ''}  ${safe(v.volume_id)}`);
    }
    if (!options.json && volumes.length === 0) printLine('No drive is known yet. Add a folder: npm run -s jharokha -- index FOLDER');
    return EXIT.ok;
  } finally { await instance.close(); }
}
