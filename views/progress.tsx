// What the agent does now, and the last scans with numbers that add up (promise 8).
import type { AgentStatus } from '../protocol/link.ts';
import type { ScanCounts } from '../protocol/rows.ts';
import { SEEN_AS, type ScanState, type SeenAs } from '../protocol/words.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { sayAgo, sayDuration, sayNumber, sayProgress, showName } from './parts/words.ts';

export interface ScanFacts { label: string; folder: string; state: ScanState; startedMs: number; endedMs: number | null; counts: ScanCounts; vanished: number; reason: string | null }

const SEEN_WORDS: Record<SeenAs, string> = {
  indexed: 'new', changed: 'changed since the last time', moved: 'moved or renamed', unchanged: 'as before', duplicate: 'further copies of something known',
  sidecar: 'belong to a photo (sidecars)', ignored: 'left out: not photos or videos, or excluded', failed: 'could not be read',
};

export function ProgressPage(props: { frame: FrameFacts; scans: ScanFacts[]; nowMs: number }) {
  const { frame } = props;
  return (
    <Page frame={frame} title="What was read" section="drives">
      <div class="page">
        <h1>What was read</h1>
        <p class="lead num">{sayProgress(frame.status)?.text ?? (frame.agentAway ? 'The agent is away; this is what it said last.' : 'All is quiet: everything found so far is in the library.')}</p>
        <Pending status={frame.status} />
        {props.scans.map((scan) => <ScanReport scan={scan} nowMs={props.nowMs} />)}
        {props.scans.length === 0 && <p class="lead">There was no scan yet.</p>}
      </div>
    </Page>
  );
}

function Pending(props: { status: AgentStatus | null }) {
  const pending = props.status?.pending;
  if (!pending) return null;
  const parts = [pending.facts ? `${sayNumber(pending.facts)} to read` : null, pending.previews ? `${sayNumber(pending.previews)} larger previews to make` : null, pending.vectors ? `${sayNumber(pending.vectors)} to look at for the search` : null, pending.proxies ? `${sayNumber(pending.proxies)} small ${pending.proxies === 1 ? 'video' : 'videos'} to make` : null].filter((part) => part !== null);
  return parts.length > 0 ? <p class="small num">Still waiting: {parts.join(', ')}.</p> : null;
}

function ScanReport(props: { scan: ScanFacts; nowMs: number }) {
  const { scan } = props;
  const took = scan.endedMs === null ? '' : `, in ${sayDuration(scan.endedMs - scan.startedMs)}`;
  const when = { running: `since ${sayAgo(scan.startedMs, props.nowMs)}, still going`, completed: `${sayAgo(scan.startedMs, props.nowMs)}${took}`, stopped: `stopped, ${sayAgo(scan.startedMs, props.nowMs)}`, question: `waits for your word, ${sayAgo(scan.startedMs, props.nowMs)}` }[scan.state];
  return (
    <section class="section">
      <h2><bdi>{showName(scan.folder) || 'The whole drive'}</bdi></h2>
      <p class="small">On <bdi>{scan.label}</bdi> · {when}{scan.reason && <> · <bdi>{showName(scan.reason)}</bdi></>}</p>
      <dl class="counts section-tight">
        {SEEN_AS.filter((key) => scan.counts[key] > 0).map((key) => <><dt>{sayNumber(scan.counts[key])}</dt><dd>{SEEN_WORDS[key]}</dd></>)}
        <dt class="sum">{sayNumber(scan.counts.seen)}</dt><dd class="sum total">files seen</dd>
      </dl>
      {scan.vanished > 0 && <p class="small">{sayNumber(scan.vanished)} known before were not found{scan.state === 'completed' ? ' and are marked missing' : ''}.</p>}
    </section>
  );
}
