// The viewer: one asset, its neighbours and what is known of it, as a page and as the layer that the timeline opens.
import { renditionUrl } from '../protocol/rendition.ts';
import type { AssetProblem, Exposure } from '../protocol/rows.ts';
import type { AssetKind, LocationState, OffsetSource, TakenAtSource } from '../protocol/words.ts';
import { Head } from './frame.tsx';
import { Icon } from './parts/icon.tsx';
import { isGuess, sayBytes, sayCount, sayDate, sayDuration, sayExposureTime, sayNumber, sayOffset, sayPosition, sayProblem, sayTime, sayTimeSource, sayType, showName } from './parts/words.ts';
import { tileId, tileRatio, tileWords } from './timeline.tsx';

export interface ViewerAsset {
  sha256: string; kind: AssetKind; mime: string; size_bytes: number; width: number | null; height: number | null; duration_ms: number | null; color: string | null;
  camera: string | null; lens: string | null; exposure: Exposure | null; latitude: number | null; longitude: number | null; gps_zone: string | null;
  problems: AssetProblem[]; grid_version: number; preview_version: number;
  taken_at: string | null; taken_at_source: TakenAtSource | null; doubtful: number; utc_offset_minutes: number | null; utc_offset_source: OffsetSource | null;
}
/** One copy is one file; the paths beyond the first show the same file. */
export interface ViewerCopy { label: string; state: LocationState; paths: string[]; problem: AssetProblem | null }
export interface StripTile {
  sha256: string; kind: AssetKind; width: number | null; height: number | null; color: string | null; grid_version: number; preview_version: number; taken_at: string | null;
}
export interface ViewerProps {
  asset: ViewerAsset; copies: ViewerCopy[]; moreCopies: boolean;
  /** Nearest last in `newer`, nearest first in `older`: as they stand in the strip. */
  newer: StripTile[]; older: StripTile[];
}

export function ViewerPage(props: ViewerProps & { scriptUrl: string; styleUrl: string }) {
  const neighbours = [props.older[0], props.newer.at(-1)];
  return (
    <html lang="en">
      <Head title={`${props.asset.taken_at ? sayDate(props.asset.taken_at) : 'No date'} · Jharokha`} scriptUrl={props.scriptUrl} styleUrl={props.styleUrl} dark>
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
  const { asset } = props;
  const newer = props.newer.at(-1);
  const older = props.older[0];
  const back = `/?near=${asset.sha256}#${tileId(asset.sha256)}`;
  return (
    <div class="viewer-body" data-sha256={asset.sha256} data-title={`${asset.taken_at ? sayDate(asset.taken_at) : 'No date'} · Jharokha`}>
      <div class="stage">
        <Picture asset={asset} copies={props.copies} />
        <div class="stage-tools">
          <a class="icon-button" data-viewer="close" href={back} aria-label="Back to the timeline"><Icon name="back" /></a>
          <button class="icon-button needs-script" type="button" data-viewer="facts" aria-label="Facts" aria-keyshortcuts="i"><Icon name="info" /></button>
        </div>
        {newer && <a class="step step-newer" data-viewer="newer" data-preload={pictureUrl(newer)} rel="prev" href={`/a/${newer.sha256}`} aria-label="Newer"><Icon name="left" /></a>}
        {older && <a class="step step-older" data-viewer="older" data-preload={pictureUrl(older)} rel="next" href={`/a/${older.sha256}`} aria-label="Older"><Icon name="right" /></a>}
        <nav class="strip" aria-label="Beside this one">
          {[...props.newer, asset, ...props.older].map((tile) => <StripLink tile={tile} current={tile.sha256 === asset.sha256} />)}
        </nav>
      </div>
      <Facts asset={asset} copies={props.copies} moreCopies={props.moreCopies} />
    </div>
  );
}

function pictureUrl(tile: Pick<StripTile, 'sha256' | 'grid_version' | 'preview_version'>): string | undefined {
  if (tile.preview_version > 0) return renditionUrl({ sha256: tile.sha256, name: 'preview', version: tile.preview_version });
  return tile.grid_version > 0 ? renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version }) : undefined;
}

