// The lines of the mark, for pages and for the favicon: a jharokha, two nested pointed arches on a sill.

export const MARK_PATHS = ['M6.5 26.5V15.2C6.5 11 10.6 9.4 16 3.5c5.4 5.9 9.5 7.5 9.5 11.7v11.3', 'M11.5 26.5v-9.3c0-2.6 2-3.4 4.5-6.4 2.5 3 4.5 3.8 4.5 6.4v9.3', 'M3.5 26.5h25'];
