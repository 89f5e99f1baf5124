// The forms of the owner's corrections, in the panel of facts, and the line that says what came of one. Plain forms that
// htmx puts in place; what was typed stays when it is refused.
import type { Child } from 'hono/jsx';
import type { FactsProps } from './facts.tsx';
import { assetAddress } from './parts/addresses.ts';
import { hx } from './parts/hx.ts';
import { Icon } from './parts/icon.tsx';
import { sayDate, sayNumber, sayPlace, sayThings, sayTime, sayUtc, showName } from './parts/words.ts';

export type CorrectWhat = 'time' | 'place' | 'description' | 'clock';
export interface CorrectForm {
  what: CorrectWhat;
  /** What stands in the fields, by name. */
  typed: Record<string, string>;
  wrong?: string | undefined;
  /** How many assets each wider choice reaches; null where there is no such choice. */
  counts: { day: number | null; camera: number | null; place: number | null };
  /** The newest edit when the form was made: a form that is sent twice does nothing the second time. */
  seen: number;
  zones: string[];
  /** What a shift of the clock would do: to how many, to how many not, and to this one. */
  clock: ClockPreview | null;
}
export interface ClockPreview { assets: number; own: number; before: string | null; after: string | null; ownTime: boolean }
export interface Saved { text: string; editId: number | null }

/** Offsets that clocks keep and that no zone's name has to be known for. */
const FIXED_OFFSETS = [-720, -660, -600, -570, -540, -480, -420, -360, -300, -240, -210, -180, -120, -60, 0, 60, 120, 180, 210, 240, 270, 300, 330, 345, 360, 390, 420, 480, 525, 540, 570, 600, 630, 660, 720, 765, 780, 840];

interface Props { facts: FactsProps; form: CorrectForm }

function Form(props: Props & { main: string; forget: string | null; look?: boolean; children: Child }) {
  const { asset, inside } = props.facts;
  const action = assetAddress(asset.sha256, inside, `/edit/${props.form.what}`);
  const leave = assetAddress(asset.sha256, inside, '/edit/none');
  return (
    <form class="correct" id={`correct-${props.form.what}`} method="post" action={action} {...hx({ post: action, target: 'closest .facts', swap: 'innerMorph' })}>
      <input type="hidden" name="seen" value={String(props.form.seen)} />
      {props.children}
      {props.form.wrong && <p class="error small" role="alert">{props.form.wrong}</p>}
      <div class="buttons">
        <button class="button button-main" type="submit" name="do" value="save">{props.main}</button>
        {props.look && <button class="button without-script" type="submit" name="do" value="look">See what it does</button>}
        <a class="button button-plain" data-cancel href={assetAddress(asset.sha256, inside)} {...hx({ get: leave, target: 'closest .facts', swap: 'innerMorph' })}>Leave it</a>
      </div>
      {props.forget && <button class="link-button" type="submit" name="do" value="forget" formnovalidate>{props.forget}</button>}
    </form>
  );
}

/** For which assets; only choices that reach more than this one are offered. */
function Scope(props: Props & { help?: string }) {
  const { counts, typed } = props.form;
  const { asset } = props.facts;
  const choices: [value: string, label: Child, count: number | null][] = [
    ['day', 'All of this day', counts.day], ['camera', <>All by ‘<bdi>{showName(asset.camera ?? '')}</bdi>’</>, counts.camera], ['place', <>Everything at <bdi>{showName(asset.city ?? sayPlace(asset) ?? '')}</bdi></>, counts.place],
  ];
  const offered = choices.filter(([, , count]) => count !== null && count > 1);
  if (offered.length === 0) return null;
  return (
    <fieldset class="choices">
      <legend class="hidden-text">For which</legend>
      <label><input type="radio" name="scope" value="only" checked={!offered.some(([value]) => value === typed['scope'])} /><span>Only this</span></label>
      {offered.map(([value, label, count]) => <label><input type="radio" name="scope" value={value} checked={typed['scope'] === value} /><span>{label} <span class="second num">{sayNumber(count ?? 0)}</span></span></label>)}
      {props.help && <p class="tiny">{props.help}</p>}
    </fieldset>
  );
}

export function TimeForm(props: Props) {
  const { asset } = props.facts;
  const { typed } = props.form;
  const now = asset.utc_offset_minutes === null ? 'Not known' : sayUtc(asset.utc_offset_minutes);
  return (
    <div class="fact" id="fact-time">
      <Form {...props} main="Save" forget={asset.own_time === 1 ? 'Take my word back: the time as the file says' : null}>
        <div class="field-pair">
          <label class="field"><span>Date</span><input type="date" name="date" value={typed['date']} min="0001-01-01" max="9999-12-31" required autofocus /></label>
          <label class="field"><span>Time</span><input type="time" name="time" value={typed['time']} step={1} required /></label>
        </div>
        <label class="field">
          <span>Zone</span>
          <select name="zone">
            <option value="">As it is: {now}</option>
            <optgroup label="Places">{props.form.zones.map((zone) => <option value={zone} selected={zone === typed['zone']}>{zone.replaceAll('_', ' ')}</option>)}</optgroup>
            <optgroup label="Fixed">{FIXED_OFFSETS.map((minutes) => { const value = offsetText(minutes); return <option value={value} selected={value === typed['zone']}>{sayUtc(minutes)}</option>; })}</optgroup>
          </select>
          {asset.utc_offset_source === 'home' && <span class="tiny">The file gives this moment in UTC, so another zone moves the hours.</span>}
        </label>
        <Scope {...props} help="With more than this one, each moves by the same amount; a zone is the same for all." />
      </Form>
    </div>
  );
}

