// npm run bench: the same work by our engine and by other databases. Modes:
//   (none)      [--only ENGINES] [--rounds N] [--seed N]   see peers/main.mjs
//   --marks                                                see embedded/main.mjs
//   --backends  [--only BACKENDS]                          see backends/main.mjs
//   --growth    [--huge]                                   see growth/main.mjs
//   --late      [--rounds N]                               see late/main.mjs
//   --service                                              see service/main.mjs
// Each with --smoke for a small size, and --json. --into FILE: all but --backends put the report into
// a document too, see section.mjs.
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    marks: { type: 'boolean', default: false },
    backends: { type: 'boolean', default: false },
    growth: { type: 'boolean', default: false },
    late: { type: 'boolean', default: false },
    service: { type: 'boolean', default: false },
    huge: { type: 'boolean', default: false },
    smoke: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    into: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seed: { type: 'string' },
  },
});
if (!(await run(options))) process.exitCode = 1;

async function run({ smoke: isSmoke, json: isJson, only, into, ...rest }) {
  if (rest.marks) {
    const { benchEmbedded } = await import('./embedded/main.mjs');
    return benchEmbedded({ isSmoke, isJson, into });
  }
  if (rest.backends) {
    const { benchBackends } = await import('./backends/main.mjs');
    return benchBackends({ isSmoke, isJson, only });
  }
  if (rest.growth) {
    const { benchGrowth } = await import('./growth/main.mjs');
    return benchGrowth({ isSmoke, isJson, into, isHuge: rest.huge });
  }
  if (rest.service) {
    const { benchService } = await import('./service/main.mjs');
    return benchService({ isSmoke, isJson, into });
  }
  const roundCount = wholeNumber('--rounds', rest.rounds ?? (isSmoke ? '1' : '3'));
  if (rest.late) {
    const { benchLate } = await import('./late/main.mjs');
    return benchLate({ isSmoke, isJson, into, roundCount });
  }
  const { benchPeers } = await import('./peers/main.mjs');
  const arePeersRight = await benchPeers({
    isSmoke,
    isJson,
    only,
    into,
    roundCount,
    seed: wholeNumber('--seed', rest.seed ?? '1'),
  });
  if (!isSmoke || isJson || only !== undefined) return arePeersRight;
  // A small size takes seconds: whoever runs all of it sees the service, too.
  const { benchService } = await import('./service/main.mjs');
  return (await benchService({ isSmoke, isJson })) && arePeersRight;
}

function wholeNumber(option, text) {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} takes a whole number from 1 on.`);
  return Number(text);
}
