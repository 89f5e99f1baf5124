// The viewer: one asset, its neighbours and what is known of it (facts.tsx), as a page and as the layer that a grid opens.
import { NO_PROXY } from '../protocol/proxy.ts';
import { proxyUrl, renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind, StackType } from '../protocol/words.ts';
import { Facts, type FactsProps, type ViewerAsset, type ViewerCopy, type ViewerPrimary } from './facts.tsx';
import { Head } from './frame.tsx';
import { assetAddress, originalAddress, similarAddress, withQuery } from './parts/addresses.ts';
import { hx } from './parts/hx.ts';
import { boxText, pictureBox } from './parts/box.ts';
import { downloadName } from './parts/file-name.ts';
import { sayPlugInFor } from './parts/left-out-words.ts';
import { Icon, type IconName } from './parts/icon.tsx';
import { sayBytes, sayDate, sayDuration, sayStack, showName } from './parts/words.ts';
import { tileId, tileRatio, tileWords } from './timeline.tsx';

export interface StripTile {
  sha256: string; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number; preview_version: number; taken_at: string | null;
  rank?: number;
}
export interface ViewerProps {
  facts: FactsProps;
  /** As they stand in the strip: nearest last before it, nearest first behind it. */
  before: StripTile[]; behind: StripTile[];
  /** Where the asset stands in the search that it is shown in. */
  rank?: number | undefined;
}

export function ViewerPage(props: ViewerProps & { scriptUrl: string; styleUrl: string }) {
  const neighbours = [props.behind[0], props.before.at(-1)];
  const { asset } = props.facts;
  return (
    <html lang="en">
      <Head title={`${asset.taken_at ? sayDate(asset.taken_at) : 'No date'} · Jharokha`} scriptUrl={props.scriptUrl} styleUrl={props.styleUrl} dark>
        {neighbours.map((tile) => tile && pictureUrl(tile) ? <link rel="prefetch" as="image" href={pictureUrl(tile)} /> : null)}
      </Head>
      <body class="viewer-page">
        <main id="viewer" class="viewer" tabindex={-1}><Viewer {...props} /></main>
      </body>
    </html>
  );
}

/** Fragment: everything inside the layer. */
export function Viewer(props: ViewerProps) {
  const { asset, inside, primary } = props.facts;
  const before = props.before.at(-1);
  const behind = props.behind[0];
  // A member of a stack stands where its primary does.
  const stands = primary?.sha256 ?? asset.sha256;
  const back = `${withQuery(inside ?? '/', { near: stands, ...(props.rank === undefined ? {} : { at: props.rank }) })}#${tileId(stands)}`;
  return (
    <div class="viewer-body" data-sha256={asset.sha256} data-tile={tileId(stands)} data-stands={stands} data-in={inside} data-label={tileWords(asset)} data-title={`${asset.taken_at ? sayDate(asset.taken_at) : 'No date'} · Jharokha`}>
      <div class="stage">
        <h1 class="hidden-text">{tileWords(asset)}</h1>
        <Picture asset={asset} />
        <Tools {...props} back={back} />
        {before && <a class="step step-newer" data-viewer="newer" rel="prev" href={assetAddress(before.sha256, inside, '', before.rank)} aria-label="The one before"><Icon name="left" /></a>}
        {behind && <a class="step step-older" data-viewer="older" rel="next" href={assetAddress(behind.sha256, inside, '', behind.rank)} aria-label="The next one"><Icon name="right" /></a>}
        <div class="stage-foot"><Follows {...props.facts} /><StackRow {...props.facts} /></div>
        {/* The one in the middle stays there, however many and however wide those beside it are. */}
        <nav class="strip" aria-label="Beside this one">
          <div class="strip-before">{props.before.map((tile) => <StripLink tile={tile} inside={inside} />)}</div>
          <StripLink tile={{ ...asset, ...(props.rank === undefined ? {} : { rank: props.rank }) }} current inside={inside} />
          <div class="strip-behind">{props.behind.map((tile) => <StripLink tile={tile} inside={inside} />)}</div>
        </nav>
      </div>
      <Facts {...props.facts} />
    </div>
  );
}

