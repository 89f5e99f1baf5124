// Where the countries' shapes for small maps are: one path, `#land`, in Web Mercator, so many units wide and high. Its
// address holds the version of world-atlas and of how it is drawn (scripts/build.ts), for it is kept for good.

export const WORLD_URL = '/s/world-2.0.2-1.svg';
export const WORLD_UNITS = 4096;
