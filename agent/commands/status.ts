// `status`: what goes on, how far, and what waits for the owner's answer.
import { EXIT, type Options } from '../config.ts';
import { callWorker } from '../push/client.ts';
import type { AgentStatus } from '../../protocol/link.ts';
import type { Healthz } from '../../protocol/list.ts';
import { connectOrStart } from './instance.ts';
import { printJson, printLine, progressText, safe } from './print.ts';

export async function run(options: Options): Promise<number> {
  const instance = await connectOrStart(options);
  try {
    const [health, asked] = await Promise.all(['/healthz', '/api/status'].map(async (path) => (await callWorker(instance.worker, path)).json()));
    const answer = { ...health as Healthz, status: (asked as { status: AgentStatus | null }).status };
    const questions = answer.status?.questions ?? [];
    if (options.json) printJson({ ...answer, url: instance.engine ? null : instance.worker.url });
    else {
      printLine(instance.engine ? 'Not running. Start it with: npm start' : `Running at ${instance.worker.url}`);
      printLine(`${(answer.assets ?? 0).toLocaleString('en')} assets`);
      if (answer.status) printLine(progressText(answer.status));
      for (const q of questions) printLine(`‘${safe(q.label)}’: ${q.vanished} of ${q.known} files were not found. Answer with: npm run -s jharokha -- confirm-missing ${q.scan_id} --gone (or --keep)`);
    }
    return questions.length > 0 ? EXIT.question : EXIT.ok;
  } finally { await instance.close(); }
}
