// Drives and the folders on them: the page, a drive's row as a fragment, and the page of a scan that asks.
import type { VolumeIdentity } from '../protocol/words.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { damagedAddress, type CopyTotals } from './copies.tsx';
import { copiesAddress, folderAddress } from './parts/addresses.ts';
import { hx } from './parts/hx.ts';
import { Icon } from './parts/icon.tsx';
import { elementId, idPath, sayAgo, sayAwaySince, sayBytes, sayCount, sayDayAgo, sayFileSystem, sayNumber, showName } from './parts/words.ts';

export interface DriveFacts {
  volume_id: string; identity: VolumeIdentity; label: string; own_label: string; owner_label: string | null; note: string | null; fs_type: string;
  capacity_bytes: number | null; free_bytes: number | null; read_only: boolean; connected: boolean; last_seen_ms: number;
  copies: DriveCopies; folders: FolderFacts[];
}
/** Files found whole there; assets, those not verified for long and never; when the one was that was verified longest ago (null: never); damaged files; assets that are nowhere else. */
export interface DriveCopies { files: number; assets: number; stale: number; never: number; oldest_ms: number | null; damaged: number; only: number }
/** `changes` is null where the scan found everything as it was. */
export interface ScanFacts { state: string; atMs: number; reason: string | null; changes: { indexed: number; duplicate: number; changed: number; moved: number; gone: number } | null }
export interface FolderFacts { root_id: string; path: string; excludes: number; lastScan: ScanFacts | null }

export function DrivesPage(props: { frame: FrameFacts; drives: DriveFacts[]; copies: CopyTotals; nowMs: number; editing?: string; said?: string; wrong?: string }) {
  return (
    <Page frame={props.frame} title="Drives" section="drives">
      <div class="page">
        <h1>Drives</h1>
        <p class="lead">Your originals stay here. Everything can be browsed with all of them unplugged.</p>
        <Said text={props.said} /><Said text={props.wrong} wrong />
        <div class="rows">{props.drives.map((drive) => <DriveRow drive={drive} nowMs={props.nowMs} editing={drive.volume_id === props.editing} />)}</div>
        {props.drives.length === 0 && <p class="lead">No drive is known yet. Add a folder, and its drive appears here.</p>}
        <div class="section buttons">
          <a class="button" href="/folders/add"><Icon name="folder" small />Add a folder</a>
          {props.drives.some((drive) => drive.connected) && <ScanForm rootId={null} label="Scan everything now" />}
        </div>
        {props.copies.assets > 0 && <CopiesSection copies={props.copies} />}
        {props.frame.agentAway && <p class="lead">The agent is away, so folders cannot be changed now. Start Jharokha on the computer that has the photos.</p>}
      </div>
    </Page>
  );
}

/** Fragment: one drive. `said` is what came of the last thing done to it. */
export function DriveRow(props: { drive: DriveFacts; nowMs: number; editing?: boolean; /** It was just put in place of what had the focus. */ fresh?: boolean; said?: string; wrong?: string }) {
  const { drive } = props;
  const id = elementId('drive', drive.volume_id);
  return (
    <section class="drive" id={id} aria-labelledby={`${id}-name`}>
      <div class="drive-head" {...hx({ get: `/drives?head=${idPath(drive.volume_id)}`, trigger: 'live-presence from:body', swap: 'innerMorph' })}><DriveHead drive={drive} nowMs={props.nowMs} editing={props.editing ?? false} fresh={props.fresh ?? false} /></div>
      <div class="drive-more">
        <Said text={props.said} /><Said text={props.wrong} wrong />
        {props.editing && <><WordsForm drive={drive} /><ForgetForm drive={drive} /></>}
        {drive.folders.map((folder) => <FolderRow folder={folder} drive={drive} nowMs={props.nowMs} />)}
        {drive.identity === 'weak' && <WeakIdentity drive={drive} />}
      </div>
    </section>
  );
}

