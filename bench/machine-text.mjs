import { availableParallelism, cpus, loadavg } from 'node:os';

/** Whoever reads figures has to know what else the machine did. @param startLoad of before they were measured */
export function machineText(startLoad) {
  const [endLoad] = loadavg();
  const date = new Date().toISOString().slice(0, 10);
  return (
    `${date}, ${availableParallelism()} cores of ${cpus()[0]?.model.trim() ?? 'an unknown model'}, ` +
    `Node ${process.version}; load ${startLoad.toFixed(1)} before, ${endLoad.toFixed(1)} after`
  );
}