/** What is done most stands in the row; the rest too on a wide screen, and behind one button on a phone. */
function Tools(props: ViewerProps & { back: string }) {
  const { asset, copies } = props.facts;
  const file = downloadOf(asset, copies);
  return (
    <div class="stage-tools">
      <a class="icon-button" data-viewer="close" href={props.back} aria-label="Back"><Icon name="back" /></a>
      <div class="stage-end">
        {asset.live_sha256 !== null && asset.live_proxy_version > 0 && <button class="live-button needs-script" type="button" data-viewer="live" aria-pressed="false"><Icon name="live" small />LIVE</button>}
        <MarkButton facts={props.facts} field="favourite" icon="heart" label="Favourite" keys="f" />
        {file && <a class="icon-button" data-viewer="download" href={file.href} download={file.name} aria-label="Download" title="Download (d)" aria-keyshortcuts="d"><Icon name="download" /></a>}
        <span class="original" {...hx({ get: assetAddress(asset.sha256, undefined, '/original'), trigger: 'live-presence from:body', swap: 'innerMorph' })}><Original asset={asset} copies={copies} /></span>
        <button class="icon-button tools-more" type="button" popovertarget="viewer-tools" aria-label="More"><Icon name="more" /></button>
        <div id="viewer-tools" class="tools-rest" popover="auto">
          <button class="tool needs-script" type="button" data-viewer="album" aria-label="Add to an album" title="Add to an album (a)" aria-keyshortcuts="a"><Icon name="albumAdd" /><span class="tool-word">Add to an album</span></button>
          <MarkButton facts={props.facts} field="archived" icon="archive" label="Archive" keys="e" word />
          <form class="tool-form" method="post" action="/orders/plan">
            <input type="hidden" name="kind" value="trash" /><input type="hidden" name="sha256" value={asset.sha256} />
            <button class="tool" type="submit" data-viewer="trash" aria-label="Move to the trash" title="Move to the trash (Delete)" aria-keyshortcuts="Delete"><Icon name="trash" /><span class="tool-word">Move to the trash</span></button>
          </form>
          <a class="tool" data-viewer="similar" href={similarAddress(asset.sha256)} aria-label="More like this" title="More like this (l)" aria-keyshortcuts="l"><Icon name="similar" /><span class="tool-word">More like this</span></a>
          <button class="tool needs-script" type="button" data-viewer="slideshow" aria-label="Slideshow" title="Slideshow (s)" aria-keyshortcuts="s"><Icon name="slideshow" /><span class="tool-word">Slideshow</span></button>
        </div>
        <button class="icon-button needs-script" type="button" data-viewer="facts" aria-label="Facts" title="Facts (i)" aria-keyshortcuts="i"><Icon name="info" /></button>
      </div>
    </div>
  );
}

/** A plain form of one button; with script it answers at once and says what it did, with the way back. */
function MarkButton(props: { facts: FactsProps; field: 'favourite' | 'archived'; icon: IconName; label: string; keys: string; word?: boolean }) {
  const { asset, inside } = props.facts;
  const on = asset[props.field] === 1;
  return (
    <form class="tool-form" method="post" action={assetAddress(asset.sha256, inside, '/mark')}>
      <input type="hidden" name={props.field} value={on ? 'no' : 'yes'} />
      <button class={props.word ? 'tool' : 'icon-button'} type="submit" data-viewer={props.field} aria-pressed={on ? 'true' : 'false'} aria-label={props.label} title={`${props.label} (${props.keys})`} aria-keyshortcuts={props.keys}>
        <Icon name={props.icon} />{props.word && <span class="tool-word">{props.label}</span>}
      </button>
    </form>
  );
}

/** Fragment: the file itself, where a copy is connected; else which drive would bring it. */
export function Original(props: { asset: ViewerAsset; copies: readonly ViewerCopy[] }) {
  const asset = props.asset;
  const copies = props.copies.filter((copy) => !copy.damaged);
  if (copies.some((copy) => copy.state === 'present')) return <a class="icon-button" data-viewer="original" href={originalAddress(asset.sha256)} aria-label="Download the original" title={`Download the original, ${sayBytes(asset.size_bytes)}`}><Icon name="original" /></a>;
  const away = [...new Set(copies.filter((copy) => copy.state === 'away').map((copy) => copy.label))].map((label) => ({ label, note: null }));
  if (away.length === 0) return <></>;
  const words = sayPlugInFor(away, 'the original');
  return (
    <>
      <button class="icon-button original-away" type="button" popovertarget="original-away" aria-label={words} title={words}><Icon name="original" /></button>
      <p id="original-away" class="original-words" popover="auto">{words}</p>
    </>
  );
}

/** The largest that is kept here, under the name of the file that it was made from; none yet before there is one. */
function downloadOf(asset: ViewerAsset, copies: readonly ViewerCopy[]): { href: string; name: string } | undefined {
  const ending = asset.proxy_version > 0 ? 'mp4' : 'webp';
  const href = ending === 'mp4' ? proxyUrl({ sha256: asset.sha256, version: asset.proxy_version }) : pictureUrl(asset);
  return href === undefined ? undefined : { href, name: downloadName(copies[0]?.paths[0], asset.sha256, ending) };
}

/** What is shown as one, to switch between; a Live Photo's video has its own button. */
function StackRow(props: FactsProps) {
  const { asset, inside } = props;
  const shown: (ViewerPrimary & { stack_type: StackType | null })[] = [
    { ...(props.primary ?? asset), stack_type: null }, ...props.members.filter((member) => member.stack_type !== 'live'),
  ];
  if (shown.length < 2) return null;
  return (
    <nav class="stack-row" aria-label="Shown as one">
      {shown.map((each) => {
        const words = each.stack_type === null ? 'Main' : sayStack(each.stack_type);
        return (
          <a href={assetAddress(each.sha256, inside)} data-viewer="go" data-box={boxText(each)} aria-current={each.sha256 === asset.sha256 ? 'true' : undefined} style={each.color ? `--c:${each.color}` : undefined}>
            {each.grid_version > 0 && <img src={renditionUrl({ sha256: each.sha256, name: 'grid', version: each.grid_version })} alt="" decoding="async" />}
            <span>{words}</span>
          </a>
        );
      })}
    </nav>
  );
}

