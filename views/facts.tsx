// The panel of facts: what is known of an asset and where each of it came from, with the owner's corrections in place.
import type { AssetProblem, Exposure } from '../protocol/rows.ts';
import type { AssetKind, LocationState, OffsetSource, PlaceSource, StackType, TakenAtSource, ValueSource } from '../protocol/words.ts';
import { ClockForm, DescriptionForm, PlaceForm, SavedLine, TimeForm, type CorrectForm, type CorrectWhat, type Saved } from './correct.tsx';
import { hx } from './parts/hx.ts';
import { albumAddress, assetAddress, copiesAddress, placeAddress } from './parts/addresses.ts';
import { Icon } from './parts/icon.tsx';
import { SmallMap } from './parts/small-map.tsx';
import {
  isGuess, sayBytes, sayCodec, sayCount, sayDate, sayDuration, sayExposureTime, sayNumber, sayOffset, sayPlace, sayPlaceSource, sayPosition, sayPositionSource, sayProblem, sayStack, sayTime,
  sayTimeSource, sayType, sayWordSource, showName,
} from './parts/words.ts';

export interface ViewerAsset {
  sha256: string; kind: AssetKind; mime: string; size_bytes: number; width: number | null; height: number | null; duration_ms: number | null; color: string | null;
  codec: string | null; camera: string | null; lens: string | null; exposure: Exposure | null; problems: AssetProblem[];
  grid_version: number; preview_version: number; proxy_version: number; proxy_bytes: number | null; motion: number;
  taken_at: string | null; taken_at_source: TakenAtSource | null; doubtful: number; utc_offset_minutes: number | null; utc_offset_source: OffsetSource | null; time_basis: string | null; day: number;
  latitude: number | null; longitude: number | null; position_source: ValueSource | null; zone: string | null;
  place_rank: number | null; place_source: PlaceSource | null; street: string | null; neighbourhood: string | null; city: string | null; region: string | null;
  country: string | null; country_code: string | null; distance_m: number | null;
  description: string | null; description_source: ValueSource | null; favourite: number; archived: number; rating: number | null; people: string[]; tags: string[];
  stack_type: StackType | null; primary_sha256: string | null; live_sha256: string | null; live_proxy_version: number;
  own_time: number; own_position: number; own_description: number;
}
/** One copy is one file; the paths beyond the first show the same file. `damaged`: read again, it no longer held the bytes that it had. */
export interface ViewerCopy { label: string; state: LocationState; damaged: boolean; paths: string[]; problem: AssetProblem | null }
export interface ViewerMember {
  sha256: string; kind: AssetKind; stack_type: StackType; duration_ms: number | null; width: number | null; height: number | null; color: string | null; grid_version: number; mime: string; size_bytes: number;
}
/** What the asset is shown under. */
export interface ViewerPrimary { sha256: string; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number }
export interface FactsProps {
  asset: ViewerAsset; copies: ViewerCopy[]; moreCopies: boolean; albums: { album_id: number; title: string }[];
  /** All that is shown under the asset, or with it under `primary`. */
  members: ViewerMember[]; primary: ViewerPrimary | undefined;
  /** The grid that the viewer steps in; none for the timeline. */
  inside: string | undefined;
  form?: CorrectForm | undefined; saved?: Saved | undefined;
}

export function Facts(props: FactsProps) {
  return <aside class="facts" aria-label="Facts" tabindex={-1}><FactsBody {...props} /></aside>;
}

