// The agent's command line: which command runs, and how its outcome becomes an exit code. Commands live in commands/.
import { SOFTWARE_VERSION } from '../protocol/versions.ts';
import { assertRoom } from './files/room.ts';
import { CommandError, EXIT, parseCommandLine, reason, type Options } from './config.ts';

/** Each command by name: what it does in a line, and its module, loaded only when asked for. */
const COMMANDS: Record<string, { usage: string; about: string; load(): Promise<{ run(options: Options): Promise<number> }> }> = {
  up: { usage: '[FOLDER…] [--port N] [--no-open]', about: 'start everything, index the folders, keep watching (npm start)', load: () => import('./commands/up.ts') },
  sync: { usage: '[--once]', about: 'look through all folders now and store what changed', load: () => import('./commands/sync.ts') },
  index: { usage: 'FOLDER…', about: 'add folders and index them', load: () => import('./commands/index.ts') },
  list: { usage: '[--all]', about: 'every asset, by capture time', load: () => import('./commands/list.ts') },
  search: { usage: 'WORDS… | --like SHA256', about: 'find by words and by meaning (--sort relevance | newest | oldest, --weaker, --limit N)', load: () => import('./commands/search.ts') },
  volumes: { usage: '', about: 'the drives, and which are connected', load: () => import('./commands/volumes.ts') },
  status: { usage: '', about: 'what is going on, and what needs an answer', load: () => import('./commands/status.ts') },
  'confirm-missing': { usage: '[SCAN] --gone | --keep', about: 'answer a scan that found much gone', load: () => import('./commands/confirm-missing.ts') },
  trash: { usage: 'SHA256|PATH… [--last-copies]', about: 'move originals to the trash of their drive (--dry-run says what would go)', load: () => import('./commands/order.ts') },
  restore: { usage: 'SHA256|PATH… | --all', about: 'put back where they lay what is in the trash', load: () => import('./commands/order.ts') },
  'empty-trash': { usage: '[SHA256|PATH…] [--last-copies]', about: 'delete for good what is in the trash', load: () => import('./commands/order.ts') },
  verify: { usage: '[DRIVE…] [--share N] [--slowly]', about: 'read drives again and compare every file with its hash', load: () => import('./commands/order.ts') },
  copy: { usage: 'SHA256|PATH… --to DRIVE [--into FOLDER]', about: 'verified copies onto another drive', load: () => import('./commands/order.ts') },
  export: { usage: 'SHA256|PATH… --to FOLDER', about: 'verified copies into a folder (--template {year}/{month}/{album}, --no-sidecars)', load: () => import('./commands/order.ts') },
  duplicates: { usage: '[--within-drive]', about: 'what lies in more than one file, the most room first', load: () => import('./commands/duplicates.ts') },
  forget: { usage: 'DRIVE', about: 'let a drive go: its folders are read no more; what is known of its photos stays', load: () => import('./commands/forget.ts') },
  vectors: { usage: '[rebuild]', about: 'what the search by meaning has; write all of it into its engine anew', load: () => import('./commands/vectors.ts') },
  curation: { usage: 'export [FILE] | import FILE', about: 'what you did (albums, favourites, corrections) into a file, and back (--dry-run, --replace)', load: () => import('./commands/curation.ts') },
  doctor: { usage: '', about: 'check the data folder and sweep what a crash left', load: () => import('./commands/doctor.ts') },
};

function help(): string {
  const lines = Object.entries(COMMANDS).map(([name, c]) => `  ${`${name} ${c.usage}`.padEnd(38)} ${c.about}`);
  return `Jharokha ${SOFTWARE_VERSION}\n\nnpm start -- [FOLDER…]                   start everything\nnpm run -s jharokha -- COMMAND           with a COMMAND of:\n${lines.join('\n')}\n\n--data DIR  where all state lives (default ~/.jharokha)\n--json      stdout is pure JSON\n--geocoder offline | nominatim, --geocoder-url URL  who names places; kept (default offline)\n--no-proxies, --proxies  make no small videos from now on, or make them again; kept\n--search-model standard | light | off  which model looks at pictures for the search; kept (default standard)\n--model-dir DIR, --no-model-dir  a folder that holds the model's files, instead of a download; kept\n\nQDRANT_URL, QDRANT_API_KEY  keep vectors in a Qdrant instead of the built-in index\n\nExit: 0 all well, 1 fatal, 2 usage, 3 some files could not be read, 4 the data is held by another run, 5 a scan needs an answer`;
}

async function main(argv: readonly string[]): Promise<number> {
  const options = parseCommandLine(argv);
  if (options.help || options.command === 'help' || (options.command === '' && argv.length === 0)) { console.log(help()); return EXIT.ok; }
  const command = Object.hasOwn(COMMANDS, options.command) ? COMMANDS[options.command] : undefined;
  if (!command) throw new CommandError(`There is no command ${JSON.stringify(options.command)}. The commands: ${Object.keys(COMMANDS).join(', ')}.`, EXIT.usage);
  try { return await (await command.load()).run(options); } catch (error) {
    // Whatever gave way first: a full disk is the reason that helps.
    if (!(error instanceof CommandError)) assertRoom(options.dataDir);
    throw error;
  }
}

// sharp and libuv do their work in this pool; it is read once, at its first use.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, (await import('node:os')).availableParallelism() + 2));

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommandError) {
    console.error(error.message);
    process.exitCode = error.exitCode;
  } else {
    console.error(`Jharokha stopped: ${reason(error)}`);
    if (error instanceof Error && process.env['JHAROKHA_DEBUG']) console.error(error.stack);
    process.exitCode = EXIT.fatal;
  }
}
// Whatever a library left open must not keep a finished command alive; but what was printed must have left first.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((done) => { stream.write('', () => { done(); }); })));
process.exit();
