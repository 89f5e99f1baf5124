// A reader for the part of Apple's XML property lists that diskutil writes. Tolerant: what it cannot read is undefined.

export type Plist = string | number | boolean | undefined | Plist[] | { [key: string]: Plist };

/** More nesting than diskutil ever writes; a bound against hostile input. */
const MAX_DEPTH = 40;

/** The first value of the document, or undefined. Dates and data come back as their text. */
export function parsePlist(xml: string): Plist {
  const tokens = [...xml.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>([^<]*)/g)].map((m) => ({ close: m[1] === '/', name: m[2] ?? '', empty: m[3] === '/', text: m[4] ?? '' }));
  let at = tokens.findIndex((t) => t.name === 'plist' && !t.close) + 1;

  const value = (depth: number): Plist => {
    const token = tokens[at];
    at += 1;
    if (!token || token.close || depth > MAX_DEPTH) return undefined;
    if (token.name === 'true') return closeTo('true', token.empty, true);
    if (token.name === 'false') return closeTo('false', token.empty, false);
    if (token.name === 'dict') {
      const dict = Object.create(null) as { [key: string]: Plist };
      if (token.empty) return dict;
      while (at < tokens.length && !tokens[at]?.close) {
        const key = value(depth + 1);
        if (typeof key !== 'string') break;
        dict[key] = value(depth + 1);
      }
      at += 1;
      return dict;
    }
    if (token.name === 'array') {
      const list: Plist[] = [];
      if (token.empty) return list;
      while (at < tokens.length && !tokens[at]?.close) list.push(value(depth + 1));
      at += 1;
      return list;
    }
    const text = decode(token.text);
    return closeTo(token.name, token.empty, token.name === 'integer' || token.name === 'real' ? Number(text) : text);
  };
  const closeTo = <T>(name: string, empty: boolean, result: T): T => {
    if (!empty && tokens[at]?.close && tokens[at]?.name === name) at += 1;
    return result;
  };
  return value(0);
}

function decode(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(amp|lt|gt|quot|apos));/g, (_, hex: string | undefined, dec: string | undefined, name: string | undefined) => {
    if (name) return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name] ?? '';
    const code = hex ? Number.parseInt(hex, 16) : Number(dec);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}