function StripLink(props: { tile: StripTile; current: boolean }) {
  const { tile } = props;
  const ratio = Math.min(1.8, Math.max(0.6, tileRatio(tile.width, tile.height)));
  return (
    <a href={`/a/${tile.sha256}`} data-viewer="go" aria-current={props.current ? 'true' : undefined} aria-label={tileWords(tile)} style={`--r:${ratio.toFixed(3)}${tile.color ? `;--c:${tile.color}` : ''}`}>
      {tile.grid_version > 0 && <img src={renditionUrl({ sha256: tile.sha256, name: 'grid', version: tile.grid_version })} alt="" loading="lazy" decoding="async" />}
    </a>
  );
}

/** The grid rendition at once, the preview over it when it has come; a box of the right shape even before either. */
function Picture(props: { asset: ViewerAsset; copies: ViewerCopy[] }) {
  const { asset } = props;
  const width = asset.width ?? 1600;
  const ratio = asset.width && asset.height ? asset.width / asset.height : 1.5;
  const style = `--r:${ratio.toFixed(4)};--w:${Math.max(width, 320)}${asset.color ? `;--c:${asset.color}` : ''}`;
  const grid = asset.grid_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'grid', version: asset.grid_version }) : undefined;
  const preview = asset.preview_version > 0 ? renditionUrl({ sha256: asset.sha256, name: 'preview', version: asset.preview_version }) : undefined;
  return (
    <div class="picture">
      <div class="picture-box" style={style}>
        {grid && <img class={preview ? 'draft soft' : 'draft'} src={grid} alt={preview ? '' : tileWords(asset)} fetchpriority="high" decoding="sync" />}
        {preview && <img class="full" src={preview} alt={tileWords(asset)} fetchpriority="high" decoding="sync" />}
        {!grid && !preview && <div class="picture-wait"><Icon name={asset.kind === 'video' ? 'film' : 'image'} /></div>}
      </div>
      {!preview && <p class="stage-note">{sayPreviewFollows(props.copies)}</p>}
      {preview && asset.kind === 'video' && <p class="stage-note">A still from the video{asset.duration_ms !== null && `, ${sayDuration(asset.duration_ms)} long`}</p>}
    </div>
  );
}

function sayPreviewFollows(copies: readonly ViewerCopy[]): string {
  if (copies.some((copy) => copy.problem)) return 'There is no larger preview: the file could not be read whole.';
  if (copies.some((copy) => copy.state === 'present')) return 'A larger preview follows in a while.';
  const away = copies.find((copy) => copy.state === 'away');
  return away ? `A larger preview follows once ‘${showName(away.label)}’ has been read.` : 'A larger preview follows once a copy is found again.';
}

function Facts(props: { asset: ViewerAsset; copies: ViewerCopy[]; moreCopies: boolean }) {
  const { asset } = props;
  return (
    <aside class="facts" aria-label="Facts" tabindex={-1}>
      <button class="icon-button facts-close" type="button" data-viewer="facts" aria-label="Close the facts"><Icon name="close" /></button>
      <h1>{asset.taken_at ? sayDate(asset.taken_at) : 'No date'}</h1>
      <Time asset={asset} />
      <dl>
        <CameraFacts asset={asset} />
        {asset.latitude !== null && asset.longitude !== null && (
          <div><dt>Position</dt><dd class="num">{sayPosition(asset.latitude, asset.longitude)}<p class="small second">from GPS</p></dd></div>
        )}
        <div>
          <dt>{asset.kind === 'video' ? 'Video' : 'Photo'}</dt>
          <dd class="num">
            {[asset.width && asset.height ? `${sayNumber(asset.width)} × ${sayNumber(asset.height)}` : null, asset.duration_ms !== null ? sayDuration(asset.duration_ms) : null].filter(Boolean).join(' · ') || 'Size not known'}
            <p class="small second">{[megapixels(asset), sayType(asset.mime), sayBytes(asset.size_bytes)].filter(Boolean).join(' · ')}</p>
          </dd>
        </div>
        <Copies copies={props.copies} more={props.moreCopies} />
        {asset.problems.length > 0 && (
          <div><dt>Problems</dt>{asset.problems.map((problem) => <dd>{sayProblem(problem.code).title}<p class="small second">{problem.reason}</p></dd>)}</div>
        )}
      </dl>
    </aside>
  );
}

