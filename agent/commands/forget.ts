// `forget`: lets a drive go. Its folders are read no more and nothing on it counts as a copy; facts, pictures and albums stay, and
// nothing on the drive is touched.
import { CommandError, EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import { findDrive, listDrives } from './drive-names.ts';
import { connectOrStart } from './instance.ts';
import { printJson, printLine, safe } from './print.ts';

export async function run(options: Options): Promise<number> {
  const [name, ...more] = options.args;
  if (name === undefined || more.length > 0) throw new CommandError('Say which drive: npm run -s jharokha -- forget DRIVE', EXIT.usage);
  const instance = await connectOrStart(options);
  try {
    const drive = findDrive(await listDrives(instance), name);
    if (!options.dryRun) {
      await callWorker(instance.worker, `/api/volumes/${encodeURIComponent(drive.volume_id)}/forget`, { method: 'POST' });
      await instance.engine?.settled();
    }
    if (options.json) printJson({ volume_id: drive.volume_id, volume: drive.volume, files: drive.files, dry_run: options.dryRun });
    else printLine(`${options.dryRun ? 'Would forget' : 'Forgot'} ${safe(drive.volume)}: its ${drive.files.toLocaleString('en')} files count as copies no more. Their photos stay in the library, and nothing on the drive ${options.dryRun ? 'would be' : 'was'} touched. Adding a folder of it brings it back.`);
    return EXIT.ok;
  } finally { await instance.close(); }
}
