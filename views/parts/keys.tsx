// The list of keys, for the help and the settings page. views/client/ makes them work.

const KEYS: [keys: string[], what: string][] = [
  [['←', '→'], 'In the viewer: the newer, the older one'],
  [['Esc'], 'Back to the timeline, at the same place'],
  [['/'], 'Search'],
  [['i'], 'Facts about the photo, or none'],
  [['l'], 'In the viewer: more like this one'],
  [['f'], 'In the viewer: favourite, or no longer'],
  [['e'], 'In the viewer: into the archive, or back'],
  [['a'], 'In the viewer: add to an album'],
  [['d'], 'In the viewer: download'],
  [['s'], 'In the viewer: slideshow; space pauses it'],
  [['+', '−', '0'], 'In the viewer: nearer, farther, all of it'],
  [['Home'], 'In the timeline: to the newest'],
  [['?'], 'This list'],
];

export function Keys() {
  return <dl class="keys">{KEYS.map(([keys, what]) => <><dt>{keys.map((key) => <kbd>{key}</kbd>)}</dt><dd>{what}</dd></>)}</dl>;
}
