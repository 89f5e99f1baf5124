// Addresses of map tiles: a template that the owner types, which names a server that the map then asks.

export const OSM_TILES = 'https://tile.openstreetmap.org/{z}/{x}/{y}.png';
export const MAX_TILE_URL_LENGTH = 500;

/** The template as it is kept. Throws, with a sentence for people, what it cannot be. */
export function checkTileUrl(typed: string): string {
  const template = typed.trim();
  if (template.length > MAX_TILE_URL_LENGTH) throw new Error('This address is too long.');
  for (const part of ['{z}', '{x}', '{y}']) if (template.split(part).length !== 2) throw new Error('The address of tiles holds {z}, {x} and {y}, each once: https://tiles.example.org/{z}/{x}/{y}.png');
  const url = parse(template);
  if (!url || /[{}]/.test(template.replace(/\{[zxy]\}/g, ''))) throw new Error('This is no address: https://tiles.example.org/{z}/{x}/{y}.png');
  if (url.protocol !== 'https:') throw new Error('Tiles are taken over https only.');
  if (url.username !== '' || url.password !== '') throw new Error('An address with a name and password in it is not kept here.');
  if (url.hostname.includes('z0z') || url.hostname.includes('x0x') || url.hostname.includes('y0y')) throw new Error('{z}, {x} and {y} stand behind the server’s name.');
  return template;
}

/** The server of a checked template, as a page's policy names it. */
export function tileOrigin(template: string): string {
  return parse(template)?.origin ?? '';
}

function parse(template: string): URL | undefined {
  try { return new URL(template.replace('{z}', 'z0z').replace('{x}', 'x0x').replace('{y}', 'y0y')); } catch { return undefined; }
}
