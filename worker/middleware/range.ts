// The Range header (RFC 9110, 14.2) of one request. Anything but one sound byte range is as good as no header at all.

export interface ByteRange { offset: number; length: number }

/** The range asked of `size` bytes; undefined for the whole (also where several are asked); 'none' where nothing of it is there. */
export function readRange(header: string | null, size: number): ByteRange | 'none' | undefined {
  const m = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = m ?? [];
  if (!m || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return undefined;
  if (offset >= size) return 'none';
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return { offset, length: end - offset + 1 };
}
