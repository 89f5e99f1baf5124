// The floor of `bench rescan`: every file listed and looked at once, nothing kept.
import { lstatSync, readdirSync } from 'node:fs';
const stack = [process.argv[2]];
let files = 0;
while (stack.length > 0) {
  const dir = stack.pop();
  for (const name of readdirSync(dir)) {
    const path = `${dir}/${name}`;
    if (lstatSync(path).isDirectory()) stack.push(path); else files += 1;
  }
}
console.log(files);
