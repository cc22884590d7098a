// agree.js A.csv B.csv [--margin M]: two tables of `linnet eval --predictions` on the same pictures, the first the one that the second is held
// to. Prints how much top-1 the second loses, with the bound that the loss stays under with 95% (paired: only pictures that one of them has right
// count; normal approximation), and how often both name the same species where the first one's margin (first score less second) is above M (0.1).
'use strict';
const fs = require('node:fs');

const [one, other, ...rest] = process.argv.slice(2);
const margin = rest.includes('--margin') ? Number(rest[rest.indexOf('--margin') + 1]) : 0.1;

function read(file) {
  const rows = new Map();
  for (const line of fs.readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
    const match = /^"(.*)","(.*)",([^,]*),([^,]*),([^,]*),([^,]*)$/.exec(line);
    if (!match) throw new Error(`${file}: ${line}`);
    rows.set(match[1], { label: match[2], first: match[3], margin: Number(match[4]) - Number(match[6]) });
  }
  return rows;
}

const a = read(one), b = read(other);
let n = 0, rightA = 0, rightB = 0, onlyA = 0, onlyB = 0, clear = 0, same = 0, sameAll = 0;
for (const [image, row] of a) {
  const twin = b.get(image);
  if (!twin) continue;
  const goodA = row.first === row.label, goodB = twin.first === twin.label, equal = row.first === twin.first;
  n++;
  rightA += goodA;
  rightB += goodB;
  onlyA += goodA && !goodB;
  onlyB += goodB && !goodA;
  sameAll += equal;
  clear += row.margin > margin;
  same += row.margin > margin && equal;
}
const loss = (onlyA - onlyB) / n, deviation = Math.sqrt(onlyA + onlyB - (onlyA - onlyB) ** 2 / n) / n;
const percent = (x) => (100 * x).toFixed(2);
console.log(`${n} pictures: top-1 ${percent(rightA / n)}% and ${percent(rightB / n)}%; loss ${percent(loss)} points, under ${percent(loss + 1.645 * deviation)} with 95%`);
console.log(`the same species for ${percent(sameAll / n)}%; where the margin is above ${margin} (${clear} pictures), for ${percent(same / clear)}%`);