/** Fragment: all of the panel; forms and what comes of them are put in by morphing, so that nothing else of it moves. */
export function FactsBody(props: FactsProps) {
  const { asset, form } = props;
  return (
    <>
      <button class="icon-button facts-close needs-script" type="button" data-viewer="facts" aria-label="Close the facts"><Icon name="close" /></button>
      <h2>{asset.taken_at ? sayDate(asset.taken_at) : 'No date'}</h2>
      {form?.what === 'time' ? <TimeForm facts={props} form={form} /> : <Time {...props} />}
      <dl>
        <div class="fact" id="fact-place">
          <dt>Place</dt>
          {form?.what === 'place' ? <dd><PlaceForm facts={props} form={form} /></dd> : <Place {...props} />}
        </div>
        <div class="fact" id="fact-description">
          <dt>Description</dt>
          {form?.what === 'description' ? <dd><DescriptionForm facts={props} form={form} /></dd> : <Description {...props} />}
        </div>
        {form?.what === 'clock' ? <div class="fact" id="fact-camera"><dt>Camera</dt><dd><ClockForm facts={props} form={form} /></dd></div> : <CameraFacts {...props} />}
        <Names title="People" names={asset.people} />
        <Rating rating={asset.rating} />
        <Tags tags={asset.tags} />
        <Albums albums={props.albums} />
        {asset.favourite === 1 && <div class="without-script"><dt>Favourite</dt><dd class="with-icon"><Icon name="heart" small />One of your favourites</dd></div>}
        {asset.archived === 1 && <div><dt>Archived</dt><dd>Kept, and not in the timeline</dd></div>}
        <div>
          <dt>{asset.kind === 'video' ? 'Video' : asset.live_sha256 === null ? 'Photo' : asset.motion === 1 ? 'Motion photo' : 'Live Photo'}</dt>
          <dd class="num">
            {[asset.width && asset.height ? `${sayNumber(asset.width)} × ${sayNumber(asset.height)}` : null, asset.duration_ms !== null ? sayDuration(asset.duration_ms) : null].filter(Boolean).join(' · ') || 'Size not known'}
            <p class="small second">{[megapixels(asset), sayType(asset.mime), asset.codec === null ? null : sayCodec(asset.codec), sayBytes(asset.size_bytes)].filter(Boolean).join(' · ')}</p>
            {asset.proxy_version > 0 && <p class="small second">A small version{asset.proxy_bytes !== null && ` of ${sayBytes(asset.proxy_bytes)}`} is kept here, so it plays with the drive away.</p>}
          </dd>
        </div>
        <Stack {...props} />
        <div {...hx({ get: assetAddress(asset.sha256, undefined, '/copies'), trigger: 'live-presence from:body', swap: 'innerMorph' })}><Copies copies={props.copies} more={props.moreCopies} /></div>
        {asset.problems.length > 0 && (
          <div><dt>Problems</dt>{asset.problems.map((problem) => <dd>{sayProblem(problem.code).title}<p class="small second">{problem.reason}</p></dd>)}</div>
        )}
      </dl>
      {props.saved && <SavedLine saved={props.saved} facts={props} />}
    </>
  );
}

/** A plain link to the page with the form; with script the form opens in place. */
function Edit(props: { facts: FactsProps; what: CorrectWhat; label: string; text?: string }) {
  const address = assetAddress(props.facts.asset.sha256, props.facts.inside, `/edit/${props.what}`);
  const icon = props.text === undefined;
  return (
    <a class={icon ? 'edit' : 'edit edit-text'} href={address} aria-label={icon ? props.label : undefined} {...hx({ get: address, target: 'closest .facts', swap: 'innerMorph' })}>
      {icon ? <Icon name="edit" small /> : props.text}
    </a>
  );
}

function Time(props: FactsProps) {
  const { asset } = props;
  const edit = <Edit facts={props} what="time" label="Change the date and time" />;
  if (!asset.taken_at || !asset.taken_at_source) return <div class="fact fact-time" id="fact-time"><p class="small">Nothing in the file or its name says when it was taken.</p>{edit}</div>;
  const zone = asset.utc_offset_minutes === null ? '' : `, ${sayOffset(asset.utc_offset_minutes, asset.taken_at, asset.zone)}`;
  const guess = isGuess(asset.taken_at_source, asset.utc_offset_source, asset.doubtful === 1);
  return (
    <div class="fact fact-time" id="fact-time">
      <p class="small">
        {sayTime(asset.taken_at)}{zone} · <span class={guess ? 'guess' : undefined}>{sayTimeSource(asset.taken_at_source, asset.utc_offset_source)}{asset.doubtful === 1 && '; hard to believe, the clock may not have been set'}</span>
        {asset.time_basis && <span class="basis"><bdi>{showName(asset.time_basis)}</bdi></span>}
      </p>
      {edit}
    </div>
  );
}