/** Fragment: what follows from whether the drive is connected. */
export function DriveHead(props: { drive: DriveFacts; nowMs: number; editing?: boolean; fresh?: boolean }) {
  const { drive } = props;
  const id = elementId('drive', drive.volume_id);
  const facts = [
    drive.connected ? 'Connected' : sayAwaySince(drive.last_seen_ms, props.nowMs), sayCount(drive.copies.files, 'file'),
    drive.free_bytes === null ? null : `${sayBytes(drive.free_bytes)} free${drive.capacity_bytes === null ? '' : ` of ${sayBytes(drive.capacity_bytes)}`}`,
    drive.fs_type === '' ? null : sayFileSystem(drive.fs_type), drive.read_only ? 'read only' : null,
  ].filter((part) => part !== null);
  return (
    <>
      <span class="drive-icon"><Icon name="drive" /></span>
      <div>
        <h2 id={`${id}-name`} class="drive-name"><bdi>{showName(drive.label)}</bdi></h2>
        <p class="small num"><span class={drive.connected ? 'dot' : 'dot away'} aria-hidden="true"></span>{facts.map((fact, i) => <>{i > 0 && ' · '}<span class="whole">{fact}</span></>)}{drive.note && <> · <bdi>{showName(drive.note)}</bdi></>}</p>
        {drive.capacity_bytes !== null && drive.free_bytes !== null && drive.capacity_bytes > 0 && (
          <span class="meter" role="img" aria-label={`${sayBytes(drive.capacity_bytes - drive.free_bytes)} of ${sayBytes(drive.capacity_bytes)} used`}><i style={`--p:${(1 - drive.free_bytes / drive.capacity_bytes).toFixed(3)}`}></i></span>
        )}
        {drive.copies.assets + drive.copies.damaged > 0 && <Health drive={drive} nowMs={props.nowMs} />}
      </div>
      <div class="buttons">
        {!props.editing && <WordsLink drive={drive} id={id} fresh={props.fresh ?? false} />}
        {drive.connected && drive.copies.assets > 0 && <form method="post" action="/orders"><input type="hidden" name="kind" value="verify" /><input type="hidden" name="volume_id" value={drive.volume_id} /><button class="button" type="submit">Verify now</button></form>}
        {drive.connected && drive.folders.length === 1 && <ScanForm rootId={drive.folders[0]?.root_id ?? null} label="Scan now" />}
      </div>
    </>
  );
}

/** What would be lost with the drive, and how long ago somebody looked whether it is still whole. */
function Health(props: { drive: DriveFacts; nowMs: number }) {
  const { copies, volume_id, connected } = props.drive;
  const verified = copies.never === copies.assets ? 'not verified yet' : copies.never > 0 ? `${sayNumber(copies.never)} not verified yet` : `verified ${sayDayAgo(copies.oldest_ms ?? 0, props.nowMs)}`;
  return (
    <p class="small num drive-health">
      {copies.only > 0 && <><a class="accent" href={copiesAddress('one', volume_id)}>{sayNumber(copies.only)} only here</a> · </>}
      {copies.damaged > 0 && <><a class="error" href={damagedAddress(volume_id)}>{sayCount(copies.damaged, 'damaged file')}</a> · </>}
      <span>{copies.only + copies.damaged > 0 ? verified : verified.charAt(0).toUpperCase() + verified.slice(1)}{!connected && copies.stale > 0 && ', plug it in to verify'}</span>
    </p>
  );
}

function CopiesSection(props: { copies: CopyTotals }) {
  const { one, duplicates, assets } = props.copies;
  return (
    <section class="section">
      <h2>Copies</h2>
      <p class="lead">{one === 0 ? 'Nothing has only one copy.' : `${one === assets ? 'All' : sayNumber(one)} of ${sayCount(assets, 'photo or video', 'photos and videos')} ${one === 1 ? 'has' : 'have'} only one copy.`} {duplicates > 0 && `${sayNumber(duplicates)} ${duplicates === 1 ? 'lies' : 'lie'} in more than one file.`}</p>
      <p class="buttons"><a class="button" href="/copies"><Icon name="copies" small />Copies</a>{duplicates > 0 && <a class="button button-plain" href="/duplicates">Duplicates</a>}</p>
    </section>
  );
}

