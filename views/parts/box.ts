// The box that a picture fills in the viewer: known before a byte of the picture came, so that nothing moves when it does.

/** What has no size yet is drawn as a usual photo. */
const UNKNOWN_RATIO = 1.5;
const UNKNOWN_WIDTH = 1600;
/** Anything smaller is enlarged to this, to be seen at all. */
const MIN_WIDTH = 320;

/** Width over height, and the width that it is not drawn beyond. A video's small version is drawn as large as its still. */
export function pictureBox(asset: { kind: string; width: number | null; height: number | null }): { ratio: number; width: number } {
  const width = asset.width ?? UNKNOWN_WIDTH;
  return { ratio: asset.width && asset.height ? asset.width / asset.height : UNKNOWN_RATIO, width: Math.max(asset.kind === 'video' ? UNKNOWN_WIDTH : MIN_WIDTH, width) };
}

/** The same for views/client, which draws the box before the viewer's own page has come. */
export function boxText(asset: { kind: string; width: number | null; height: number | null }): string {
  const { ratio, width } = pictureBox(asset);
  return `${ratio.toFixed(4)} ${width}`;
}
