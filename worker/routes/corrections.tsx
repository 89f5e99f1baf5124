// The owner's corrections: forms in the viewer's panel, the page of changes, and the same in JSON for machines.
import { Hono } from 'hono';
import { Correction, readPosition, readShift, readWall, readZone, type CorrectionChange, type CorrectionScope, type Typed } from '../../protocol/correction.ts';
import { wallMs, wallText } from '../../protocol/time.ts';
import { ClockPreviewLines, type ClockPreview, type CorrectForm, type CorrectWhat } from '../../views/correct.tsx';
import { EditRow, EditsPage } from '../../views/edits.tsx';
import { assetAddress } from '../../views/parts/addresses.ts';
import { summarise } from '../../views/parts/change-words.ts';
import { sayShift, sayThings } from '../../views/parts/words.ts';
import type { App } from '../env.ts';
import { BadRequest, Conflict, NotFound } from '../errors.tsx';
import { wakePlaces } from '../link/client.ts';
import { loadFacts, sendFacts, sendViewer, type LoadedFacts } from '../middleware/asset.tsx';
import { readJson } from '../middleware/body.ts';
import { loadFrame, readForm, sendBack, sendFragment, sendPage, wantsFragment, type PageContext } from '../middleware/page.tsx';
import { tellLibrary } from '../middleware/tell.ts';
import { requireOwner } from '../middleware/token.ts';
import { applyCorrection, countScope, findEdit, listEdits, newestEdit, undoEdit, type UndoOutcome } from '../store/corrections.ts';
import { listTitles } from '../store/albums.ts';
import { listZones } from '../store/settings.ts';

/** 20,000 hashes and a long description. */
const MAX_CORRECTION_BYTES = 1_600_000;
const EDITS_SHOWN = 50;
/** Larger than any number of an edit. */
const NEWEST = Number.MAX_SAFE_INTEGER;

export const corrections = new Hono<App>();
for (const path of ['/api/corrections', '/api/edits', '/api/edits/*']) corrections.use(path, requireOwner);

corrections.get('/a/:sha256/edit/:what', async (c) => {
  const facts = await loadFacts(c, c.req.param('sha256'), c.req.query('in'));
  const what = readWhat(c.req.param('what'));
  return sendFacts(c, what === undefined ? facts : { ...facts, form: await openForm(c, facts, what) });
});

corrections.post('/a/:sha256/edit/clock-preview', async (c) => {
  const facts = await loadFacts(c, c.req.param('sha256'), c.req.query('in'));
  const read = readClock(facts, await readForm(c));
  if (!read.ok) return sendFragment(c, <ClockPreviewLines preview={null} wrong={read.wrong} />);
  return sendFragment(c, <ClockPreviewLines preview={await previewClock(c, facts, read.value)} />);
});

corrections.post('/a/:sha256/edit/:what', async (c) => {
  const facts = await loadFacts(c, c.req.param('sha256'), c.req.query('in'));
  const what = readWhat(c.req.param('what'));
  if (what === undefined) throw new NotFound('There is nothing of that name to correct.');
  const typed = await readForm(c);
  const refuse = async (wrong?: string) => sendFacts(c, { ...facts, form: await openForm(c, facts, what, typed, wrong) }, wrong === undefined ? 200 : 422);
  if (typed['do'] === 'look') return refuse();
  const read = typed['do'] === 'forget' ? readForget(what) : READERS[what](facts, typed);
  if (!read.ok) return refuse(read.wrong);

  const { summary, change, scope } = read.value;
  // Only what moves is not the same when it is done twice.
  const moves = change.shift_s !== undefined || change.move_s !== undefined;
  const done = await applyCorrection(c.env.DB, { scope: scope ?? { kind: 'assets', sha256s: [facts.asset.sha256] }, change, summary, nowMs: Date.now(), afterEdit: moves ? Number(typed['seen']) : undefined });
  if (done.kind === 'changed-meanwhile') return refuse('Something was changed since this form was opened, perhaps by this form itself. Look again, then save once more.');
  if (done.kind === 'done') await tellChange(c, change.position !== undefined);
  return sendSaved(c, facts, done.kind === 'done' ? done.editId : null);
});

