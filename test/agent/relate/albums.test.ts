// Which folders of an export are albums: what people made, not the folders of years and days that the export makes itself.
import { expect, test } from 'vitest';
import { albumOf, isAutomaticFolder } from '../../../agent/pipeline/albums.ts';
import { AlbumImport } from '../../../protocol/rows.ts';

test.each([
  'Photos from 2019', 'Fotos von 2019', 'Photos de 2019', 'Fotos de 2019', 'Fotos del 2019', 'Foto dal 2019', 'Foto\'s uit 2019', 'Zdjęcia z 2019', 'Foton från 2019', 'Billeder fra 2019', 'Bilder fra 2019',
  'Kuvat vuodelta 2019', 'Fotky z roku 2019', 'Фото за 2019 год', '2019 年の写真', '2019年的照片', '2019년 사진', 'photos FROM 2019', 'Zdje\u0328cia z 2019', '2016-08-12', '2016-08-12 #2', '2016-08-12 - 2016-08-14',
])('%s was made by the export', (name) => {
  expect(isAutomaticFolder(name)).toBe(true);
  expect(albumOf(name, name)).toBeNull();
  expect(albumOf(name, 'Whatever its file says')).toBeNull();
});

test.each(['Trip 2019', 'Photos 2019', '2019', 'Photos from 2019 in Rome', 'Photos from Rome', 'Best photos from 2019', '2016-08-12 Birthday', 'Fotos von Oma'])('%s was made by a person', (name) => {
  expect(isAutomaticFolder(name)).toBe(false);
  expect(albumOf(name, name)?.title).toBe(name);
});

test('the key is one for every copy, and within the protocol\'s bounds for any name', () => {
  expect(albumOf('E\u0301te\u0301', 'Été')).toEqual(albumOf('Été', 'Été'));
  expect(albumOf('Trip', 'Trip')?.key).not.toBe(albumOf('Trip(1)', 'Trip')?.key);
  for (const title of ['x'.repeat(2_000), '\ud800 broken', '💥'.repeat(400)]) expect(AlbumImport.safeParse(albumOf('y'.repeat(255), title)).success).toBe(true);
  for (const nothing of [null, '', '  ']) expect(albumOf('Untitled', nothing)).toBeNull();
});
