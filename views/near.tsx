// Look-alikes side by side: what tells them apart, which is best kept and why, the form that asks for a plan of those that are
// ticked, and the one that says that all are to stay.
import { renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind } from '../protocol/words.ts';
import { Page, type FrameFacts } from './frame.tsx';
import { Empty } from './grid.tsx';
import { assetAddress } from './parts/addresses.ts';
import { Icon } from './parts/icon.tsx';
import { elementId, lastPart, sayBytes, sayCount, sayDuration, sayNumber, showName } from './parts/words.ts';
import { tileRatio, tileWords } from './timeline.tsx';

export interface NearFacts {
  sha256: string; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number; taken_at: string | null; duration_ms: number | null;
  size_bytes: number; camera: string | null; placed: number; favourite: number; albums: string[]; path: string | null; tick: boolean;
}
export interface NearGroup { members: NearFacts[]; more: boolean; best: { index: number; why: 'pixels' | 'facts' | 'favourite' | 'album' | 'bytes' | 'same' } | undefined }
/** `toLook`: pictures that are still to be looked at, null where nobody can tell. `kept`: one of those that the owner just said are all to stay. */
export interface LookAlikes { groups: NearGroup[]; first: boolean; next: string | null; toLook: number | null; kept: string | null }

const WHY: Record<NonNullable<NearGroup['best']>['why'], string> = {
  pixels: 'it has the most pixels', facts: 'it says most of itself', favourite: 'it is a favourite', album: 'it is in an album', bytes: 'its file is the largest', same: 'nothing tells them apart',
};

export function LookAlikesPage(props: { frame: FrameFacts; near: LookAlikes }) {
  const { groups, first, next, toLook, kept } = props.near;
  return (
    <Page frame={props.frame} title="Look-alikes" section="drives">
      <div class="page wide">
        <a class="back" href="/duplicates"><Icon name="left" small />Duplicates</a>
        <h1>Look-alikes</h1>
        {kept && (
          <form class="said said-line" method="post" action="/duplicates/near/unkeep" role="status">
            <input type="hidden" name="sha256" value={kept} />
            <span>They all stay, and are not shown again.</span>
            <button class="button" type="submit"><Icon name="undo" small />Undo</button>
          </form>
        )}
        {groups.length > 0 && <p class="lead">The same picture in other sizes or qualities, or taken again at once. They are other files, so look before you choose. Nothing is moved before you have seen what would go.</p>}
        {toLook !== null && toLook > 0 && <p class="small num after">{sayNumber(toLook)} {toLook === 1 ? 'picture is' : 'pictures are'} still to be looked at.</p>}
        {groups.length === 0 && (first
          ? <Empty icon="copies" title="No look-alikes found yet" text="Pictures that look the same and are not the same file stand here side by side. They are looked for while nothing else is to be done." />
          : <p class="lead">No more look-alikes.</p>)}
        {groups.map((group) => <Group group={group} />)}
        {next && <p class="section buttons"><a class="button" rel="next" href={next}>More</a></p>}
      </div>
    </Page>
  );
}

function Group(props: { group: NearGroup }) {
  const { members, best, more } = props.group;
  const id = elementId('near', members[0]?.sha256.slice(0, 20) ?? '');
  const title = sayCount(members.length, 'look-alike');
  const cameras = new Set(members.map((member) => member.camera)).size > 1;
  const places = new Set(members.map((member) => member.placed)).size > 1;
  return (
    <section class="dup dup-near" aria-label={title}>
      <p class="num"><b>{title}</b></p>
      <form id={id} method="post" action="/orders/plan">
        <input type="hidden" name="kind" value="trash" />
        <ul class="dup-files">{members.map((member, i) => <Member member={member} best={best?.index === i ? best.why : null} cameras={cameras} places={places} />)}</ul>
      </form>
      {more && <p class="small">And more than can be shown at once. They come when these are dealt with; ‘Keep all’ keeps them too.</p>}
      <form class="dup-end buttons" method="post" action="/duplicates/near/keep">
        {members.map((member) => <input type="hidden" name="sha256" value={member.sha256} />)}
        {more && <input type="hidden" name="whole" value="yes" />}
        <button class="button" type="submit" form={id}><Icon name="trash" small />Move what is ticked to the trash…</button>
        <button class="button" type="submit">Keep all</button>
      </form>
    </section>
  );
}

function Member(props: { member: NearFacts; best: keyof typeof WHY | null; cameras: boolean; places: boolean }) {
  const { member } = props;
  const words = [
    member.width !== null && member.height !== null ? `${member.width} × ${member.height}` : null, sayBytes(member.size_bytes), member.duration_ms === null ? null : sayDuration(member.duration_ms),
    props.cameras ? (member.camera === null ? 'no camera named' : showName(member.camera)) : null, props.places ? (member.placed ? 'with its place' : 'without a place') : null, member.favourite ? 'a favourite' : null,
  ].filter((word) => word !== null);
  const name = member.path === null ? 'not found any more' : lastPart(member.path);
  const folder = member.path === null ? '' : lastPart(member.path.split('/').slice(0, -1).join('/'));
  const where = member.albums[0] !== undefined ? ['in the album ', member.albums[0]] : /whatsapp|-WA\d{4}/i.test(member.path ?? '') ? ['', 'WhatsApp'] : folder === '' ? null : ['in ', folder];
  return (
    <li class={props.best ? 'dup-file dup-best' : 'dup-file'}>
      <a class="dup-cover" href={assetAddress(member.sha256)} aria-label={`Look at it: ${tileWords(member)}`} style={`--r:${tileRatio(member.width, member.height).toFixed(4)}${member.color ? `;--c:${member.color}` : ''}`}>
        {member.grid_version > 0 ? <img src={renditionUrl({ sha256: member.sha256, name: 'grid', version: member.grid_version })} alt="" loading="lazy" decoding="async" /> : <Icon name={member.kind === 'video' ? 'film' : 'image'} />}
      </a>
      <p class="num">{words.join(', ')}{where && <>, {where[0]}<bdi>{showName(where[1] ?? '')}</bdi></>}</p>
      <p class="small path"><bdi>{showName(name)}</bdi></p>
      {props.best && <p class="dup-why"><Icon name="star" small />Best kept: {WHY[props.best]}</p>}
      <label class="check dup-tick"><input type="checkbox" name="sha256" value={member.sha256} checked={member.tick} autocomplete="off" /><span>To the trash<span class="hidden-text">: <bdi>{showName(name)}</bdi></span></span></label>
    </li>
  );
}
