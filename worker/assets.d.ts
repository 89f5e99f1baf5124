// A module of bytes beside the Worker's script (scripts/build.ts): served as it is.
declare module '*.bin' {
  const bytes: ArrayBuffer;
  export default bytes;
}