function Place(props: FactsProps) {
  const { asset } = props;
  if (asset.latitude === null || asset.longitude === null) return <dd><span class="second">{asset.own_position === 1 ? 'None, as you said' : 'Not known'}</span><Edit facts={props} what="place" label="Set the place" /></dd>;
  const name = sayPlace(asset);
  const around = [...new Set([asset.street, asset.neighbourhood].filter((each) => each && each !== asset.city))].join(', ');
  const from = [
    asset.position_source && sayPositionSource(asset.position_source), name && asset.place_source ? sayPlaceSource(asset.place_source) : null,
  ].filter(Boolean);
  return (
    <dd>
      {name && asset.country_code ? <a href={asset.city ? placeAddress(asset.country_code, asset.region, asset.city) : placeAddress(asset.country_code)}><bdi>{showName(name)}</bdi></a> : <span class="second">{asset.place_rank === 0 ? 'Not named yet' : 'No name is known here'}</span>}
      <Edit facts={props} what="place" label="Change the place" />
      {around && <p class="small second"><bdi>{showName(around)}</bdi></p>}
      <p class="small second num">{from.join(' · ')}</p>
      <p class="small second num">{sayPosition(asset.latitude, asset.longitude)}</p>
      <SmallMap latitude={asset.latitude} longitude={asset.longitude} />
    </dd>
  );
}

function Description(props: FactsProps) {
  const { asset } = props;
  if (asset.description === null || asset.description_source === null) return <dd><span class="second">None</span><Edit facts={props} what="description" label="Write a description" /></dd>;
  return (
    <dd>
      <span class="said-text"><bdi>{showLines(asset.description)}</bdi></span><Edit facts={props} what="description" label="Change the description" />
      <p class="small second">{sayWordSource(asset.description_source)}</p>
    </dd>
  );
}

/** A text of several lines, with what is unseen made seen in each. */
function showLines(text: string): string {
  return text.split(/\r?\n/).map(showName).join('\n');
}

/** Five stars that are pressed; the pressed one again takes them all away. */
function Rating(props: { rating: number | null }) {
  const rating = props.rating ?? 0;
  return (
    <div id="fact-rating" class={rating === 0 ? 'needs-script' : undefined}>
      <dt>Rating</dt>
      <dd class="needs-script"><div class="stars" role="group" aria-label="Rating">
        {[1, 2, 3, 4, 5].map((stars) => (
          <button type="button" data-viewer="rate" value={stars} class={stars <= rating ? 'star star-on' : 'star'} aria-pressed={stars === rating ? 'true' : 'false'} aria-label={sayCount(stars, 'star')}><Icon name="star" /></button>
        ))}
      </div></dd>
      {rating > 0 && <dd class="without-script">{sayCount(rating, 'star')}</dd>}
    </div>
  );
}

function Tags(props: { tags: string[] }) {
  return (
    <div id="fact-tags" class={props.tags.length === 0 ? 'needs-script' : undefined}>
      <dt>Tags</dt>
      {props.tags.length > 0 && (
        <dd class="chips">
          {props.tags.map((tag) => <span class="tag"><bdi>{showName(tag)}</bdi><button class="needs-script" type="button" data-viewer="untag" value={tag} aria-label={`Take away the tag ${showName(tag)}`}><Icon name="close" small /></button></span>)}
        </dd>
      )}
      <dd class="needs-script"><form class="tag-form"><input type="text" name="tag" aria-label="Add a tag" placeholder="Add a tag" maxlength={100} autocomplete="off" enterkeyhint="done" dir="auto" /></form></dd>
    </div>
  );
}

function Albums(props: { albums: FactsProps['albums'] }) {
  return (
    <div id="fact-albums" class={props.albums.length === 0 ? 'needs-script' : undefined}>
      <dt>Albums</dt>
      {props.albums.map((album) => (
        <dd class="in-album">
          <a href={albumAddress(album.album_id)}><bdi>{showName(album.title)}</bdi></a>
          <button class="icon-button needs-script" type="button" data-viewer="unalbum" value={album.album_id} data-name={showName(album.title)} aria-label={`Take it out of ${showName(album.title)}`}><Icon name="close" small /></button>
        </dd>
      ))}
      <dd class="needs-script"><button class="link-button" type="button" data-viewer="album">Add to an album</button></dd>
    </div>
  );
}

