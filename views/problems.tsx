// Problems: each file that could not be read, and why, gathered by reason.
import type { ProblemCode } from '../protocol/words.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Icon } from './parts/icon.tsx';
import { sayCount, sayNumber, sayProblem, showName } from './parts/words.ts';

export interface ProblemFacts { path: string; label: string; reason: string; stage: string }
export interface ProblemGroup { code: ProblemCode; count: number; rows: ProblemFacts[] }

export function ProblemsPage(props: { frame: FrameFacts; groups: ProblemGroup[]; said?: string; wrong?: string }) {
  const total = props.groups.reduce((n, group) => n + group.count, 0);
  return (
    <Page frame={props.frame} title="Problems" section="problems">
      <div class="page">
        <h1>Problems</h1>
        {total === 0
          ? <p class="lead">None. Every file that was seen could be read.</p>
          : <p class="lead">{sayCount(total, 'file')} could not be read, or not whole. All else went on, and none of them was touched.</p>}
        <Said text={props.said} /><Said text={props.wrong} wrong />
        {total > 0 && <form class="buttons section" method="post" action="/problems/retry"><button class="button" type="submit">Try again</button></form>}
        <p class="small after"><a href="/sidecars">Sidecars of exports: which file each belongs to</a></p>
        {props.groups.map((group) => (
          <section class="section">
            <GroupHead code={group.code} count={group.count} />
            <Rows rows={group.rows} />
            {group.count > group.rows.length && <p class="buttons"><a class="button button-plain" href={`/problems?code=${group.code}`}>All {sayNumber(group.count)}</a></p>}
          </section>
        ))}
      </div>
    </Page>
  );
}

/** All of one reason, a page at a time. */
export function ProblemListPage(props: { frame: FrameFacts; group: ProblemGroup; next: string | null }) {
  return (
    <Page frame={props.frame} title={sayProblem(props.group.code).title} section="problems">
      <div class="page">
        <a class="back" href="/problems"><Icon name="left" small />Problems</a>
        <GroupHead code={props.group.code} count={props.group.count} top />
        <Rows rows={props.group.rows} />
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More</a></p>}
      </div>
    </Page>
  );
}

function GroupHead(props: { code: ProblemCode; count: number; top?: boolean }) {
  const words = sayProblem(props.code);
  const title = <>{words.title} <span class="second num">{sayNumber(props.count)}</span></>;
  return <>{props.top ? <h1>{title}</h1> : <h2>{title}</h2>}<p class="small">{words.help}</p></>;
}

function Rows(props: { rows: ProblemFacts[] }) {
  return (
    <ul class="rows">
      {props.rows.map((row) => (
        <li class="problem"><span class="path"><bdi>{row.path ? showName(row.path) : 'The whole drive'}</bdi></span> <span class="small">on <bdi>{showName(row.label)}</bdi></span><p class="small">{showName(row.reason)}</p></li>
      ))}
    </ul>
  );
}
