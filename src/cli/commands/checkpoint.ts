import type { Command } from 'commander';
import { folderSizeBytes } from '../../backends/folder-size.ts';
import type { CommandContext } from '../command-context.ts';
import { humanQuantity } from '../format/human.ts';

/** Adds `checkpoint`: empties the journal of a store, and says what became of its files. */
export function registerCheckpoint(program: Command, context: CommandContext): void {
  program
    .command('checkpoint')
    .description('empty the journal of the store, which then opens soonest; never needed')
    .action(async () => {
      const folder = context.storeFolder;
      const sizeBytesBefore = folder === null ? null : await folderSizeBytes(folder);
      await context.withDatastream((datastream) => datastream.checkpoint());
      // Closing a store may still cut its files: what counts is what stays.
      const sizeBytesAfter = folder === null ? null : await folderSizeBytes(folder);
      await context.out.line(
        sizeBytesBefore === null || sizeBytesAfter === null
          ? context.storeLocation
          : `${context.storeLocation}: ${humanQuantity(sizeBytesBefore, 'B')} before, ${humanQuantity(sizeBytesAfter, 'B')} after`,
      );
    });
}
