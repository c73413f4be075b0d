/** The bare platform that the benchmark stands beside: Pyodide as its package ships it, in a plain worker, behind no wall. */
interface RawPyodide {
  runPython(code: string): unknown;
  setStdout(options: { write(bytes: Uint8Array): number }): void;
}

interface PyodidePackage {
  loadPyodide(options: { indexURL: string }): Promise<RawPyodide>;
}

async function load(address: string): Promise<RawPyodide> {
  const packaged = (await import(/* @vite-ignore */ `${address}pyodide.mjs`)) as PyodidePackage;
  const loaded = await packaged.loadPyodide({ indexURL: address });
  const decoder = new TextDecoder();
  loaded.setStdout({
    write(bytes) {
      self.postMessage({ output: decoder.decode(bytes) });
      return bytes.length;
    },
  });
  return loaded;
}

let pyodide: RawPyodide | undefined;

/** The first message is the address of the package's files; the others are code. */
self.addEventListener('message', (event: MessageEvent<string>) => {
  if (pyodide) return self.postMessage({ value: pyodide.runPython(event.data) });
  void load(event.data).then((loaded) => {
    pyodide = loaded;
    self.postMessage({ value: 'ready' });
  });
});