corrections.get('/edits', async (c) => {
  const before = c.req.query('before');
  const at = before === undefined ? NEWEST : Number(before);
  if (!Number.isSafeInteger(at) || at < 1) throw new BadRequest('This address names no change.');
  const edits = await listEdits(c.env.DB, at, EDITS_SHOWN + 1);
  const shown = edits.slice(0, EDITS_SHOWN);
  const next = edits.length > EDITS_SHOWN ? `/edits?before=${shown.at(-1)?.edit_id ?? 0}` : null;
  return sendPage(c, <EditsPage frame={await loadFrame(c)} edits={shown} next={next} first={before === undefined} nowMs={Date.now()} {...(c.req.query('done') === 'undone' ? { said: 'Undone.' } : {})} />);
});

corrections.post('/edits/:id/undo', async (c) => {
  const id = readId(c.req.param('id'));
  const form = await readForm(c);
  const undone = await needUndo(c, id);
  const text = sayUndone(undone);
  if (form['asset']) {
    if (!wantsFragment(c)) return sendBack(c, assetAddress(form['asset'], form['in'] || undefined));
    return sendFacts(c, { ...(await loadFacts(c, form['asset'], form['in'] || undefined)), saved: { text, editId: null } });
  }
  const back = form['back'] ?? '';
  if (!wantsFragment(c)) return sendBack(c, /^\/albums\/\d{1,15}\/arrange$/.test(back) ? back : '/edits?done=undone');
  const edit = await findEdit(c.env.DB, id);
  if (!edit) throw new NotFound('There is no such change.');
  return sendFragment(c, <EditRow edit={edit} nowMs={Date.now()} said={text} />);
});

corrections.post('/api/corrections', async (c) => {
  const parsed = Correction.safeParse(await readJson(c.req.raw, MAX_CORRECTION_BYTES));
  if (!parsed.success) throw new BadRequest(`This correction cannot be read: ${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}.`);
  const { change } = parsed.data;
  const titles = await listTitles(c.env.DB, [...(change.albums_add ?? []), ...(change.albums_remove ?? [])]);
  const done = await applyCorrection(c.env.DB, { ...parsed.data, summary: summarise(change, titles), nowMs: Date.now() });
  if (done.kind === 'no-such-album') throw new NotFound(`There is no album ${done.albumIds.join(', ')} that photos can be put into.`);
  if (done.kind === 'changed-meanwhile') throw new Conflict('Something else was changed meanwhile.');
  if (done.kind === 'done') await tellChange(c, parsed.data.change.position !== undefined);
  return c.json(done.kind === 'done' ? { edit_id: done.editId, assets: done.assets } : { edit_id: null, assets: 0 });
});

corrections.get('/api/edits', async (c) => c.json(await listEdits(c.env.DB, readId(c.req.query('before') ?? String(NEWEST)), EDITS_SHOWN)));

corrections.post('/api/edits/:id/undo', async (c) => {
  const undone = await needUndo(c, readId(c.req.param('id')));
  return c.json({ undone_now: undone.now, restored: undone.restored, kept: undone.kept });
});

async function needUndo(c: PageContext, id: number): Promise<UndoOutcome> {
  const undone = await undoEdit(c.env.DB, id, Date.now());
  if (!undone) throw new NotFound(`There is no change ${id}.`);
  if (undone.now) await tellChange(c, true);
  return undone;
}

async function tellChange(c: PageContext, places: boolean): Promise<void> {
  await tellLibrary(c);
  // A corrected position may lie in a cell without names.
  if (places) await wakePlaces(c.env);
}

function sayUndone(undone: UndoOutcome): string {
  if (!undone.now) return 'This was undone before.';
  if (undone.kept === 0) return 'Undone.';
  return `Undone, but for ${sayThings(undone.kept)} that you changed again later.`;
}

/** htmx gets the panel as it now is; a plain form goes back to the page. */
async function sendSaved(c: PageContext, before: LoadedFacts, editId: number | null): Promise<Response> {
  if (!wantsFragment(c)) {
    const address = assetAddress(before.asset.sha256, before.inside);
    return sendBack(c, editId === null ? address : `${address}${address.includes('?') ? '&' : '?'}saved=${editId}`);
  }
  const facts = await loadFacts(c, before.asset.sha256, before.inside);
  return sendFacts(c, { ...facts, saved: await describeSaved(c, editId) });
}

