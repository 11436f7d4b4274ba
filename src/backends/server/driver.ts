import { DriverMissing } from '../../exceptions/errors.ts';

/**
 * Imports the package that talks to a server. Drivers are optional: who uses no server installs none.
 * @throws {DriverMissing} when the package is not installed; the message says how to install it.
 */
export async function importDriver<Driver>(
  packageName: string,
  load: () => Promise<Driver>,
): Promise<Driver> {
  try {
    return await load();
  } catch (error) {
    const { code, message = '' } = error as { code?: unknown; message?: string };
    // A package that the driver itself lacks is another matter.
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${packageName}'`);
    if (!isMissing) throw error;
    throw new DriverMissing(
      `The package ${packageName} is not installed: run "npm install ${packageName}".`,
      { cause: error },
    );
  }
}
