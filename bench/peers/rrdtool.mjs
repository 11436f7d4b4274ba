// rrdtool, by its library in a Python process: one file a stream, whose levels are kept as it is updated. It flushes
// nothing, and keeps mean, minimum and maximum alone.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { derivativeCount } from './reference.mjs';
import { LEVELS, START_SECONDS, STEP_SECONDS } from './workload.mjs';

const SCRIPT = fileURLToPath(new URL('./measure-rrdtool.py', import.meta.url));

export const parts = { w1, w2 };

function w1(run) {
  measure(run, { part: 'w1', values: run.workload.w1(), expected: {} });
}

function w2(run) {
  const { size, streams, counters, wide } = run.workload;
  const values = run.workload.w2();
  const { streamCount } = size;
  measure(run, {
    part: 'w2',
    values,
    streamNames: streams.map(({ name }) => name),
    counters: counters.map(({ index }) => index),
    wide: wide.map(({ index }) => index),
    expected: { derivatives: derivativeCount(values, { streamCount, counters }) },
  });
}

/** The script gets the values in a file, and prints figures and checks. */
function measure(run, { values, ...task }) {
  const folder = run.makeFolder(task.part);
  const valuesPath = join(run.folder, `${task.part}.f64`);
  writeFileSync(valuesPath, new Uint8Array(values.buffer));
  const settings = {
    ...task,
    folder,
    valuesPath,
    readCounts: run.workload.size.readCounts,
    startSeconds: START_SECONDS,
    stepSeconds: STEP_SECONDS,
    levelSeconds: LEVELS.map(({ seconds }) => seconds),
  };
  // Debian's module is for Debian's Python, which need not be the first of the path.
  const python = ['/usr/bin/python3', 'python3'].find(
    (program) => spawnSync(program, ['-c', 'import rrdtool']).status === 0,
  );
  if (python === undefined) {
    run.missing('Python has no module rrdtool');
    return;
  }
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT], {
    input: JSON.stringify(settings),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  const { version, figures, checks } = JSON.parse(stdout);
  run.about(`${version} as a library; flushes nothing, keeps mean, min and max alone`);
  for (const [name, value] of Object.entries(figures)) run.figure(name, value);
  for (const [name, isRight] of Object.entries(checks)) run.check(name, isRight);
}
