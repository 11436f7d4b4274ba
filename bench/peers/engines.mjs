// Who takes part.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageMissingReason } from './packages.mjs';
import { FULL_SIZE, THIRD_SIZE } from './workload.mjs';

/**
 * By name; the first is ours. `partNames` are done in processes of their own, `coldPartNames` without a rehearsal
 * too, `slowPartNames` once and without one. `rehearsalSize`: ours and DuckDB do all of the work before they are
 * measured, engines that compile nothing while they run a third. `isPackage`: of bench/'s own dependencies.
 */
export const ENGINES = {
  datastream: {
    title: 'ours',
    partNames: ['w1', 'w1Live', 'w2', 'w2Live', 'w2LiveDerived'],
    coldPartNames: ['w1', 'w2'],
    rehearsalSize: FULL_SIZE,
    missingReason: () => null,
    load: async () => (await import('./datastream.mjs')).parts,
  },
  duckdb: {
    title: 'DuckDB',
    isPackage: true,
    partNames: ['w1', 'w2', 'w2Live'],
    coldPartNames: ['w1', 'w2'],
    rehearsalSize: FULL_SIZE,
    missingReason: () => packageMissingReason('@duckdb/node-api'),
    load: async () => (await import('./duckdb.mjs')).parts,
  },
  sqlite: {
    title: 'SQLite',
    isPackage: true,
    partNames: ['w1', 'w2'],
    coldPartNames: ['w1'],
    // Its tree is rewritten for each tick: a minute.
    slowPartNames: ['w2'],
    rehearsalSize: THIRD_SIZE,
    missingReason: () => packageMissingReason('@photostructure/sqlite'),
    load: async () => (await import('./sqlite.mjs')).parts,
  },
  'sqlite-by-time': {
    title: 'SQLite, by time',
    isPackage: true,
    partNames: ['w2', 'w2Live'],
    coldPartNames: ['w2'],
    rehearsalSize: THIRD_SIZE,
    missingReason: () => packageMissingReason('@photostructure/sqlite'),
    load: async () => (await import('./sqlite.mjs')).byTimeParts,
  },
  influxdb: {
    title: 'InfluxDB',
    partNames: ['w1', 'w2'],
    coldPartNames: ['w1', 'w2'],
    rehearsalSize: THIRD_SIZE,
    missingReason: () => programMissingReason('influxd'),
    load: async () => (await import('./influxdb.mjs')).parts,
  },
  victoriametrics: {
    title: 'VictoriaMetrics',
    partNames: ['w1', 'w2'],
    coldPartNames: ['w1', 'w2'],
    rehearsalSize: THIRD_SIZE,
    missingReason: () => programMissingReason('victoria-metrics'),
    load: async () => (await import('./victoriametrics.mjs')).parts,
  },
  rrdtool: {
    title: 'rrdtool',
    partNames: ['w1', 'w2'],
    coldPartNames: ['w1', 'w2'],
    rehearsalSize: THIRD_SIZE,
    missingReason: () => programMissingReason('rrdtool') ?? programMissingReason('python3'),
    load: async () => (await import('./rrdtool.mjs')).parts,
  },
};

export const OURS = 'datastream';

function programMissingReason(program) {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  return isThere ? null : `${program} is not installed`;
}