/** `+05:30`, as zones are typed. */
function offsetText(minutes: number): string {
  const abs = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${String(Math.floor(abs / 60)).padStart(2, '0')}:${String(abs % 60).padStart(2, '0')}`;
}

export function PlaceForm(props: Props) {
  const { asset } = props.facts;
  return (
    <Form {...props} main="Save" forget={asset.own_position === 1 ? 'Take my word back: the place as the file says' : null}>
      <label class="field">
        <span>Position, as copied from a map</span>
        <input type="text" name="position" value={props.form.typed['position']} placeholder="44.17, 9.61" autocomplete="off" autocapitalize="off" spellcheck={false} autofocus />
        <span class="tiny">Empty: it has no place, and a wrong one is taken away.</span>
      </label>
      <Scope {...props} />
    </Form>
  );
}

export function DescriptionForm(props: Props) {
  const { asset } = props.facts;
  return (
    <Form {...props} main="Save" forget={asset.own_description === 1 ? 'Take my word back: the words from the file' : null}>
      <label class="field"><span class="hidden-text">Description</span><textarea name="description" rows={4} autofocus>{props.form.typed['description']}</textarea></label>
      <Scope {...props} />
    </Form>
  );
}

export function ClockForm(props: Props) {
  const { typed } = props.form;
  const { asset, inside } = props.facts;
  const address = assetAddress(asset.sha256, inside, '/edit/clock-preview');
  return (
    <Form {...props} main="Shift" forget={null} look>
      <p class="small">The clock of ‘<bdi>{showName(asset.camera ?? '')}</bdi>’ was wrong. What it took should be</p>
      <div class="field-row">
        <label class="field"><span>Hours</span><input type="text" inputmode="numeric" name="hours" value={typed['hours']} autocomplete="off" autofocus /></label>
        <label class="field"><span>Minutes</span><input type="text" inputmode="numeric" name="minutes" value={typed['minutes']} autocomplete="off" /></label>
        <label class="field"><span class="hidden-text">Which way</span><select name="sign"><option value="later" selected={typed['sign'] !== 'earlier'}>later</option><option value="earlier" selected={typed['sign'] === 'earlier'}>earlier</option></select></label>
      </div>
      <details class="between" open={Boolean(typed['from'] || typed['to'])}>
        <summary>Only between two days</summary>
        <div class="field-pair">
          <label class="field"><span>From</span><input type="date" name="from" value={typed['from']} /></label>
          <label class="field"><span>To</span><input type="date" name="to" value={typed['to']} /></label>
        </div>
      </details>
      <div id="clock-preview" class="clock-preview" aria-live="polite" {...hx({ post: address, include: 'closest form', trigger: 'input delay:250ms from:"closest form"', swap: 'innerHTML' })}><ClockPreviewLines preview={props.form.clock} /></div>
    </Form>
  );
}

/** Fragment: what the shift would do. Two lines always, so that nothing moves while one types. */
export function ClockPreviewLines(props: { preview: ClockPreview | null; wrong?: string }) {
  const { preview } = props;
  if (!preview) return <p class="small second">{props.wrong ?? 'Say by how much, and what it does is shown here.'}<br />&nbsp;</p>;
  const moved = preview.assets - preview.own;
  return (
    <p class="small second num">
      {sayThings(moved)} by this camera{preview.own > 0 && `; ${sayNumber(preview.own)} with a time that you gave ${preview.own === 1 ? 'stays' : 'stay'}`}
      <br />
      {preview.ownTime ? 'This one stays: you gave its time.' : preview.before && preview.after ? `This one: ${sayMoment(preview.before, preview.after)} → ${sayMoment(preview.after, preview.before)}` : <>&nbsp;</>}
    </p>
  );
}

/** The time, with its date where the other has another. */
function sayMoment(wall: string, other: string): string {
  return wall.slice(0, 10) === other.slice(0, 10) ? sayTime(wall) : `${sayDate(wall)}, ${sayTime(wall)}`;
}

/** What came of it, and the way back. Stands over the panel, so that it moves nothing. */
export function SavedLine(props: { saved: Saved; facts: FactsProps }) {
  const { saved } = props;
  const { asset, inside } = props.facts;
  return (
    <div class="toast" role="status" tabindex={-1} autofocus data-changed>
      <span>{saved.text}</span>
      {saved.editId !== null && <UndoForm editId={saved.editId} asset={asset.sha256} inside={inside} target="closest .facts" swap="innerMorph" />}
    </div>
  );
}

export function UndoForm(props: { editId: number; asset?: string; inside?: string | undefined; target: string; swap: string }) {
  const action = `/edits/${props.editId}/undo`;
  return (
    <form method="post" action={action} {...hx({ post: action, target: props.target, swap: props.swap })}>
      {props.asset && <input type="hidden" name="asset" value={props.asset} />}
      {props.inside && <input type="hidden" name="in" value={props.inside} />}
      <button class="button" type="submit"><Icon name="undo" small />Undo</button>
    </form>
  );
}