async function describeSaved(c: PageContext, editId: number | null): Promise<{ text: string; editId: number | null }> {
  const edit = editId === null ? undefined : await findEdit(c.env.DB, editId);
  if (!edit) return { text: 'Nothing was different.', editId: null };
  return { text: edit.assets === 1 ? 'Saved.' : `Saved for ${sayThings(edit.assets)}.`, editId: edit.undone_at_ms === null ? edit.edit_id : null };
}

/** The viewer's page after a plain form was sent. */
corrections.get('/a/:sha256', async (c, next) => {
  const saved = c.req.query('saved');
  if (saved === undefined || wantsFragment(c)) return next();
  return sendViewer(c, { ...(await loadFacts(c, c.req.param('sha256'), c.req.query('in'))), saved: await describeSaved(c, readId(saved)) });
});

function readId(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new BadRequest('A change has a number.');
  return Number(text);
}

function readWhat(text: string): CorrectWhat | undefined {
  return (['time', 'place', 'description', 'clock'] as const).find((what) => what === text);
}

/** A form as it is opened, or as it stood when it was refused. */
async function openForm(c: PageContext, facts: LoadedFacts, what: CorrectWhat, typed?: Record<string, string>, wrong?: string): Promise<CorrectForm> {
  const { asset } = facts;
  const count = async (scope: CorrectionScope | null) => (scope && what !== 'clock' ? (await countScope(c.env.DB, scope)).assets : null);
  const clock = what === 'clock' && typed ? readClock(facts, typed) : undefined;
  const [day, camera, place, seen, preview] = await Promise.all([
    count(scopeOf(asset, 'day')), count(scopeOf(asset, 'camera')), what === 'place' ? count(scopeOf(asset, 'place')) : null, newestEdit(c.env.DB),
    clock?.ok ? previewClock(c, facts, clock.value) : null,
  ]);
  return { what, typed: typed ?? currentFields(asset, what), wrong, counts: { day, camera, place }, seen, zones: what === 'time' ? listZones('UTC') : [], clock: preview };
}

function currentFields(asset: LoadedFacts['asset'], what: CorrectWhat): Record<string, string> {
  if (what === 'time') return asset.taken_at === null ? {} : { date: asset.taken_at.slice(0, 10), time: asset.taken_at.slice(11), zone: '' };
  if (what === 'place') return { position: asset.latitude === null || asset.longitude === null ? '' : `${asset.latitude}, ${asset.longitude}` };
  return what === 'description' ? { description: asset.description ?? '' } : { hours: '', minutes: '', sign: 'later' };
}

interface Read { change: CorrectionChange; summary: string; scope?: CorrectionScope }

/** The scope that a choice of the form means for this asset; null where it has no day, camera or named place. */
function scopeOf(asset: LoadedFacts['asset'], choice: string): CorrectionScope | null {
  if (choice === 'day') return asset.day === 0 ? null : { kind: 'day', day: asset.day };
  if (choice === 'camera') return asset.camera === null ? null : { kind: 'camera', camera: asset.camera, from: null, to: null };
  return choice === 'place' && asset.country_code !== null ? { kind: 'place', country_code: asset.country_code, region: asset.region, city: asset.city } : null;
}

/** Spread into what was read: the wider scope that was chosen, if any. */
function chosen(facts: LoadedFacts, typed: Record<string, string>): { scope?: CorrectionScope } {
  const scope = scopeOf(facts.asset, typed['scope'] ?? '');
  return scope ? { scope } : {};
}

const READERS: Record<CorrectWhat, (facts: LoadedFacts, typed: Record<string, string>) => Typed<Read>> = {
  time: readTime,
  place: (facts, typed) => {
    const text = (typed['position'] ?? '').trim();
    if (text === '') return good({ position: 'none' }, facts, typed);
    const position = readPosition(text);
    return position.ok ? good({ position: position.value }, facts, typed) : position;
  },
  description: (facts, typed) => {
    const description = (typed['description'] ?? '').replaceAll('\r\n', '\n').trim();
    return description.length > 10_000 ? { ok: false, wrong: 'A description has at most 10,000 characters.' } : good({ description }, facts, typed);
  },
  clock: readClock,
};

