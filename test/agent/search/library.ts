// A library's names for tests of queries, and the moment and zone at which they are asked.
import type { LibraryNames } from '../../../worker/store/library-names.ts';

/** Monday. */
export const NOW_MS = Date.UTC(2026, 10, 23, 10, 0, 0);
export const ZONE = 'Europe/Zurich';

const place = (country_code: string, country: string, region: string | null, city: string | null, assets: number) => ({ country_code, country, region, city, assets });

export const LIBRARY: LibraryNames = {
  places: [
    place('IN', 'India', 'Goa', 'Panaji', 40), place('IN', 'India', 'Goa', 'Goa', 3), place('IN', 'India', 'Maharashtra', 'Mumbai', 22), place('IN', 'India', 'Delhi', 'New Delhi', 9),
    place('US', 'United States', 'New York', 'New York City', 70), place('US', 'United States', 'Texas', 'Paris', 2), place('FR', 'France', 'Île-de-France', 'Paris', 31), place('FR', 'France', 'Provence-Alpes-Côte d’Azur', 'Nice', 8),
    place('BR', 'Brazil', 'São Paulo', 'São Paulo', 12), place('GB', 'United Kingdom', 'England', 'Reading', 5), place('GB', 'United Kingdom', 'Scotland', 'Edinburgh', 15), place('AE', 'United Arab Emirates', 'Dubai', 'Dubai', 6),
    place('CH', 'Switzerland', 'Zurich', 'Zürich', 300), place('CH', 'Switzerland', 'Bern', 'Bern', 20), place('TR', 'Türkiye', 'Istanbul', 'Istanbul', 7), place('BA', 'Bosnia & Herzegovina', 'Federation', 'Mostar', 4), place('FR', 'France', 'Bretagne', 'Saint-Malo', 6),
  ],
  cameras: ['Apple iPhone 14', 'Apple iPhone 14 Pro', 'Apple iPhone 8', 'Canon EOS R5', 'Canon EOS 80D', 'Google Pixel 7', 'FUJIFILM X-T3', 'NIKON D750', 'GoPro HERO9 Black'],
  albums: [{ album_id: 1, title: 'Summer Trip' }, { album_id: 2, title: 'Wedding' }, { album_id: 3, title: 'Goa 2019' }, { album_id: 4, title: 'Café & Cake' }, { album_id: 5, title: 'Wedding' }, { album_id: 6, title: 'Photos from 2017' }, { album_id: 7, title: '京都の旅行' }],
  people: ['Mum', 'Rose', 'Asha Example', 'Bela Example', 'Bela Sample', 'May Sample', 'Élodie Test'],
  tags: ['beach', 'golden hour', 'Sports/Cricket', 'diving'],
  volumes: [{ volume_id: 'v1', label: 'Blue SSD' }, { volume_id: 'v2', label: 'Backup' }],
  days: { first: 20120304, last: 20261120 },
};