function WordsLink(props: { drive: DriveFacts; id: string; fresh: boolean }) {
  const address = `/drives?edit=${idPath(props.drive.volume_id)}`;
  return <a class="button button-plain" href={`${address}#${props.id}`} autofocus={props.fresh} {...hx({ get: address, target: 'closest .drive', swap: 'outerHTML' })}>Name and note</a>;
}

function WordsForm(props: { drive: DriveFacts }) {
  const { drive } = props;
  const action = `/drives/${idPath(drive.volume_id)}/words`;
  return (
    <form class="form drive-words" method="post" action={action} {...hx({ post: action, target: 'closest .drive', swap: 'outerHTML' })}>
      <label class="field"><span>Name</span><input type="text" name="label" value={drive.owner_label ?? ''} placeholder={drive.own_label} maxlength={80} autocomplete="off" autofocus /></label>
      <label class="field"><span>Note, such as where it lies</span><input type="text" name="note" value={drive.note ?? ''} maxlength={300} autocomplete="off" /></label>
      <div class="buttons"><button class="button" type="submit">Save</button><a class="button button-plain" href="/drives" {...hx({ get: `/drives?row=${idPath(drive.volume_id)}`, target: 'closest .drive', swap: 'outerHTML' })}>Leave it</a></div>
    </form>
  );
}

function ForgetForm(props: { drive: DriveFacts }) {
  const { drive } = props;
  return (
    <details class="forget">
      <summary>Forget this drive</summary>
      <p class="small">Its folders are read no more, and its files count as copies no more{drive.copies.only > 0 && `: ${sayNumber(drive.copies.only)} ${drive.copies.only === 1 ? 'has' : 'have'} no other`}. The photos stay here as they are seen now, with albums and all; nothing on the drive is touched. Adding one of its folders brings it back.</p>
      <form method="post" action={`/drives/${idPath(drive.volume_id)}/forget`}><button class="button" type="submit"><span>Forget ‘<bdi>{showName(drive.label)}</bdi>’</span></button></form>
    </details>
  );
}

function FolderRow(props: { folder: FolderFacts; drive: DriveFacts; nowMs: number }) {
  const { folder, drive } = props;
  return (
    <div class="folder">
      <div class="folder-name">
        <Icon name="folder" small />
        <span>
          <a class="path" href={folderAddress(drive.volume_id, folder.path)}><bdi>{folder.path === '' ? 'The whole drive' : showName(folder.path)}</bdi></a>
          <span class="small"> · {sayScan(folder, props.nowMs)}{folder.excludes > 0 && ` · ${sayCount(folder.excludes, 'exclude')}`}</span>
        </span>
      </div>
      <div class="buttons">
        {drive.connected && drive.folders.length > 1 && <ScanForm rootId={folder.root_id} label="Scan now" />}
        <a class="button button-plain" href={`/folders/${idPath(folder.root_id)}`}>Change<span class="hidden-text"> <bdi>{folder.path}</bdi></span></a>
      </div>
    </div>
  );
}

function sayScan(folder: FolderFacts, nowMs: number): string {
  const scan = folder.lastScan;
  if (!scan) return 'not scanned yet';
  if (scan.state === 'running') return 'being scanned now';
  if (scan.state === 'question') return 'the last scan asks something';
  if (scan.state === 'stopped') return `the last scan stopped ${sayAgo(scan.atMs, nowMs)}${scan.reason ? `: ${scan.reason}` : ''}`;
  return `scanned ${sayAgo(scan.atMs, nowMs)}: ${sayChanges(scan.changes)}`;
}

function sayChanges(changes: ScanFacts['changes']): string {
  if (!changes) return 'nothing new';
  const { indexed, duplicate, changed, moved, gone } = changes;
  const parts = ([[indexed, 'new'], [duplicate, duplicate === 1 ? 'new copy' : 'new copies'], [changed, 'changed'], [moved, 'moved'], [gone, 'not found any more']] as const).filter(([n]) => n > 0);
  return parts.length === 0 ? 'nothing new' : parts.map(([n, word]) => `${sayNumber(n)} ${word}`).join(', ');
}