function good(change: CorrectionChange, facts: LoadedFacts, typed: Record<string, string>): Typed<Read> {
  return { ok: true, value: { change, summary: summarise(change), ...chosen(facts, typed) } };
}

/** Of one asset the time is set; of many each moves by as much as this one does. */
function readTime(facts: LoadedFacts, typed: Record<string, string>): Typed<Read> {
  const { asset } = facts;
  const wall = readWall(typed['date'] ?? '', typed['time'] ?? '');
  if (!wall.ok) return wall;
  const zone = typed['zone'] ? readZone(typed['zone']) : undefined;
  if (zone && !zone.ok) return zone;
  const scope = chosen(facts, typed);
  const [was, is] = [wallMs(asset.taken_at ?? ''), wallMs(wall.value)];
  const moved = was === undefined || is === undefined ? undefined : (is - was) / 1000;
  const change: CorrectionChange = { ...zone?.value };
  if (scope.scope && moved !== undefined) {
    if (moved !== 0) change.move_s = moved;
  } else if (moved !== 0) {
    change.taken_at = wall.value;
    // What the camera said of its zone would be lost with its time; what follows from the place or a second clock is found anew.
    const own = asset.utc_offset_source === 'exif' || asset.utc_offset_source === 'quicktime_keys';
    if (!zone && own && asset.utc_offset_minutes !== null) change.utc_offset_minutes = asset.utc_offset_minutes;
  }
  if (Object.keys(change).length === 0) return { ok: false, wrong: 'Nothing was changed yet.' };
  return { ok: true, value: { change, summary: summarise(change), ...scope } };
}

function readClock(facts: LoadedFacts, typed: Record<string, string>): Typed<Read> {
  const { camera } = facts.asset;
  if (camera === null) return { ok: false, wrong: 'The file does not say which camera took it.' };
  const shift = readShift(typed['hours'] ?? '', typed['minutes'] ?? '', typed['sign'] ?? '');
  if (!shift.ok) return shift;
  const from = readDay(typed['from']);
  const to = readDay(typed['to']);
  if (from === undefined || to === undefined) return { ok: false, wrong: 'A day is written as in 2024-05-06.' };
  if (from !== null && to !== null && from > to) return { ok: false, wrong: 'The first day comes before the last.' };
  return { ok: true, value: { change: { shift_s: shift.value }, summary: `Clock of ‘${camera}’ set ${sayShift(shift.value)}`, scope: { kind: 'camera', camera, from, to } } };
}

/** `20240506` for `2024-05-06`, null for nothing, undefined for what is no day. */
function readDay(text: string | undefined): number | null | undefined {
  if (!text?.trim()) return null;
  const wall = readWall(text, '00:00');
  return wall.ok ? Number(wall.value.slice(0, 10).replaceAll('-', '')) : undefined;
}

function readForget(what: CorrectWhat): Typed<Read> {
  if (what === 'clock') return { ok: false, wrong: 'A clock’s shift is undone on the page of changes.' };
  const change: CorrectionChange = what === 'time' ? { taken_at: null } : what === 'place' ? { position: null } : { description: null };
  return { ok: true, value: { change, summary: summarise(change) } };
}

async function previewClock(c: PageContext, facts: LoadedFacts, read: Read): Promise<ClockPreview> {
  const counts = read.scope ? await countScope(c.env.DB, read.scope) : { assets: 0, own: 0 };
  const { asset } = facts;
  const ms = wallMs(asset.taken_at ?? '');
  const reached = read.scope?.kind === 'camera' && asset.day >= (read.scope.from ?? 0) && asset.day <= (read.scope.to ?? 99_999_999);
  return {
    ...counts, ownTime: asset.owner_time === 1,
    before: reached ? asset.taken_at : null, after: reached && ms !== undefined ? wallText(ms + (read.change.shift_s ?? 0) * 1000) : null,
  };
}
