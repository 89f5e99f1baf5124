// `/problems`: each file that could not be read, and why.
import { Hono } from 'hono';
import { PAGE_ROWS } from '../../protocol/limits.ts';
import { ProblemCode } from '../../protocol/words.ts';
import { ProblemsCount } from '../../views/frame.tsx';
import { ProblemListPage, ProblemsPage, type ProblemGroup } from '../../views/problems.tsx';
import type { App } from '../env.ts';
import { BadRequest } from '../errors.tsx';
import { askAgent } from '../link/client.ts';
import { loadFrame, sayRefusal, sendBack, sendFragment, sendPage, type PageContext } from '../middleware/page.tsx';
import { countProblems, listProblemCounts, listProblems } from '../store/problem-pages.ts';

/** Files shown of each reason on the first page; the rest is a click away. */
const ROWS_A_GROUP = 10;
const START = { volumeId: '', path: '' };

export const problems = new Hono<App>();

problems.get('/problems', async (c) => {
  const code = c.req.query('code');
  if (code !== undefined) return sendList(c, code);
  const said = c.req.query('done') === 'retry' ? { said: 'All folders are being scanned again; what can be read now disappears from here.' } : {};
  return sendPage(c, <ProblemsPage frame={await loadFrame(c)} groups={await loadGroups(c)} {...said} />);
});

problems.get('/problems/link', async (c) => sendFragment(c, <ProblemsCount count={await countProblems(c.env.DB)} current={c.req.query('here') !== undefined} />));

problems.post('/problems/retry', async (c) => {
  try {
    await askAgent(c.env, 'scan', { root_id: null });
  } catch (error) {
    const refusal = sayRefusal(error);
    return sendPage(c, <ProblemsPage frame={await loadFrame(c)} groups={await loadGroups(c)} wrong={refusal.text} />, refusal.status);
  }
  return sendBack(c, '/problems?done=retry');
});

async function loadGroups(c: PageContext): Promise<ProblemGroup[]> {
  const counts = await listProblemCounts(c.env.DB);
  return Promise.all(counts.map(async ({ code, count }) => ({ code, count, rows: await listProblems(c.env.DB, code, START, ROWS_A_GROUP) })));
}

async function sendList(c: PageContext, text: string): Promise<Response> {
  const code = ProblemCode.safeParse(text);
  if (!code.success) throw new BadRequest('There is no such kind of problem.');
  const after = { volumeId: c.req.query('volume') ?? '', path: c.req.query('path') ?? '' };
  const [frame, counts, rows] = await Promise.all([loadFrame(c), listProblemCounts(c.env.DB), listProblems(c.env.DB, code.data, after, PAGE_ROWS + 1)]);
  const shown = rows.slice(0, PAGE_ROWS);
  const last = shown.at(-1);
  const next = rows.length > PAGE_ROWS && last ? `/problems?${new URLSearchParams({ code: code.data, volume: last.volume_id, path: last.path }).toString()}` : null;
  return sendPage(c, <ProblemListPage frame={frame} group={{ code: code.data, count: counts.find((each) => each.code === code.data)?.count ?? 0, rows: shown }} next={next} />);
}