function WeakIdentity(props: { drive: DriveFacts }) {
  const action = `/drives/${idPath(props.drive.volume_id)}/marker`;
  return (
    <div class="said">
      <div>
        <p>This drive has no lasting name of its own, so another one could be taken for it. Until that is settled, nothing on it is ever marked missing without asking you. One small marker file at its top settles it; nothing else is written.</p>
        {props.drive.connected && !props.drive.read_only && (
          <form method="post" action={action} {...hx({ post: action, target: 'closest .drive', swap: 'outerHTML' })}><p class="buttons"><button class="button" type="submit">Allow a marker file</button></p></form>
        )}
      </div>
    </div>
  );
}

export function ScanForm(props: { rootId: string | null; label: string }) {
  const action = props.rootId === null ? '/folders/scan' : `/folders/${idPath(props.rootId)}/scan`;
  return <form class="scan-form" method="post" action={action} {...hx({ post: action, target: 'this', swap: 'innerMorph' })}><ScanButton {...props} /></form>;
}

/** Fragment: the button, always the same one, so that it keeps the focus. While there is a scan it asks at each word of the agent whether that has ended, and once by itself, for a short one may end before this is shown. */
export function ScanButton(props: { rootId: string | null; label: string; scanning?: boolean; wrong?: string }) {
  const address = props.rootId === null ? '/folders/scan' : `/folders/${idPath(props.rootId)}/scan`;
  return (
    <>
      <button class="button" type="submit" aria-disabled={props.scanning ? 'true' : undefined}>{props.scanning ? 'Scanning now' : props.label}</button>
      {props.wrong && <span class="small" role="alert">{props.wrong}</span>}
      {props.scanning && <span class="hidden-text" role="status" {...hx({ get: address, trigger: 'live-status from:body, load delay:2s', target: 'closest form', swap: 'innerMorph' })}>Scanning now</span>}
    </>
  );
}

export interface QuestionFacts { scan_id: string; label: string; vanished: number; known: number; examples: string[] }

export function QuestionPage(props: { frame: FrameFacts; question: QuestionFacts | null; wrong?: string }) {
  const { question } = props;
  return (
    <Page frame={props.frame} title="A question" section="drives">
      <div class="page question">
        <a class="back" href="/drives"><Icon name="left" small />Drives</a>
        {question && <Question question={question} />}
        {!question && props.frame.agentAway && <><h1>Not to be decided now</h1><p class="lead">The agent, which asks, is away. Start Jharokha on the computer that has the photos; what it still asks shows here again.</p></>}
        {!question && !props.frame.agentAway && <><h1>Nothing to decide</h1><p class="lead">This scan asks nothing any more: it was answered, or a later one found the files again.</p></>}
        {(question ?? props.frame.agentAway) && <Said text={props.wrong} wrong />}
      </div>
    </Page>
  );
}

function Question(props: { question: QuestionFacts }) {
  const { question } = props;
  const action = `/drives/question/${idPath(question.scan_id)}`;
  const share = question.known > 0 ? (question.vanished / question.known) * 100 : 100;
  return (
    <>
      <h1>{sayNumber(question.vanished)} files were not found</h1>
      <p class="lead">
        The last scan of ‘<bdi>{showName(question.label)}</bdi>’ did not find {sayNumber(question.vanished)} of the {sayNumber(question.known)} files known there ({share < 10 ? share.toFixed(1) : Math.round(share)} %).
        That is more than usual, so nothing was changed. If you removed or moved them, say so. If not, look first whether the drive is the right one and whole.
      </p>
      {question.examples.length > 0 && (
        <div class="section"><h2>Some of them</h2><ul class="rows">{question.examples.map((path) => <li class="problem path"><bdi>{showName(path)}</bdi></li>)}</ul></div>
      )}
      <form class="section buttons" method="post" action={action}>
        <button class="button button-main" type="submit" name="answer" value="keep">Keep everything as it is</button>
        <button class="button" type="submit" name="answer" value="gone">They are gone: mark them missing</button>
      </form>
      <p class="small after">Missing deletes nothing: the photos stay in the library, and come back by themselves when the files do.</p>
    </>
  );
}
