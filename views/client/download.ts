// Downloads the previews of a few, one after the other: each as the viewer offers it, under the name of its file.
import { askFragment } from './viewer-fetch.ts';

/** A browser asks its user before it takes many; more than these would be a flood. */
export const MAX_DOWNLOADS = 50;
/** Browsers drop downloads that come all at once. */
const BETWEEN_MS = 250;

/** How many could not be had. */
export async function downloadAll(hashes: readonly string[]): Promise<number> {
  let missing = 0;
  for (const [i, sha256] of hashes.entries()) {
    if (i > 0) await new Promise((resolve) => { setTimeout(resolve, BETWEEN_MS); });
    const link = await findLink(sha256).catch(() => null);
    if (link) save(link.getAttribute('href') ?? '', link.download); else missing += 1;
  }
  return missing;
}

/** The viewer's own link, which knows what there is and what it is called. */
async function findLink(sha256: string): Promise<HTMLAnchorElement | null> {
  return new DOMParser().parseFromString(await askFragment(`/a/${sha256}`), 'text/html').querySelector<HTMLAnchorElement>('a[data-viewer="download"]');
}

/** Without a name, as the answer names it. */
export function save(href: string, name = ''): void {
  const link = document.createElement('a');
  link.href = href;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
