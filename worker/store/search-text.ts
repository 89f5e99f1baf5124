// One spelling of words, for documents and for queries: what FTS5 is given is folded here already, so that names, filters
// and queries agree on it, also in scripts that its own tokenizer does not know.

/** Letters that no decomposition folds. */
const LETTERS: Record<string, string> = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i' };
/** Accents of Latin, Greek and Cyrillic, vowel points of Arabic and Hebrew, and what only chooses a glyph. Vowel signs of Indic scripts are letters, and stay. */
const ACCENTS = /[\u0300-\u036f]|[\u0591-\u05bd]|[\u064b-\u0652]|\u0670|[\ufe00-\ufe0f]/g;
/** Scripts that write no spaces between words: each character becomes a word, and a word is then a phrase. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]\p{M}*/gu;
/** As the tables' tokenizer splits (migrations/0005_search.sql). */
const BETWEEN_WORDS = /[^\p{L}\p{M}\p{N}\p{Co}]+/u;

/** Lower case, without accents, compatibility forms made plain, `\n` kept, other space made one blank. */
export function foldText(text: string): string {
  return text.toWellFormed().toLowerCase().normalize('NFKD').replace(ACCENTS, '').normalize('NFC').replace(/[ßøłđðþæœı]/g, (c) => LETTERS[c] ?? c)
    .replace(UNSPACED, ' $& ').replaceAll('\0', ' ').replace(/[^\S\n]+/g, ' ').replace(/ ?\n ?/g, '\n').trim();
}

/** The words of folded text, as the tokenizer sees them. */
export function splitWords(folded: string): string[] {
  return folded.split(BETWEEN_WORDS).filter((word) => word !== '');
}

/** Names that are found by the whole line: folded, one a line, each once. */
export function joinLines(names: Iterable<string | null | undefined>): string {
  const lines = new Set<string>();
  for (const name of names) {
    const folded = name ? foldText(name.replaceAll('\n', ' ')) : '';
    if (folded !== '') lines.add(folded);
  }
  return [...lines].join('\n');
}
