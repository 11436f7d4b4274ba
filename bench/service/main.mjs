// npm run bench -- --service [--smoke] [--json]: the HTTP service: writes of batches, open event streams, a month of hours.
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { figureText } from '../backends/figure-text.mjs';
import { machineText } from '../machine-text.mjs';
import { writeSection } from '../section.mjs';
import { FORMS, SHAPES } from './bodies.mjs';
import { measureLive } from './live.mjs';
import { measureReads } from './reads.mjs';
import { measureBare, measureWrites } from './writes.mjs';

const SIZES = {
  writes: { shapes: SHAPES, senderCount: 2, bodyCount: 26 },
  live: { streamCount: 1000, tickCount: 30, everyMs: 1000 },
  reads: { readCount: 500 },
};
const SMOKE_SIZES = {
  writes: { shapes: SHAPES.slice(0, 2), senderCount: 2, bodyCount: 2 },
  live: { streamCount: 20, tickCount: 3, everyMs: 100 },
  reads: { readCount: 3 },
};
/** Whatever makes the service quicker must not change what is stored and told. */
const EXPECTED = {
  '100 × 100, 10seconds': '550aa1b580710834',
  '1000 × 10, 10seconds': '076da987a31e5990',
  '10 × 1000, 10seconds': 'b0740d6188132cd5',
  '100 × 100, milliseconds': '550aa1b580710834',
  '1000 × 10, milliseconds': '076da987a31e5990',
  live: '63a7b02fe7404f08',
  reads: 'd3b40b778abde5d9',
};
const EXPECTED_SMOKE = {
  '100 × 100, 10seconds': '573473662740fb31',
  '1000 × 10, 10seconds': 'f8185d3c13794da3',
  live: '37919b1966ece31a',
  reads: 'd3b40b778abde5d9',
};

const WAYS = {
  json: 'columnar JSON',
  lines: 'line protocol',
  bare: '`appendColumns` in process, levels follow',
  plain: '… without levels',
};
const LIVE_FIGURES = {
  p50Ms: 'from acknowledged to received, p50, ms',
  p99Ms: '… p99, ms (goal: < 250)',
  postedP50Ms: 'from posted to received, p50, ms',
  postedP99Ms: '… p99, ms',
  rssMb: 'peak memory of the service, MB (goal: < 500)',
  cpuShare: 'processor time of the service, s a second',
};
const READ_FIGURES = {
  columnsMs: 'columns, median, ms (goal: < 15)',
  columnsP99Ms: '… p99, ms',
  rowsMs: 'rows, median, ms (goal: < 15)',
  rowsP99Ms: '… p99, ms',
};

/** Measures each part; prints tables or JSON. @returns whether all results were right */
export async function benchService({ isSmoke, isJson, into }) {
  const [startLoad] = loadavg();
  const sizes = isSmoke ? SMOKE_SIZES : SIZES;
  const writes = [];
  const { shapes, ...load } = sizes.writes;
  for (const shape of shapes) {
    for (const form of Object.keys(WAYS)) {
      const task = { ...shape, ...load };
      const measured = await inFolder(`${nameOf(shape)}, ${form}`, (folder) =>
        form in FORMS
          ? measureWrites({ folder, form, ...task })
          : measureBare({ folder, followsAppends: form === 'bare', ...task }),
      );
      writes.push({ shape: nameOf(shape), form, ...measured });
    }
  }
  const live = await inFolder('live', (folder) => measureLive({ folder, ...sizes.live }));
  const reads = await inFolder('reads', (folder) => measureReads({ folder, ...sizes.reads }));
  const hashes = { ...hashesOf(writes), live: live.hash, reads: reads.hash };
  const text = report({ writes, live, reads, sizes, hashes, startLoad });
  process.stdout.write(isJson ? `${JSON.stringify({ writes, live, reads, hashes })}\n` : text);
  if (into !== undefined) writeSection(into, 'service', text);
  return areExpected(hashes, isSmoke ? EXPECTED_SMOKE : EXPECTED);
}

function areExpected(hashes, expected) {
  const wrong = Object.keys(hashes).filter((name) => hashes[name] !== expected[name]);
  for (const name of wrong) {
    process.stderr.write(`FAILED: ${name} has ${hashes[name]}, and ${expected[name]} is right.\n`);
  }
  return wrong.length === 0;
}

async function inFolder(name, measure) {
  const folder = mkdtempSync(join(tmpdir(), 'datastream-service-'));
  try {
    const measured = await measure(folder);
    process.stderr.write(`  ${name}: ${JSON.stringify(measured)}\n`);
    return measured;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** By shape: all ways have to give the same. */
function hashesOf(writes) {
  const hashes = {};
  for (const { shape, hash } of writes) {
    const known = hashes[shape];
    hashes[shape] = known === undefined || known === hash ? hash : `${known}, ${hash}`;
  }
  return hashes;
}

function nameOf({ streamCount, rowCount, granularity }) {
  return `${streamCount} × ${rowCount}, ${granularity}`;
}

function report({ writes, live, reads, sizes, hashes, startLoad }) {
  const { senderCount, bodyCount } = sizes.writes;
  const { streamCount, tickCount, everyMs } = sizes.live;
  const bareOf = (shape) => writes.find((item) => item.shape === shape && item.form === 'bare');
  return [
    `Bodies of 10,000 datapoints, ${senderCount} senders with ${bodyCount - 1} each`,
    '',
    ...table(
      [
        [
          'streams × instants',
          '',
          'datapoints/s',
          '… of bare',
          'processor, s a million',
          '… of bare',
          'maintenance after it, s a million',
        ],
        ...writes.map(
          ({ shape, form, rate, cpuSecondsPerMillion, maintenanceSecondsPerMillion }) => [
            shape,
            WAYS[form],
            figureText(rate),
            (rate / bareOf(shape).rate).toPrecision(2),
            figureText(cpuSecondsPerMillion),
            (cpuSecondsPerMillion / bareOf(shape).cpuSecondsPerMillion).toPrecision(3),
            figureText(maintenanceSecondsPerMillion),
          ],
        ),
      ],
      2,
    ),
    '',
    `${streamCount.toLocaleString('en')} open event streams, one of each stream; each gets ${tickCount} datapoints, one every ${everyMs / 1000} s, after five that do not count`,
    '',
    ...figureTable(LIVE_FIGURES, live.figures),
    '',
    'A month of hours of one stream, 744 buckets with six aggregates, as JSON',
    '',
    ...figureTable(READ_FIGURES, reads.figures),
    '',
    `Result hashes: ${Object.entries(hashes)
      .map(([name, hash]) => `${name}: ${hash}`)
      .join(', ')}`,
    '',
    `On ${machineText(startLoad)}.`,
    '',
  ].join('\n');
}

function figureTable(titles, figures) {
  const rows = Object.entries(titles).map(([key, title]) => [title, figureText(figures[key])]);
  return table([['figure', ''], ...rows], 1);
}

/** @param textCount columns of text, before those of numbers */
function table([head, ...rows], textCount) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(head),
    line(head.map((_, i) => (i < textCount ? '---' : '---:'))),
    ...rows.map(line),
  ];
}
