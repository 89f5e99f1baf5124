// The icons' own files, one each: the package's types speak only of all of them at once.
declare module 'lucide/dist/esm/icons/*' {
  const node: [tag: string, attributes: Record<string, string | number | undefined>][];
  export default node;
}
