// MicroPython's port for WebAssembly as a command: node micropython.mjs <micropython.mjs of its package> <script> [argument ...]
// The script and the files of the working directory are put into the port's own file system.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [port, script, ...rest] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(port).href);
const python = await loadMicroPython({ heapsize: 64 << 20, stdout: (line) => console.log(line), linebuffer: true });
for (const name of readdirSync(".").filter((name) => statSync(name).isFile())) {
  python.FS.writeFile("/" + name, readFileSync(name));
}
python.runPython(`import os, sys\nos.chdir("/")\nsys.path.insert(0, "/")\nsys.argv[:] = ${JSON.stringify([script, ...rest])}`);
python.runPython(readFileSync(script, "utf8"));
