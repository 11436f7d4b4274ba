import { EmbeddedBackend } from '../../src/backends/embedded/embedded-backend.ts';
import { InfluxdbBackend } from '../../src/backends/influxdb/influxdb-backend.ts';
import type { BackendManifest } from '../../src/backends/manifest.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { MongodbBackend } from '../../src/backends/mongodb/mongodb-backend.ts';
import { PostgresqlBackend } from '../../src/backends/postgresql/postgresql-backend.ts';
import { ALL_TIME, type TimeRange } from '../../src/model/time-range.ts';

/** The page with the table, and the comments between which the table stands. */
export const BACKENDS_PAGE = 'docs/reference/backends.md';
const TABLE = /(<!-- table of manifests[^>]*-->\n)[\s\S]*?(<!-- end of table -->)/;

/** Nobody connects before `open()`, so that no server has to be there. */
const MANIFESTS: Readonly<Record<string, BackendManifest>> = {
  memory: new MemoryBackend().supports,
  embedded: new EmbeddedBackend('data').supports,
  postgresql: new PostgresqlBackend('postgresql://localhost/streams').supports,
  mongodb: new MongodbBackend('mongodb://localhost/streams').supports,
  influxdb: new InfluxdbBackend(
    'influxdb://localhost/streams?metadata=postgresql%3A%2F%2Flocalhost%2Fstreams',
  ).supports,
};

/** What a manifest entry means to somebody who chooses a store, in the order of the table. */
const ROWS: { readonly [Key in keyof BackendManifest]: string } = {
  transactions: 'several streams in one commit: all or nothing',
  durable: 'data outlives the process',
  processes: 'several processes on one store',
  equalTimestamps: 'equal timestamps in one stream are all kept',
  groupValues: 'already downsampled values',
  highAccuracy: 'high accuracy, 64 digits',
  levels: 'where lower levels come from',
  liveLevels: 'levels can follow every append',
  extraLevels: 'levels of calendars, time zones, any units',
  backup: 'consistent copies of its files while others write',
  valueDownsamplers: 'value downsamplers',
  timeDownsamplers: 'time downsamplers',
  timestampRange: 'timestamps',
};

const LEVELS: Readonly<Record<BackendManifest['levels'], string>> = {
  stored: 'stored, computed by the engine',
  computed: 'computed by the server when read',
};

/** Puts the table of all manifests into the text of the page. */
export function withBackendsTable(page: string): string {
  return page.replace(
    TABLE,
    (_all, before: string, after: string) => `${before}\n${table()}\n${after}`,
  );
}

function table(): string {
  const manifests = Object.values(MANIFESTS);
  const lines = [
    ['', ...Object.keys(MANIFESTS).map((name) => `\`${name}\``)],
    ['---', ...manifests.map(() => '---')],
    ...(Object.keys(ROWS) as (keyof BackendManifest)[]).map((key) => [
      `\`${key}\`: ${ROWS[key]}`,
      ...manifests.map((manifest) => cell(manifest, key)),
    ]),
  ];
  return `${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function cell(manifest: BackendManifest, key: keyof BackendManifest): string {
  const value = manifest[key];
  if (typeof value === 'boolean') return value ? 'yes' : '**no**';
  if (key === 'levels') return LEVELS[manifest.levels];
  if (key === 'timestampRange') return rangeText(manifest.timestampRange);
  return value === 'all'
    ? 'all'
    : (value as readonly string[]).map((name) => `\`${name}\``).join(', ');
}

function rangeText({ startMs, endMs }: TimeRange): string {
  if (startMs === ALL_TIME.startMs && endMs === ALL_TIME.endMs) return 'any `Date`';
  return `${instantText(startMs)} until before ${instantText(endMs)}`;
}

function instantText(ms: number): string {
  return new Date(ms).toISOString().replace('T00:00:00.000Z', '').replace('.000Z', 'Z');
}
