// npm run bench -- --growth [--huge] [--smoke] [--json]: how the embedded store's figures grow with what it holds.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figureText } from '../backends/figure-text.mjs';
import { runChild } from '../child.mjs';
import { machineText } from '../machine-text.mjs';
import { writeSection } from '../section.mjs';
import { SUBJECTS } from './subjects.mjs';

const ONE_SIZE = fileURLToPath(new URL('./one-size.mjs', import.meta.url));

/** Measures each subject at each size; prints tables or JSON. @returns whether every answer was right */
export async function benchGrowth({ isSmoke, isJson, isHuge, into }) {
  const [startLoad] = loadavg();
  const subjects = [];
  for (const [name, { title, sizes, hugeSizes, smokeSizes }] of Object.entries(SUBJECTS)) {
    const chosen = isSmoke ? smokeSizes : [...sizes, ...(isHuge ? hugeSizes : [])];
    const measured = [];
    for (const size of chosen) measured.push(await measureInChild(name, size));
    subjects.push({ name, title, measured });
  }
  const text = [...subjects.map(report), `On ${machineText(startLoad)}.\n`].join('\n');
  process.stdout.write(isJson ? `${JSON.stringify({ subjects })}\n` : text);
  if (into !== undefined) writeSection(into, 'growth', text);
  return subjects.every(({ measured }) => measured.every(({ failure }) => failure === null));
}

/** In a process of its own, so that its peak of memory is of this size alone. */
async function measureInChild(subject, size) {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-growth-'));
  try {
    const startedMs = performance.now();
    const { printed, failure } = await runChild(ONE_SIZE, { subject, size, folder });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const trouble = failure === null ? '' : `: FAILED: ${failure}`;
    process.stderr.write(`  ${subject}, ${size.toLocaleString('en')}: ${seconds} s${trouble}\n`);
    return { size, figures: printed ?? {}, failure };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function report({ name, title, measured }) {
  const { figures } = SUBJECTS[name];
  const sizes = measured.map(({ size }) => size.toLocaleString('en'));
  return [
    title,
    '',
    ...[
      ['figure', ...sizes, 'growth per decade', 'goal'],
      ['---', ...measured.map(() => '---:'), '---:', '---'],
      ...Object.entries(figures).map(([key, { unit, goal = '', title: figureTitle }]) => [
        `${figureTitle}, ${unit}`,
        ...measured.map(({ figures: of }) => (of[key] === undefined ? '' : figureText(of[key]))),
        growthText(measured, key),
        goal,
      ]),
    ].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...measured.flatMap(({ size, failure }) =>
      failure === null ? [] : [`${size.toLocaleString('en')} FAILED: ${failure}`],
    ),
  ].join('\n');
}

/** The factor for ten times the size, from each size to the next. */
function growthText(measured, key) {
  const factors = [];
  for (let i = 1; i < measured.length; i++) {
    const before = measured[i - 1];
    const after = measured[i];
    const factor = after.figures[key] / before.figures[key];
    const decades = Math.log10(after.size / before.size);
    if (Number.isFinite(factor)) factors.push(`× ${(factor ** (1 / decades)).toPrecision(3)}`);
  }
  return factors.join(', ');
}
