// `/copies`: how safely originals are kept, and the lists behind it. `/duplicates`: what lies in several files, side by side.
// `/duplicates/near`: what looks the same.
import { Hono } from 'hono';
import { PAGE_ROWS } from '../../protocol/limits.ts';
import { Sha256 } from '../../protocol/words.ts';
import { CopiesBody, CopiesPage, CopyListPage, damagedAddress, DamagedBody, DamagedPage, type CopiesFacts } from '../../views/copies.tsx';
import { DuplicatesPage, Groups, type DuplicatesFacts, type GroupFacts } from '../../views/duplicates.tsx';
import { LookAlikesPage, type LookAlikes } from '../../views/near.tsx';
import { withQuery } from '../../views/parts/addresses.ts';
import type { App } from '../env.ts';
import { BadRequest, NotFound } from '../errors.tsx';
import { readFields } from '../middleware/body.ts';
import { loadGridPiece, readGrid } from '../middleware/grid.ts';
import { loadKnownDrives, type KnownDrives } from '../middleware/known-drives.ts';
import { loadFrame, loadStatus, readForm, readWhere, sendBack, sendFragment, sendPage, wantsFragment } from '../middleware/page.tsx';
import { requireOwner, requireToken } from '../middleware/token.ts';
import { countCopies, listAlbumsKept, listDamaged, listYearsKept } from '../store/copies.ts';
import { listDuplicates, MOST_SPARE, suggest, type DuplicateGroup } from '../store/duplicates.ts';
import { chooseBestOf, keepNear, listNear, MAX_NEAR_SHOWN, MOST_NEAR, unkeepNear, type NearCursor } from '../store/near.ts';
import { cursorText, parseCursor } from '../store/timeline.ts';

/** Albums in one table: all of their members are looked at. */
const ALBUMS_SHOWN = 20;
const GROUPS_SHOWN = 20;
/** For the command line: a query of its own a group. */
const GROUPS_READ = 40;
/** A form of MAX_NEAR_SHOWN hashes. */
const MAX_KEEP_BYTES = 10_000;

export const copies = new Hono<App>();

copies.get('/copies', async (c) => {
  const after = { title: c.req.query('title') ?? '', albumId: Number(c.req.query('id') ?? 0) || 0 };
  const [counts, years, page, drives] = await Promise.all([countCopies(c.env.DB, Date.now()), listYearsKept(c.env.DB), listAlbumsKept(c.env.DB, after, ALBUMS_SHOWN), loadKnownDrives(c)]);
  const later = after.title !== '' || after.albumId > 0;
  const facts: CopiesFacts = {
    totals: counts, years, albums: page.albums, laterAlbums: later, nextAlbums: page.next ? withQuery('/copies', { title: page.next.title, id: page.next.albumId }) : null,
    only: [...counts.only].filter(([, assets]) => assets > 0).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([id, assets]) => ({ ...drives(id), assets })),
  };
  if (wantsFragment(c)) return sendFragment(c, <CopiesBody copies={facts} />);
  return sendPage(c, <CopiesPage frame={await loadFrame(c)} copies={facts} address={later ? withQuery('/copies', { title: after.title, id: after.albumId }) : '/copies'} />);
});

copies.get('/copies/damaged', async (c) => {
  const on = c.req.query('on') ?? null;
  const after = { volumeId: c.req.query('volume') ?? '', path: c.req.query('path') ?? '' };
  const [drives, rows] = await Promise.all([loadKnownDrives(c), listDamaged(c.env.DB, on, after, PAGE_ROWS + 1)]);
  const shown = rows.slice(0, PAGE_ROWS);
  const last = shown.at(-1);
  const next = rows.length > PAGE_ROWS && last ? damagedAddress(on, { volumeId: last.volume_id, path: last.path }) : null;
  const files = shown.map((file) => ({ ...file, drive: drives(file.volume_id), others: file.on_drives.map(drives) }));
  const facts = { files, next, nowMs: Date.now() };
  if (wantsFragment(c)) return sendFragment(c, <DamagedBody {...facts} />);
  return sendPage(c, <DamagedPage frame={await loadFrame(c)} {...facts} address={damagedAddress(on, after.path === '' ? undefined : after)} of={on === null ? undefined : drives(on)} />);
});

// The address as it came: the id of a drive may hold anything.
copies.get('/copies/*', async (c) => {
  const at = readGrid(new URL(c.req.url).pathname);
  if (at?.grid.kind !== 'copies' && at?.grid.kind !== 'copies-only' && at?.grid.kind !== 'copies-stale') throw new NotFound('There is no such list of copies.');
  const { grid } = at;
  const piece = await loadGridPiece(c.env.DB, at, readWhere(c));
  const [frame, counts, drives] = await Promise.all([loadFrame(c), countCopies(c.env.DB, Date.now()), loadKnownDrives(c)]);
  if (grid.kind === 'copies-only') return sendPage(c, <CopyListPage frame={frame} list="one" count={counts.only.get(grid.volume_id) ?? 0} piece={piece} drive={drives(grid.volume_id)} />);
  if (grid.kind === 'copies-stale') return sendPage(c, <CopyListPage frame={frame} list="unverified" count={counts.stale} piece={piece} />);
  const list = (['nowhere', 'one', 'together'] as const)[grid.safety] ?? 'one';
  return sendPage(c, <CopyListPage frame={frame} list={list} count={counts[list]} piece={piece} />);
});

