// A report inside of a document, between two marks that stand on lines of their own.
import { readFileSync, writeFileSync } from 'node:fs';

/** Puts a text in the place of the one between `<!-- NAME -->` and `<!-- end of NAME -->`. */
export function writeSection(path, name, text) {
  const [opening, closing] = marksOf(name);
  const [before, rest] = readFileSync(path, 'utf8').split(opening);
  const after = rest?.split(closing)[1];
  if (after === undefined) throw new Error(`${path} has no ${opening}…${closing}.`);
  writeFileSync(path, `${before}${opening}\n\n${text.trim()}\n\n${closing}${after}`);
}

function marksOf(name) {
  return [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
}
