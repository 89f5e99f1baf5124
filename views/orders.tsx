// Orders: what one would do and the word that gives it, how one stands, its receipts, and all of them by time.
import { isDone, type OrderKind, type OrderPlan, type OrderProgress, type OrderState, type Outcome } from '../protocol/orders.ts';
import { renditionUrl } from '../protocol/rendition.ts';
import { Page, Said, type FrameFacts } from './frame.tsx';
import { Crumbs, Empty } from './grid.tsx';
import { assetAddress } from './parts/addresses.ts';
import { DriveNames, sayDriveName, type DriveName } from './parts/drive-names.tsx';
import { hx } from './parts/hx.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { LAST_COPY_WORDS, sayOrderProgress, sayOutcome, sayOutcomes, sayState } from './parts/order-words.ts';
import { sayAgo, sayBytes, sayCount, sayNumber, showName } from './parts/words.ts';

export interface OrderView {
  order_id: string; kind: OrderKind; title: string; given_at_ms: number; state: OrderState | 'draft'; cancelled: number; progress: OrderProgress; reason: string | null; ended_at_ms: number | null;
  /** The drive that it waits for. */
  waitsFor: DriveName | null;
}
export interface ReceiptView { n: number; role: 'asset' | 'sidecar'; drive: string; path: string; sha256: string | null; size_bytes: number; outcome: Outcome; reason: string | null; to_path: string | null }
export interface PlannedDrive extends DriveName { files: number; bytes: number }

/** Where copies go: what the owner has said so far, and what may be chosen. */
export interface CopyFields { kind: 'copy'; volume_id: string; folder: string; drives: (DriveName & { volume_id: string; connected: boolean })[] }
export interface ExportFields { kind: 'export'; folder: string; template: string; sidecars: boolean; places: string[] }

export interface PlanTile { sha256: string; color: string | null; grid_version: number }

const ICONS: Record<OrderKind, IconName> = { trash: 'trash', restore: 'undo', empty: 'close', verify: 'drive', copy: 'drive', export: 'download', mend: 'undo' };
const ORDERS = [{ href: '/orders', label: 'Orders' }];
const address = (order: { order_id: string }) => `/orders/${order.order_id}`;

export function OrdersPage(props: { frame: FrameFacts; orders: (OrderView & { counts: { outcome: Outcome; n: number }[] })[]; next: string | null; first: boolean; nowMs: number }) {
  return (
    <Page frame={props.frame} title="Orders" section="drives">
      <div class="page" {...hx({ get: '/orders', trigger: 'live-orders from:body', target: '#order-rows', swap: 'innerMorph' })}>
        <Crumbs crumbs={[{ href: '/drives', label: 'Drives' }]} />
        <h1>Orders</h1>
        <p class="lead">What you had done with originals, and a receipt for every file.</p>
        <div id="order-rows"><OrderRows orders={props.orders} first={props.first} nowMs={props.nowMs} /></div>
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>Earlier</a></p>}
      </div>
    </Page>
  );
}

