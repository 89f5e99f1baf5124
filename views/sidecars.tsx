// Sidecars: how many found their file, and which did not. The numbers add up (promise 8).
import type { SidecarReport } from '../protocol/link.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { Icon } from './parts/icon.tsx';
import { sayNumber, showName } from './parts/words.ts';

/** `report` is null while the agent cannot be asked; `why` then says so. */
export function SidecarsPage(props: { frame: FrameFacts; report: SidecarReport | null; why: string | null; from: number; next: string | null }) {
  const { report } = props;
  return (
    <Page frame={props.frame} title="Sidecars" section="problems">
      <div class="page">
        <a class="back" href="/problems"><Icon name="left" small />Problems</a>
        <h1>Sidecars</h1>
        <p class="lead">Exports and editing programs put what they know of a photo into a small file beside it. Here is which of them found their photo. None of them is touched.</p>
        {!report && <p class="said" role="status">{props.why}</p>}
        {report && <Report report={report} />}
        {report && <Paths title="Without a photo" help="Their photo may lie on another drive, or in another part of the export: they are matched when it comes." list={report.without_media} from={props.from} />}
        {report && <Paths title="Photos in an export without one" help="Their time and place come from the file alone." list={report.without_sidecar} from={props.from} />}
        {(props.next || props.from > 0) && <p class="section buttons">{props.from > 0 && <a class="button" href="/sidecars">To the start</a>}{props.next && <a class="button" rel="next" href={props.next}>More</a>}</p>}
      </div>
    </Page>
  );
}

function Report(props: { report: SidecarReport }) {
  const { report } = props;
  if (report.sidecars === 0 && report.media === 0) return <p class="lead section">No sidecar has been found.</p>;
  return (
    <dl class="counts section">
      <dt>{sayNumber(report.matched)}</dt><dd>matched to their photo</dd>
      <dt>{sayNumber(report.without_media.total)}</dt><dd>without a photo</dd>
      <dt class="sum">{sayNumber(report.sidecars)}</dt><dd class="sum total">sidecars</dd>
      <dt class="counts-next">{sayNumber(report.media_with_sidecar)}</dt><dd class="counts-next">photos and videos of exports with one</dd>
      <dt>{sayNumber(report.without_sidecar.total)}</dt><dd>without one</dd>
      <dt class="sum">{sayNumber(report.media)}</dt><dd class="sum total">photos and videos of exports</dd>
    </dl>
  );
}

function Paths(props: { title: string; help: string; list: { total: number; paths: string[] }; from: number }) {
  if (props.list.total === 0) return null;
  return (
    <section class="section">
      <h2>{props.title} <span class="second num">{sayNumber(props.list.total)}</span></h2>
      <p class="small">{props.help}</p>
      {props.list.paths.length > 0
        ? <ul class="rows">{props.list.paths.map((path) => <li class="problem path"><bdi>{showName(path)}</bdi></li>)}</ul>
        : <p class="small after">All of them stand on the pages before.</p>}
    </section>
  );
}
