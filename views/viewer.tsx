// The viewer: one asset, its neighbours and what is known of it (facts.tsx), as a page and as the layer that a grid opens.
import { NO_PROXY } from '../protocol/proxy.ts';
import { proxyUrl, renditionUrl } from '../protocol/rendition.ts';
import type { AssetKind } from '../protocol/words.ts';
import { Facts, type FactsProps, type ViewerAsset, type ViewerCopy } from './facts.tsx';
import { Head } from './frame.tsx';
import { assetAddress, similarAddress, withQuery } from './parts/addresses.ts';
import { Icon } from './parts/icon.tsx';
import { sayDate, sayDuration, showName } from './parts/words.ts';
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
  const { asset, inside } = props.facts;
  const before = props.before.at(-1);
  const behind = props.behind[0];
  const back = `${withQuery(inside ?? '/', { near: asset.sha256, ...(props.rank === undefined ? {} : { at: props.rank }) })}#${tileId(asset.sha256)}`;
  return (
    <div class="viewer-body" data-sha256={asset.sha256} data-tile={tileId(asset.sha256)} data-title={`${asset.taken_at ? sayDate(asset.taken_at) : 'No date'} · Jharokha`}>
      <div class="stage">
        {/* The facts have a title that is seen, where they are. */}
        <h1 class="hidden-text">{tileWords(asset)}</h1>
        <Picture asset={asset} copies={props.facts.copies} />
        <div class="stage-tools">
          <a class="icon-button" data-viewer="close" href={back} aria-label="Back"><Icon name="back" /></a>
          <div class="stage-end">
            {asset.live_sha256 !== null && asset.live_proxy_version > 0 && <button class="live-button needs-script" type="button" data-viewer="live" aria-pressed="false"><Icon name="live" small />LIVE</button>}
            <a class="icon-button" data-viewer="similar" href={similarAddress(asset.sha256)} aria-label="More like this" title="More like this" aria-keyshortcuts="l"><Icon name="similar" /></a>
            <button class="icon-button needs-script" type="button" data-viewer="facts" aria-label="Facts" aria-keyshortcuts="i"><Icon name="info" /></button>
          </div>
        </div>
        {before && <a class="step step-newer" data-viewer="newer" data-preload={pictureUrl(before)} rel="prev" href={assetAddress(before.sha256, inside, '', before.rank)} aria-label="The one before"><Icon name="left" /></a>}
        {behind && <a class="step step-older" data-viewer="older" data-preload={pictureUrl(behind)} rel="next" href={assetAddress(behind.sha256, inside, '', behind.rank)} aria-label="The next one"><Icon name="right" /></a>}
        <nav class="strip" aria-label="Beside this one">
          {[...props.before, asset, ...props.behind].map((tile) => <StripLink tile={tile} current={tile.sha256 === asset.sha256} inside={inside} />)}
        </nav>
      </div>
      <Facts {...props.facts} />
    </div>
  );
}

function pictureUrl(tile: Pick<StripTile, 'sha256' | 'grid_version' | 'preview_version'>): string | undefined {
  if (tile.preview_version > 0) return renditionUrl({ sha256: tile.sha256, name: 'preview', version: tile.preview_version });
  return tile.grid_version > 0 ? renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version }) : undefined;
}

function StripLink(props: { tile: StripTile; current: boolean; inside: string | undefined }) {
  const { tile } = props;
  const ratio = Math.min(1.8, Math.max(0.6, tileRatio(tile.width, tile.height)));
  return (
    <a href={assetAddress(tile.sha256, props.inside, '', tile.rank)} data-viewer="go" aria-current={props.current ? 'true' : undefined} aria-label={tileWords(tile)} style={`--r:${ratio.toFixed(3)}${tile.color ? `;--c:${tile.color}` : ''}`}>
      {tile.grid_version > 0 && <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" loading="lazy" decoding="async" />}
    </a>
  );
}

/** The grid rendition at once, the preview over it when it has come; a box of the right shape even before either. A video plays in the same box. */
function Picture(props: { asset: ViewerAsset; copies: ViewerCopy[] }) {
  const { asset } = props;
  const plays = asset.kind === 'video' && asset.proxy_version > 0;
  const width = plays ? Math.max(asset.width ?? 0, 1600) : asset.width ?? 1600;
  const ratio = asset.width && asset.height ? asset.width / asset.height : 1.5;
  const style = `--r:${ratio.toFixed(4)};--w:${Math.max(width, 320)}${asset.color ? `;--c:${asset.color}` : ''}`;
  const grid = asset.grid_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'grid', version: asset.grid_version }) : undefined;
  const preview = asset.preview_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'preview', version: asset.preview_version }) : undefined;
  return (
    <div class="picture">
      <div class={asset.kind === 'video' && !plays ? 'picture-box waiting' : 'picture-box'} style={style}>
        {plays
          ? <video class="full" src={proxyUrl({ sha256: asset.sha256, version: asset.proxy_version })} poster={preview ?? grid} controls playsinline preload="metadata" aria-label={tileWords(asset)}></video>
          : (
            <>
              {grid && <img class={preview ? 'draft soft' : 'draft'} src={grid} alt={preview ? '' : tileWords(asset)} fetchpriority="high" decoding="sync" />}
              {preview && <img class="full" src={preview} alt={tileWords(asset)} fetchpriority="high" decoding="sync" />}
              {!grid && !preview && <div class="picture-wait"><Icon name={asset.kind === 'video' ? 'film' : 'image'} /></div>}
            </>
          )}
        {asset.live_sha256 !== null && asset.live_proxy_version > 0 && <video class="moving" data-live={proxyUrl({ sha256: asset.live_sha256, version: asset.live_proxy_version })} playsinline preload="none" aria-hidden="true"></video>}
      </div>
      {asset.kind === 'video'
        ? !plays && <p class="stage-note">{sayVideoFollows(asset, props.copies)}</p>
        : !preview && <p class="stage-note">{sayPreviewFollows(props.copies)}</p>}
    </div>
  );
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
