// A module of WebAssembly is imported already compiled: workerd compiles none at run time.
declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