copies.get('/duplicates', async (c) => {
  const from = c.req.query('from');
  const after = from === undefined ? MOST_SPARE : parseCursor(from);
  if (!after) throw new BadRequest('This address names no place among the duplicates.');
  const within = c.req.query('within') === 'drive';
  const [counts, page, drives] = await Promise.all([countCopies(c.env.DB, Date.now()), listDuplicates(c.env.DB, within ? 'extra' : 'all', after, GROUPS_SHOWN), loadKnownDrives(c)]);
  const here = (more: Record<string, string>) => withQuery('/duplicates', { ...(within ? { within: 'drive' } : {}), ...more });
  const facts: DuplicatesFacts = {
    within, count: within ? counts.extra : counts.duplicates, bytes: within ? counts.extra_bytes : counts.spare_bytes, all: counts.duplicates, extra: counts.extra,
    groups: page.groups.map((group) => describeGroup(group, drives)), first: from === undefined, nowMs: Date.now(),
    next: page.next ? here({ from: cursorText(page.next) }) : null, address: here(from === undefined ? {} : { from }),
  };
  if (wantsFragment(c)) return sendFragment(c, <Groups duplicates={facts} />);
  return sendPage(c, <DuplicatesPage frame={await loadFrame(c)} duplicates={facts} />);
});

/** For the command line: a line a group, those first that take the most room for nothing. */
copies.get('/api/duplicates', requireToken, async (c) => {
  const from = c.req.query('from');
  const after = from === undefined ? MOST_SPARE : parseCursor(from);
  if (!after) throw new BadRequest('This is no cursor of ours.');
  const [page, drives] = await Promise.all([listDuplicates(c.env.DB, c.req.query('within') === 'drive' ? 'extra' : 'all', after, GROUPS_READ), loadKnownDrives(c)]);
  const lines = page.groups.map((group) => {
    const facts = describeGroup(group, drives);
    return `${JSON.stringify({
      sha256: facts.sha256, size_bytes: facts.size_bytes, spare_bytes: facts.spare_bytes, offered: facts.offered, plug_in: facts.plugIn.map((drive) => drive.label),
      files: facts.copies.map((copy, i) => ({
        best: i === facts.best?.index, suggested: copy.tick, state: copy.connected ? 'present' : 'away', damaged: copy.damaged, verified_at_ms: copy.verified_at_ms,
        paths: copy.paths.map((path) => ({ volume_id: path.volume_id, volume: drives(path.volume_id).label, path: path.path })),
      })),
    })}\n`;
  });
  return c.body(lines.join(''), 200, { 'Content-Type': 'application/x-ndjson; charset=utf-8', ...(page.next ? { 'X-Next': cursorText(page.next) } : {}) });
});

copies.get('/duplicates/near', async (c) => {
  const from = c.req.query('from');
  const after = from === undefined ? MOST_NEAR : parseNear(from);
  if (!after) throw new BadRequest('This address names no place among the look-alikes.');
  const [page, status, frame] = await Promise.all([listNear(c.env.DB, after, GROUPS_SHOWN), loadStatus(c), loadFrame(c)]);
  const near: LookAlikes = {
    first: from === undefined, next: page.next ? withQuery('/duplicates/near', { from: `${page.next.spareBytes}-${page.next.sha256}` }) : null, toLook: status?.looks ?? null, kept: Sha256.safeParse(c.req.query('kept')).data ?? null,
    groups: page.groups.map(({ members, more }) => { const { best, lesser } = chooseBestOf(members); return { best, more, members: members.map((member, i) => ({ ...member, tick: lesser[i] ?? false })) }; }),
  };
  return sendPage(c, <LookAlikesPage frame={frame} near={near} />);
});

function parseNear(text: string): NearCursor | undefined {
  const [, bytes, sha256] = /^(\d{1,16})-([0-9a-f]{64})$/.exec(text) ?? [];
  return bytes === undefined || sha256 === undefined ? undefined : { spareBytes: Number(bytes), sha256 };
}

copies.post('/duplicates/near/keep', requireOwner, async (c) => {
  const fields = await readFields(c.req.raw, MAX_KEEP_BYTES);
  const sha256s = fields.getAll('sha256');
  if (sha256s.length < 2 || sha256s.length > MAX_NEAR_SHOWN || !sha256s.every((each) => Sha256.safeParse(each).success)) throw new BadRequest('These are no look-alikes.');
  await keepNear(c.env.DB, sha256s, fields.has('whole'), Date.now());
  return sendBack(c, withQuery('/duplicates/near', { kept: sha256s[0] ?? '' }));
});

copies.post('/duplicates/near/unkeep', requireOwner, async (c) => {
  const sha256 = Sha256.safeParse((await readForm(c))['sha256']);
  if (!sha256.success) throw new BadRequest('These are no look-alikes.');
  await unkeepNear(c.env.DB, sha256.data);
  return sendBack(c, '/duplicates/near');
});

function describeGroup({ tile, copies: files, morePaths }: DuplicateGroup, drives: KnownDrives): GroupFacts {
  const choices = files.map((file) => {
    // A file that several volumes show is at hand where one of them is connected; that one's path is the one to act on.
    const paths = file.paths.toSorted((a, b) => Number(drives(b.volume_id).connected) - Number(drives(a.volume_id).connected));
    const drive = drives(paths[0]?.volume_id ?? '');
    const fixed = file.in_package ? 'package' as const : drive.readOnly ? 'read_only' as const : null;
    return { ...file, paths, label: drive.label, note: drive.note, connected: drive.connected, fixed: fixed !== null, fixedBy: fixed };
  });
  const { best, copies: may, offered, plugIn } = suggest(choices);
  return {
    ...tile, morePaths, apart: new Set(choices.map((choice) => choice.paths[0]?.volume_id)).size === choices.length, best, offered, plugIn: plugIn.map(drives),
    copies: choices.map((choice, i) => ({ ...choice, fixed: choice.fixedBy, can: may[i]?.can ?? false, tick: may[i]?.tick ?? false })),
  };
}