function Names(props: { title: string; names: string[] }) {
  if (props.names.length === 0) return null;
  return <div><dt>{props.title}</dt><dd>{props.names.map((name, i) => <>{i > 0 && ', '}<bdi>{showName(name)}</bdi></>)}</dd></div>;
}

/** What is shown as one with it: each opens by itself. */
function Stack(props: FactsProps) {
  const { asset, inside } = props;
  const members = props.members.filter((member) => member.sha256 !== asset.sha256);
  const under = asset.primary_sha256 !== null && asset.stack_type !== null;
  if (members.length === 0 && !under) return null;
  return (
    <div>
      <dt>Shown as one with</dt>
      {under && asset.primary_sha256 !== null && asset.stack_type !== null && (
        <dd><a href={assetAddress(asset.primary_sha256, inside)} data-viewer="go">The photo that stands for {members.length > 0 ? 'all of them' : 'both'}</a><p class="small second">This is its {lower(sayStack(asset.stack_type))}.{asset.stack_type === 'live' && ' Time and place are the photo’s.'}</p></dd>
      )}
      {members.map((member) => (
        <dd><a href={assetAddress(member.sha256, inside)} data-viewer="go">{sayStack(member.stack_type)}</a><p class="small second num">{[member.duration_ms === null ? null : sayDuration(member.duration_ms), sayType(member.mime), sayBytes(member.size_bytes)].filter(Boolean).join(' · ')}</p></dd>
      ))}
    </div>
  );
}

function lower(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

function CameraFacts(props: FactsProps) {
  const { camera, lens, exposure } = props.asset;
  const parts = exposure ? [
    exposure.focal_mm === null ? null : `${Number(exposure.focal_mm.toFixed(1))} mm`, exposure.f_number === null ? null : `ƒ/${Number(exposure.f_number.toFixed(1))}`,
    exposure.time_s === null ? null : sayExposureTime(exposure.time_s), exposure.iso === null ? null : `ISO ${sayNumber(exposure.iso)}`,
  ].filter((part) => part !== null) : [];
  if (!camera && !lens && parts.length === 0) return null;
  return (
    <div class="fact" id="fact-camera">
      <dt>Camera</dt>
      <dd><bdi>{showName(camera ?? 'Not named')}</bdi>{lens && <p class="small second"><bdi>{showName(lens)}</bdi></p>}{parts.length > 0 && <p class="small second num">{parts.join(' · ')}</p>}{camera && <p class="small"><Edit facts={props} what="clock" label="" text="Its clock was wrong" /></p>}</dd>
    </div>
  );
}

/** Fragment: where the originals are. What is damaged, or was not found any more, is no copy. */
export function Copies(props: { copies: readonly ViewerCopy[]; more: boolean }) {
  const whole = props.copies.filter((copy) => !copy.damaged && copy.state !== 'missing').length;
  return (
    <>
      <dt>{whole === 0 && !props.more ? 'No whole copy' : whole === 1 && !props.more ? 'One copy' : `${props.more ? 'More than ' : ''}${sayCount(whole, 'copy', 'copies')}`}</dt>
      {props.copies.map((copy) => (
        <dd class="copy">
          <span class={`dot ${copy.damaged ? 'missing' : copy.state === 'present' ? '' : copy.state}`} aria-hidden="true"></span>
          <div>
            <bdi>{showName(copy.label)}</bdi>{copy.state === 'away' ? ', away' : copy.state === 'missing' ? ', not found there any more' : <span class="hidden-text">, connected</span>}{copy.damaged && <>, <a href={copiesAddress('damaged')}>damaged</a></>}
            <p class="small second path"><bdi>{showName(copy.paths[0] ?? '')}</bdi></p>
            {copy.paths.slice(1).map((path) => <p class="small second path">The same file is also seen as <bdi>{showName(path)}</bdi>: one copy.</p>)}
            {copy.problem && <p class="small guess">{sayProblem(copy.problem.code).title}: {copy.problem.reason}</p>}
          </div>
        </dd>
      ))}
    </>
  );
}

function megapixels(asset: ViewerAsset): string | null {
  if (!asset.width || !asset.height || asset.kind === 'video') return null;
  const mp = (asset.width * asset.height) / 1e6;
  return mp >= 1 ? `${Math.round(mp)} MP` : null;
}
