import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { folderSizeBytes } from '../../backends/folder-size.ts';
import { type StateOptions, withStateOptions } from '../access-state.ts';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { humanQuantity } from '../format/human.ts';

interface BackupOptions extends StateOptions {
  readonly stateOnly?: boolean;
}

/** Adds `backup`: a consistent copy of a store and of the service's state, while they are in use. */
export function registerBackup(program: Command, context: CommandContext): void {
  withStateOptions(
    program
      .command('backup')
      .description('write a consistent copy of an embedded store, while it is being written')
      .argument('<folder>', 'new folder, which opens as a store'),
  )
    .option('--state-only', 'only users and settings of the service, whatever has the datapoints')
    .action((folder: string, options: BackupOptions) => backUp(context, folder, options));
}

async function backUp(
  context: CommandContext,
  folder: string,
  options: BackupOptions,
): Promise<void> {
  const path = resolve(folder);
  if (existsSync(path)) {
    throw usageError(`There is something at ${folder} already; expected the name of a new folder.`);
  }
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    if (options.stateOnly === true) await mkdir(partial);
    else await context.withDatastream((datastream) => datastream.backUp(partial));
    // After the datapoints: every stream that is in the copy has its grants there.
    const hasState = await backUpState(context, partial, options);
    if (options.stateOnly === true && !hasState) {
      throw usageError('There is no state of a service to back up.');
    }
    // Only what is whole gets the name.
    await rename(partial, path);
    const size = humanQuantity(await folderSizeBytes(path), 'B');
    const content = hasState ? 'with the state of the service' : 'there is no state of a service';
    await context.out.line(`${folder}: ${size}, ${content}`);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Whether there is one. */
async function backUpState(
  context: CommandContext,
  target: string,
  { config, state }: StateOptions,
): Promise<boolean> {
  // Loaded here: no other command needs what a server needs.
  const { loadConfig } = await import('../../server/config/load-config.ts');
  const { STATE_FOLDER, stateFolder } = await import('../../server/open-access.ts');
  const { STATE_FILE, StateStore } = await import('../../server/state/state-store.ts');
  const settings = loadConfig({
    file: config ?? null,
    env: context.io.env,
    flags: { store: context.storeUrl, ...(state !== undefined && { state }) },
  });
  const folder = stateFolder(settings);
  if (!existsSync(join(folder, STATE_FILE))) return false;
  const store = await StateStore.open(folder, { creates: false });
  try {
    await store.backUp(join(target, STATE_FOLDER));
  } finally {
    await store.close();
  }
  return true;
}
