// What the islands share about keys.

/** A key that is meant for the page: not typed into a field, not part of a browser's own shortcut. */
export function isPageKey(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const target = event.target;
  return !(target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)));
}

/** An open dialog that is not this one takes the keys. */
export function isOtherDialogOpen(own: Element | null): boolean {
  return [...document.querySelectorAll('dialog[open]')].some((dialog) => dialog !== own);
}