/** Fragment: the list. */
export function OrderRows(props: { orders: (OrderView & { counts: { outcome: Outcome; n: number }[] })[]; first: boolean; nowMs: number }) {
  if (props.orders.length === 0) return props.first ? <Empty icon="drive" title="No order yet" text="Moving to the trash, restoring, verifying a drive, copying and exporting are orders. Each leaves a receipt for every file here." /> : <p class="lead">No more.</p>;
  return (
    <ul class="rows">
      {props.orders.map((order) => (
        <li class="order-row">
          <Icon name={ICONS[order.kind]} small />
          <div>
            <a href={address(order)}><bdi>{showName(order.title)}</bdi></a>
            <p class="small num">{sayState(order.state, order.cancelled === 1)} · {sayAgo(order.given_at_ms, props.nowMs)}{order.counts.length > 0 && ` · ${sayOutcomes(order.counts)}`}</p>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** `plan` is null while the agent cannot be asked: then `cannot` says why. */
export interface DraftView { order: OrderView; plan: OrderPlan | null; drives: PlannedDrive[]; away: PlannedDrive[]; /** Which copies go onto. */ target: DriveName | null; /** Of duplicates: those that go, some of them. */ copies: { drive: string; path: string }[] | null; /** Some of what it is about. */ tiles: PlanTile[]; fields: CopyFields | ExportFields | null; cannot?: string | undefined }

/** What an order would do, before it is given; looked up again whenever a drive comes or goes. */
export function DraftPage(props: DraftView & { frame: FrameFacts; wrong?: string | undefined }) {
  const { order } = props;
  return (
    <Page frame={props.frame} title={order.title} section={order.kind === 'trash' || order.kind === 'empty' ? 'trash' : 'drives'}>
      <div class="page order-page">
        <h1><bdi>{showName(order.title)}?</bdi></h1>
        <Said text={props.wrong} wrong />
        <div id="order-draft" {...hx({ get: address(order), trigger: 'live-presence from:body', swap: 'innerMorph' })}><Draft {...props} /></div>
      </div>
    </Page>
  );
}

/** Fragment: the plan, and the form that gives the order. */
export function Draft(props: DraftView) {
  const { order, plan } = props;
  const asks = props.fields !== null && (props.fields.kind === 'copy' ? props.fields.volume_id === '' : props.fields.folder === '');
  if (asks && props.fields) return <Fields order={order} fields={props.fields} first />;
  const nothing = plan !== null && plan.files === 0 && plan.blocked === null;
  return (
    <>
      {props.fields && <Fields order={order} fields={props.fields} />}
      <Said text={plan === null ? props.cannot : plan.blocked ?? undefined} wrong />
      {nothing && <p class="lead" role="status">{props.away.length > 0 ? `Nothing of it lies on a drive that is connected. ${sayPlugIn(props.away)}` : plan.note ?? 'There is no file that this could be done to.'}</p>}
      {plan && plan.files > 0 && <PlanWords order={order} plan={plan} drives={props.drives} away={props.away} target={props.target} copies={props.copies} tiles={props.tiles} />}
      {plan && plan.refused.total > 0 && (
        <details class="section"><summary>{sayCount(plan.refused.total, 'file')} will be left alone</summary><ul class="rows">{plan.refused.files.map((file) => <li class="problem"><p class="path"><bdi>{showName(file.path)}</bdi></p><p class="small">{file.reason}</p></li>)}</ul></details>
      )}
      <form id="order-form" class="section form order-form" method="post" action={`${address(order)}/give`}>
        {plan && plan.files > 0 && plan.last_copies > 0 && <LastCopies kind={order.kind} count={plan.last_copies} />}
        <div class="buttons">
          {plan && plan.files > 0 && plan.blocked === null && <button class="button button-main" type="submit">{GIVE[order.kind]}</button>}
          <button class="button" type="submit" formaction={`${address(order)}/cancel`} formnovalidate>{plan && plan.files > 0 ? 'Leave everything as it is' : 'Back'}</button>
        </div>
      </form>
    </>
  );
}

const TEMPLATES = [['{year}/{month}', 'By year and month'], ['{year}', 'By year'], ['{album}', 'By album'], ['{year}/{month}/{album}', 'By year, month and album'], ['', 'All in one folder']] as const;

/** Where to. `first`: before anything can be looked up. */
function Fields(props: { order: OrderView; fields: CopyFields | ExportFields; first?: boolean }) {
  const { order, fields } = props;
  // Later they are of the form that gives the order: what stands in them is never left behind.
  const form = props.first ? undefined : 'order-form';
  const inputs = (
    <>
      {fields.kind === 'copy' ? (
        <>
          <label class="field"><span>Onto which drive</span><select name="volume_id" form={form} required>{fields.volume_id === '' && <option value="">Choose a drive</option>}{fields.drives.map((drive) => <option value={drive.volume_id} selected={drive.volume_id === fields.volume_id}>{showName(drive.label)}{drive.note && ` (${showName(drive.note)})`}{!drive.connected && ', away'}</option>)}</select></label>
          {fields.drives.length === 0 && <p class="small">No other drive that can be written to is connected. Plug one in, and it is offered here.</p>}
          <label class="field"><span>Into which folder there; empty is the drive’s top</span><input type="text" name="folder" form={form} value={fields.folder} placeholder="Photos" maxlength={1000} autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
        </>
      ) : (
        <>
          <label class="field"><span>Into which folder on the computer that has the drives</span><input type="text" name="folder" form={form} value={fields.folder} required pattern=".*\S.*" title="A folder" maxlength={4096} list="export-places" autocomplete="off" autocapitalize="off" spellcheck={false} /></label>
          <datalist id="export-places">{fields.places.map((place) => <option value={place}></option>)}</datalist>
          <label class="field"><span>In folders</span><select name="template" form={form}>{TEMPLATES.some(([template]) => template === fields.template) ? null : <option value={fields.template} selected>{fields.template}</option>}{TEMPLATES.map(([template, words]) => <option value={template} selected={template === fields.template}>{words}</option>)}</select></label>
          <label class="check"><input type="checkbox" name="sidecars" form={form} value="yes" checked={fields.sidecars} /><span>With your corrections beside each file, as XMP</span></label>
        </>
      )}
      <div class="buttons">
        <button class={props.first ? 'button button-main' : 'button'} type="submit" form={form} formaction={`${address(order)}/fill`}>{props.first ? 'Go on' : 'Change'}</button>
        {props.first && <button class="button" type="submit" formaction={`${address(order)}/cancel`} formnovalidate>Leave it</button>}
      </div>
    </>
  );
  return props.first ? <form class="form order-fields" method="post" action={`${address(order)}/fill`}>{inputs}</form> : <div class="form order-fields">{inputs}</div>;
}

const GIVE: Record<OrderKind, string> = { trash: 'Move to the trash', restore: 'Restore', empty: 'Delete for good', verify: 'Verify', copy: 'Copy', export: 'Export', mend: 'Mend' };

export function sayPlugIn(away: readonly PlannedDrive[]): string { return `Plug in ${away.map(sayDriveName).join(' or ')}.`; }

function PlanWords(props: { order: OrderView; plan: OrderPlan; drives: PlannedDrive[]; away: PlannedDrive[]; target: DriveName | null; copies: DraftView['copies']; tiles: PlanTile[] }) {
  const { order, plan } = props;
  return (
    <div class="plan">
      {props.tiles.length > 0 && <ul class="plan-tiles" aria-hidden="true">{props.tiles.map((tile) => <li style={tile.color ? `--c:${tile.color}` : undefined}>{tile.grid_version > 0 && <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" decoding="async" />}</li>)}</ul>}
      <p class="lead">
        {sayCount(plan.files, 'file')}, {sayBytes(plan.bytes)}{plan.sidecars > 0 && `, and ${sayCount(plan.sidecars, 'sidecar')} that ${plan.sidecars === 1 ? 'belongs' : 'belong'} to ${plan.files === 1 ? 'it' : 'them'}`}.
        {order.kind === 'trash' && (plan.files === 1 ? ' It goes into a folder on the same drive, is read once more there, and can be restored.' : ' They go into a folder on the same drive, are read once more there, and can be restored.')}
        {(order.kind === 'copy' || order.kind === 'export') && ` ${plan.files === 1 ? 'It is' : 'They are'} read, written, and read again there; nothing that lies there is written over, and the originals stay as they are.`}
        {order.kind === 'mend' && ' Each goes into the trash of its drive, and a copy that is read right then is written in its place.'}
        {order.kind === 'empty' && (plan.files === 1 ? ' It is read once more and then deleted. This cannot be undone.' : ' They are read once more and then deleted. This cannot be undone.')}
      </p>
      {props.copies && <p>The photos stay: of each another copy is read first.</p>}
      {props.copies && <ul class="rows">{props.copies.map((copy) => <li class="receipt"><p class="small path"><bdi>{showName(copy.drive)}</bdi>: <bdi>{showName(copy.path)}</bdi></p></li>)}</ul>}
      {props.target && <p>Onto <DriveNames drives={[props.target]} />.</p>}
      {plan.note && <p class="small">{plan.note}</p>}
      <ul class="rows plan-drives">
        {props.drives.map((drive) => <li class="num"><span class="dot" aria-hidden="true"></span><bdi>{showName(drive.label)}</bdi>{drive.note && <> · <bdi>{showName(drive.note)}</bdi></>} · {sayCount(drive.files, 'file')}, {sayBytes(drive.bytes)}</li>)}
        {props.away.map((drive) => <li class="num"><span class="dot away" aria-hidden="true"></span><bdi>{showName(drive.label)}</bdi>, away{drive.note && <> · <bdi>{showName(drive.note)}</bdi></>} · {sayCount(drive.files, 'file')} there {drive.files === 1 ? 'stays' : 'stay'}, now and when it is plugged in</li>)}
      </ul>
    </div>
  );
}

function LastCopies(props: { kind: OrderKind; count: number }) {
  const word = LAST_COPY_WORDS[props.kind] ?? 'yes';
  return (
    <label class="field last-copies">
      <span>{props.count === 1 ? 'Of one of them' : `Of ${sayNumber(props.count)} of them`} no other copy is known anywhere. Type <b>{word}</b> to let {props.count === 1 ? 'it' : 'them'} go too.</span>
      <input type="text" name="word" autocomplete="off" autocapitalize="off" spellcheck={false} required pattern={`\\s*${word.replace(/./g, (c) => `[${c}${c.toUpperCase()}]`)}\\s*`} title={word} />
    </label>
  );
}

export interface OrderBodyView { order: OrderView; counts: { outcome: Outcome; n: number }[]; receipts: ReceiptView[]; next: string | null; nowMs: number }

export function OrderPage(props: OrderBodyView & { frame: FrameFacts; first: boolean; said?: string | undefined; wrong?: string | undefined }) {
  const { order } = props;
  // What happened between the page's making and the opening of /live is asked for once it is open.
  const live = props.first ? hx({ get: `${address(order)}/state`, trigger: 'live-orders from:body, live-open from:body', swap: 'innerMorph' }) : {};
  return (
    <Page frame={props.frame} title={order.title} section={order.kind === 'trash' || order.kind === 'restore' || order.kind === 'empty' ? 'trash' : 'drives'}>
      <div class="page order-page">
        <Crumbs crumbs={ORDERS} />
        <h1><bdi>{showName(order.title)}</bdi></h1>
        <Said text={props.said} /><Said text={props.wrong} wrong />
        <div id="order-body" {...live}><OrderBody {...props} /></div>
      </div>
    </Page>
  );
}

/** Fragment: how it stands, what can be done about it, and its receipts. */
export function OrderBody(props: OrderBodyView) {
  const { order } = props;
  return (
    <>
      <OrderStateWords {...props} />
      <section class="section" aria-labelledby="receipts-title">
        <h2 id="receipts-title">Receipts</h2>
        {props.receipts.length > 0
          ? <p class="small buttons"><a href={`${address(order)}/receipts.csv`} download>As a table (CSV)</a><a href={`${address(order)}/receipts.json`} download>As JSON</a></p>
          : <p class="lead">{order.ended_at_ms !== null ? 'There was nothing to do.' : 'None yet. They come as each file is done.'}</p>}
        <ul class="rows">{props.receipts.map((receipt) => <ReceiptRow receipt={receipt} />)}</ul>
        {props.next && <p class="section buttons"><a class="button" rel="next" href={props.next}>More receipts</a></p>}
      </section>
    </>
  );
}

function OrderStateWords(props: { order: OrderView; counts: { outcome: Outcome; n: number }[]; nowMs: number }) {
  const { order, counts } = props;
  const open = order.ended_at_ms === null;
  const share = order.progress.bytes > 0 ? order.progress.bytes_done / order.progress.bytes : order.progress.files > 0 ? order.progress.files_done / order.progress.files : 0;
  const trashed = counts.find((c) => c.outcome === 'trashed')?.n ?? 0;
  return (
    <div class="order-state" aria-busy={open ? 'true' : undefined}>
      <p class="lead num" role="status">{order.state === 'waiting' && order.waitsFor ? `Plug in ${sayDriveName(order.waitsFor)} to go on` : sayState(order.state, order.cancelled === 1)}{!open && ` ${sayAgo(order.ended_at_ms ?? 0, props.nowMs)}`}.</p>
      {order.reason && !(order.state === 'waiting' && order.waitsFor) && <p>{order.reason}</p>}
      {open && <span class="meter" role="progressbar" aria-label="How far it is" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}><i style={`--p:${share.toFixed(3)}`}></i></span>}
      <p class="small num">{open ? sayOrderProgress(order.progress) : sayOutcomes(counts)}</p>
      <div class="buttons">
        {open && order.cancelled === 0 && <form method="post" action={`${address(order)}/cancel`}><button class="button" type="submit">Stop</button></form>}
        {order.kind === 'trash' && !open && trashed > 0 && <form method="post" action={`${address(order)}/undo`}><button class="button" type="submit"><Icon name="undo" small />Put it all back</button></form>}
        {order.kind === 'trash' && !open && <a class="button button-plain" href="/trash">To the trash</a>}
        {order.kind === 'verify' && counts.some((c) => c.outcome === 'damaged') && <a class="button" href="/copies/damaged">Damaged files</a>}
        {order.kind === 'restore' && !open && <a class="button button-plain" href="/">To the photos</a>}
      </div>
    </div>
  );
}

/** What became of files of which another was written, or lies there. */
const COPIED: readonly Outcome[] = ['copied', 'exported', 'already'];

function ReceiptRow(props: { receipt: ReceiptView }) {
  const { receipt } = props;
  return (
    <li class={isDone(receipt.outcome) ? 'receipt' : 'receipt receipt-not'}>
      <p class="path">{receipt.sha256 !== null && receipt.role === 'asset' ? <a href={assetAddress(receipt.sha256)}><bdi>{showName(receipt.path)}</bdi></a> : <bdi>{showName(receipt.path)}</bdi>}</p>
      <p class="small num">{sayOutcome(receipt.outcome)} · <bdi>{showName(receipt.drive)}</bdi>{receipt.size_bytes > 0 && ` · ${sayBytes(receipt.size_bytes)}`}{receipt.role === 'sidecar' && ' · sidecar'}{receipt.sha256 !== null && <> · <span title={receipt.sha256}>{receipt.sha256.slice(0, 12)}…</span></>}</p>
      {receipt.to_path !== null && COPIED.includes(receipt.outcome) && <p class="small path">→ <bdi>{showName(receipt.to_path)}</bdi></p>}
      {receipt.reason && <p class="small">{receipt.reason}</p>}
    </li>
  );
}
