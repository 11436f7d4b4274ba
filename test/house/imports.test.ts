import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesBelow, importsOf, read } from './source-files.ts';

/** What every concrete backend may build on, and what those that store blocks, or talk to a server, share. */
const BACKEND = ['exceptions', 'model', 'backends'];
const BLOCK_STORE = [...BACKEND, 'backends/codec', 'backends/blocks', 'backends/server'];

/** What a face of the engine may build on. */
const FACE = [
  'exceptions',
  'model',
  'backends',
  'api',
  'derive',
  'downsamplers',
  'text',
  'collect',
];

const SERVICE_PARTS = [
  'server/config',
  'server/state',
  'server/access',
  'server/ingest',
  'server/jobs',
  'server/live',
  'server/alerts',
  'server/statistics',
];

/** The rooms of the service: parts that do not know of HTTP, and the routes over them. */
const SERVER: Readonly<Record<string, readonly string[]>> = {
  'server/config': ['exceptions', 'model', 'text'],
  'server/state': ['exceptions', 'model', 'backends/lmdb'],
  'server/access': ['exceptions', 'model', 'server/state'],
  'server/ingest': ['exceptions', 'model', 'api', 'text'],
  'server/alerts': ['exceptions', 'model', 'api', 'text', 'server/state'],
  'server/statistics': ['exceptions', 'model', 'api'],
  'server/jobs': ['exceptions', 'model', 'api', 'server/state'],
  // Knows the service as a whole, and so do the routes.
  'server/operations': [...FACE, ...SERVICE_PARTS, 'server'],
  'server/live': ['exceptions', 'model', 'api', 'text'],
  'server/http': [...FACE, ...SERVICE_PARTS],
  'server/v1': [...FACE, ...SERVICE_PARTS, 'server/http', 'server'],
  'server/compat': [...FACE, ...SERVICE_PARTS, 'server/http', 'server'],
  server: [
    ...FACE,
    ...SERVICE_PARTS,
    'server/http',
    'server/v1',
    'server/compat',
    'server/operations',
  ],
};

/** What each room may import from, beside itself. The house has no other doors. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  exceptions: [],
  model: ['exceptions'],
  downsamplers: ['exceptions', 'model'],
  derive: ['exceptions', 'model'],
  backends: ['exceptions', 'model'],
  'backends/codec': ['exceptions', 'model'],
  'backends/blocks': ['exceptions', 'model', 'backends/codec'],
  'backends/lmdb': [],
  'backends/server': BACKEND,
  'backends/sql': BLOCK_STORE,
  'backends/memory': BACKEND,
  'backends/embedded': [...BACKEND, 'backends/codec', 'backends/lmdb'],
  'backends/postgresql': [...BLOCK_STORE, 'backends/sql'],
  'backends/influxdb': [...BLOCK_STORE, 'backends/sql'],
  'backends/mongodb': BLOCK_STORE,
  engine: ['exceptions', 'model', 'downsamplers', 'derive', 'backends'],
  api: ['exceptions', 'model', 'downsamplers', 'derive', 'backends', 'engine'],
  conformance: ['exceptions', 'model', 'backends', 'api'],
  text: ['model'],
  collect: ['model', 'api'],
  ...SERVER,
  cli: [...FACE, 'server', ...SERVICE_PARTS],
  index: ['exceptions', 'model', 'backends', 'api'],
};

/** Rooms whose results depend on nothing but their arguments. */
const PURE = ['model', 'downsamplers', 'derive'];
const IMPURE =
  /\bfrom 'node:|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\b|\bprocess\./;

/** `open-backend.ts` alone chooses among concrete backends, and imports the chosen one lazily. */
const CHOOSER = 'src/backends/open-backend.ts';

/** Folders whose own folders are rooms of their own. */
const FLOORS: ReadonlySet<string> = new Set(['backends', 'server']);

function roomOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  if (first === 'index.ts') return 'index';
  return FLOORS.has(first) && !second.endsWith('.ts') ? `${first}/${second}` : first;
}

interface Edge {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function edges(): readonly Edge[] {
  return filesBelow('src', '.ts').flatMap((file) =>
    importsOf(read(file))
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({
        file,
        from: roomOf(file),
        to: roomOf(posix.join(posix.dirname(file), specifier)),
      })),
  );
}

describe('the house', () => {
  test('has the rooms of the table, and enough files in them to mean something', () => {
    const files = filesBelow('src', '.ts');
    expect(files.length).toBeGreaterThan(100);
    expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(ALLOWED).sort());
    expect(edges().length).toBeGreaterThan(400);
  });

  test('has imports only where the table allows them', () => {
    const forbidden = edges().filter(
      ({ file, from, to }) => file !== CHOOSER && from !== to && !ALLOWED[from]!.includes(to),
    );
    expect(forbidden).toEqual([]);
  });

  test('keeps its pure rooms free of node modules, clocks and randomness', () => {
    const impure = PURE.flatMap((room) => filesBelow(`src/${room}`, '.ts')).filter((file) =>
      IMPURE.test(read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')),
    );
    expect(impure).toEqual([]);
  });

  test('finds an import that would break it', () => {
    expect(importsOf("export { x } from '../engine/x.ts';\nawait import('./y.ts')")).toEqual([
      '../engine/x.ts',
      './y.ts',
    ]);
  });
});