function Time(props: { asset: ViewerAsset }) {
  const { asset } = props;
  if (!asset.taken_at || !asset.taken_at_source) return <p class="small">Nothing in the file or its name says when it was taken.</p>;
  const zone = asset.utc_offset_minutes === null ? '' : `, ${sayOffset(asset.utc_offset_minutes, asset.taken_at, asset.gps_zone)}`;
  const guess = isGuess(asset.taken_at_source, asset.utc_offset_source, asset.doubtful === 1);
  return (
    <p class="small">
      {sayTime(asset.taken_at)}{zone} · <span class={guess ? 'guess' : undefined}>{sayTimeSource(asset.taken_at_source, asset.utc_offset_source)}{asset.doubtful === 1 && '; hard to believe, the clock may not have been set'}</span>
    </p>
  );
}

function CameraFacts(props: { asset: ViewerAsset }) {
  const { camera, lens, exposure } = props.asset;
  const parts = exposure ? [
    exposure.focal_mm === null ? null : `${Number(exposure.focal_mm.toFixed(1))} mm`, exposure.f_number === null ? null : `ƒ/${Number(exposure.f_number.toFixed(1))}`,
    exposure.time_s === null ? null : sayExposureTime(exposure.time_s), exposure.iso === null ? null : `ISO ${sayNumber(exposure.iso)}`,
  ].filter((part) => part !== null) : [];
  if (!camera && !lens && parts.length === 0) return null;
  return (
    <div>
      <dt>Camera</dt>
      <dd><bdi>{showName(camera ?? 'Not named')}</bdi>{lens && <p class="small second"><bdi>{showName(lens)}</bdi></p>}{parts.length > 0 && <p class="small second num">{parts.join(' · ')}</p>}</dd>
    </div>
  );
}

function Copies(props: { copies: ViewerCopy[]; more: boolean }) {
  return (
    <div>
      <dt>{props.copies.length === 1 && !props.more ? 'One copy' : `${props.more ? 'More than ' : ''}${sayCount(props.copies.length, 'copy', 'copies')}`}</dt>
      {props.copies.map((copy) => (
        <dd class="copy">
          <span class={`dot ${copy.state === 'present' ? '' : copy.state}`} aria-hidden="true"></span>
          <div>
            <bdi>{showName(copy.label)}</bdi>{copy.state === 'away' ? ', away' : copy.state === 'missing' ? ', not found there any more' : <span class="hidden-text">, connected</span>}
            <p class="small second path"><bdi>{showName(copy.paths[0] ?? '')}</bdi></p>
            {copy.paths.slice(1).map((path) => <p class="small second path">The same file is also seen as <bdi>{showName(path)}</bdi>: one copy.</p>)}
            {copy.problem && <p class="small guess">{sayProblem(copy.problem.code).title}: {copy.problem.reason}</p>}
          </div>
        </dd>
      ))}
    </div>
  );
}

function megapixels(asset: ViewerAsset): string | null {
  if (!asset.width || !asset.height || asset.kind === 'video') return null;
  const mp = (asset.width * asset.height) / 1e6;
  return mp >= 1 ? `${Math.round(mp)} MP` : null;
}
