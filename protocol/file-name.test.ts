// Names out of files are hostile: none of them may lead anywhere, turn text about, or be too long for a file system.
import { expect, test } from 'vitest';
import { fitName, splitName } from './file-name.ts';

test.each([
  ['DCIM/IMG_1.HEIC', 'IMG_1.HEIC'], ['/etc/passwd', 'passwd'], ['..', ''], ['../../x.jpg', 'x.jpg'], ['a/..\\..\\x.jpg', 'x.jpg'], ['C:\\x.jpg', 'C x.jpg'], ['.hidden.jpg', 'hidden.jpg'],
  ['a\u0000b\nc.jpg', 'a b c.jpg'], ['\u202Egpj.exe', 'gpj.exe'], ['e\u0301.jpg', '\u00e9.jpg'], ['half \ud83c.jpg', 'half \ufffd.jpg'], [' . ', ''], ['写真🏔.jpg', '写真🏔.jpg'],
])('%j is called %j', (path, name) => { expect(fitName(path)).toBe(name); });

test('a long name is cut before its ending, and never inside of a character', () => {
  for (const char of ['a', 'ü', '写', '🏔']) {
    const name = fitName(`${char.repeat(300)}.jpeg`);
    expect(new TextEncoder().encode(name).length).toBeLessThanOrEqual(200);
    expect(splitName(name).ending).toBe('.jpeg');
    expect(name.isWellFormed()).toBe(true);
  }
});
