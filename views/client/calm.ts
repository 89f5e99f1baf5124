// Whether the reader wants little to move, as the system says; it may change while a page is open.

export const CALM = matchMedia('(prefers-reduced-motion: reduce)');
