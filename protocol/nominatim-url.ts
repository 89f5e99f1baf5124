// Which addresses of Nominatim servers are asked. What the owner types is checked here, on a page and on the command line.

/**
 * The address of a Nominatim server as it will be asked, without a slash at its end. Throws with a sentence where it is none:
 * positions go over the open network encrypted only; plain http is for this computer and the home network.
 */
export function checkNominatimUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new Error(`${JSON.stringify(text)} is not the address of a server: it begins with http:// or https://.`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') throw new Error('The address of a Nominatim server has no user, question mark or # in it.');
  if (url.protocol === 'http:' && !isAtHome(url.hostname)) throw new Error(`${url.host} would be told positions in the clear: use https:// (http:// is for servers on this computer and in the home network).`);
  return url.href.replace(/\/+$/, '');
}

/** Whether a host is this computer or in the home network, as far as its name says. */
export function isAtHome(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return /^(127|10)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(name);
  if (name.includes(':')) return name === '::1' || /^f[cd]|^fe80:/.test(name);
  return !name.includes('.') || /\.(local|lan|home|internal|localhost|home\.arpa)$/.test(name);
}
