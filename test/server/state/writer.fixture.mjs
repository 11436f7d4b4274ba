// One process of several on a state file. Arguments: folder, name, number of writes. Each write moves one unit
// between two records and notes it, all in one transaction; prints what was acknowledged.
import { writeSync } from 'node:fs';
import { StateStore } from '../../../dist/server/state/state-store.js';

const [folder, name, writeCountText] = process.argv.slice(2);
const state = await StateStore.open(folder);

function move(id, difference) {
  state.dashboards.update(id, (held) => ({ ...held, content: held.content + difference }));
}

for (let i = 1; i <= Number(writeCountText); i++) {
  state.write(() => {
    move('from', -1);
    state.audit.append({
      atMs: i,
      actor: { kind: 'user', userId: null, name, address: null },
      action: 'unit.move',
      target: { kind: 'unit', id: String(i), name: null },
      before: null,
      after: null,
    });
    move('to', 1);
  });
  writeSync(1, `${JSON.stringify({ acknowledged: i })}\n`);
}
await state.close();