function pictureUrl(tile: Pick<StripTile, 'sha256' | 'grid_version' | 'preview_version'>): string | undefined {
  if (tile.preview_version > 0) return renditionUrl({ sha256: tile.sha256, name: 'preview', version: tile.preview_version });
  return tile.grid_version > 0 ? renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version }) : undefined;
}

function StripLink(props: { tile: StripTile; current?: boolean; inside: string | undefined }) {
  const { tile } = props;
  const ratio = Math.min(1.8, Math.max(0.6, tileRatio(tile.width, tile.height)));
  return (
    <a href={assetAddress(tile.sha256, props.inside, '', tile.rank)} data-viewer="go" data-box={boxText(tile)} data-preload={pictureUrl(tile)} aria-current={props.current ? 'true' : undefined} aria-label={tileWords(tile)} style={`--r:${ratio.toFixed(3)}${tile.color ? `;--c:${tile.color}` : ''}`}>
      {tile.grid_version > 0 && <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" decoding="async" draggable={false} />}
    </a>
  );
}

/** The grid rendition at once, the preview over it when it has come; a box of the right shape even before either. A video plays in the same box. */
function Picture(props: { asset: ViewerAsset }) {
  const { asset } = props;
  const plays = asset.kind === 'video' && asset.proxy_version > 0;
  const { ratio, width } = pictureBox(asset);
  const style = `--r:${ratio.toFixed(4)};--w:${width}${asset.color ? `;--c:${asset.color}` : ''}`;
  const grid = asset.grid_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'grid', version: asset.grid_version }) : undefined;
  const preview = asset.preview_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'preview', version: asset.preview_version }) : undefined;
  return (
    <div class="picture">
      <div class={asset.kind === 'video' && !plays ? 'picture-box waiting' : 'picture-box'} style={style}>
        {plays
          ? <video class="full" src={proxyUrl({ sha256: asset.sha256, version: asset.proxy_version })} poster={preview ?? grid} controls playsinline preload="metadata" aria-label={tileWords(asset)}></video>
          : (
            <>
              {grid && <img class="draft" src={grid} alt={preview ? '' : tileWords(asset)} fetchpriority="high" decoding="sync" draggable={false} />}
              {preview && <img class="full" src={preview} alt={tileWords(asset)} fetchpriority="high" decoding="async" draggable={false} />}
              {/* Seen where there is no picture, and where one should be and did not come. */}
              <div class="picture-wait"><Icon name={asset.kind === 'video' ? 'film' : 'image'} /></div>
            </>
          )}
        {asset.live_sha256 !== null && asset.live_proxy_version > 0 && <video class="moving" data-live={proxyUrl({ sha256: asset.live_sha256, version: asset.live_proxy_version })} playsinline preload="none" aria-hidden="true"></video>}
      </div>
    </div>
  );
}

/** What is still to come. */
function Follows(props: FactsProps) {
  const { asset } = props;
  if ((asset.kind === 'video' ? asset.proxy_version : asset.preview_version) > 0) return null;
  return <p class="stage-note" {...hx({ get: assetAddress(asset.sha256, undefined, '/follows'), trigger: 'live-presence from:body', swap: 'innerMorph' })}><FollowsWords {...props} /></p>;
}

/** Fragment: the sentence alone. */
export function FollowsWords(props: Pick<FactsProps, 'asset' | 'copies'>) {
  return <>{props.asset.kind === 'video' ? sayVideoFollows(props.asset, props.copies) : sayPreviewFollows(props.copies)}</>;
}

/** Why a video does not play yet. */
function sayVideoFollows(asset: ViewerAsset, copies: readonly ViewerCopy[]): string {
  const what = `A still from the video${asset.duration_ms === null ? '' : `, ${sayDuration(asset.duration_ms)} long`}. `;
  if (asset.problems.some((problem) => problem.reason.startsWith(NO_PROXY))) return `${what}It cannot be played here: no small version could be made of it.`;
  if (copies.some((copy) => copy.problem)) return `${what}It cannot be played: the file could not be read whole.`;
  if (copies.some((copy) => copy.state === 'present')) return `${what}A small version that plays here is still being made.`;
  const away = copies.find((copy) => copy.state === 'away');
  return what + (away ? `A small version that plays here is made once ‘${showName(away.label)}’ is connected.` : 'It plays once a copy is found again.');
}

function sayPreviewFollows(copies: readonly ViewerCopy[]): string {
  if (copies.some((copy) => copy.problem)) return 'There is no larger preview: the file could not be read whole.';
  if (copies.some((copy) => copy.state === 'present')) return 'A larger preview follows in a while.';
  const away = copies.find((copy) => copy.state === 'away');
  return away ? `A larger preview follows once ‘${showName(away.label)}’ has been read.` : 'A larger preview follows once a copy is found again.';
}
