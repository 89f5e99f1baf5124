// `confirm-missing`: the owner's answer to a scan that found more gone than it may believe (promise 2). Without an
// answer it only shows the questions; it never marks anything by itself.
import { CommandError, EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import { connectOrStart } from './instance.ts';
import { printJson, printLine, safe } from './print.ts';

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    const { status } = await (await callWorker(instance.worker, '/api/status')).json() as { status: AgentStatus | null };
    const all = status?.questions ?? [];
    const wanted = options.args.length > 0 ? all.filter((q) => options.args.includes(q.scan_id)) : all;
    for (const arg of options.args) if (!all.some((q) => q.scan_id === arg)) throw new CommandError(`No scan ${JSON.stringify(arg)} waits for an answer.`, EXIT.usage);
    if (options.answer === null) {
      for (const q of wanted) {
        if (options.json) printJson(q);
        else printLine([`‘${safe(q.label)}’: ${q.vanished} of ${q.known} files were not found, for example:`, ...q.examples.map((e) => `    ${safe(e)}`), `  They are gone:        confirm-missing ${q.scan_id} --gone`, `  Leave all as it is:   confirm-missing ${q.scan_id} --keep`].join('\n'));
      }
      if (wanted.length === 0 && !options.json) printLine('No scan waits for an answer.');
      return wanted.length > 0 ? EXIT.question : EXIT.ok;
    }
    for (const q of wanted) {
      const { marked } = await instance.ask('answer_question', { scan_id: q.scan_id, answer: options.answer });
      if (options.json) printJson({ scan_id: q.scan_id, answer: options.answer, marked });
      else printLine(options.answer === 'gone' ? `${marked} files of ‘${safe(q.label)}’ are marked missing. Nothing was deleted; they come back by themselves when they are found again.` : `‘${safe(q.label)}’ stays as it was.`);
    }
    return EXIT.ok;
  } finally { await instance.close(); }
}
