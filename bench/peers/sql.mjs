// What the SQL engines have in common: a table of raw rows, and one for each level.
import { LEVELS } from './workload.mjs';

export const LEVEL_COLUMNS = 'mean DOUBLE, min DOUBLE, max DOUBLE, sum DOUBLE, count INT';

/** Makes buckets of a level from the level before it, or from raw rows. @param unitsPerSecond of `ts` */
export function insertLevelSql(level, { unitsPerSecond, where = 'TRUE', orderBy = '' }) {
  const before = LEVELS[LEVELS.indexOf(level) - 1];
  const bucket = `ts - ts % ${level.seconds * unitsPerSecond}`;
  const aggregates =
    before === undefined
      ? 'avg(v), min(v), max(v), sum(v), count(v)'
      : 'sum(sum) / sum(count), min(min), max(max), sum(sum), sum(count)';
  const table = before === undefined ? 'raw' : `r${before.shortName}`;
  return `INSERT INTO r${level.shortName}
    SELECT sid, ${bucket}, ${aggregates} FROM ${table} WHERE ${where} GROUP BY 1, 2 ${orderBy}`;
}
