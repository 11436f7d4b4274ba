import { hostname, loadavg } from 'node:os';
import { currentLoad, mem, networkStats, time } from 'systeminformation';
import type { InterfaceCounters, Sample, Sampler } from './sampler.ts';

/** Samples this host. What cannot be read is null, and the rest is there all the same. */
export class HostSampler implements Sampler {
  readonly host: string = hostname();

  async sample(): Promise<Sample> {
    const failures: string[] = [];
    const settle = async <Value>(name: string, reading: Promise<Value>): Promise<Value | null> => {
      try {
        return await reading;
      } catch (error) {
        failures.push(`${name} cannot be read: ${String(error)}`);
        return null;
      }
    };
    const [cpu, memory, networks] = await Promise.all([
      settle('CPU load', currentLoad()),
      settle('memory', mem()),
      settle('network counters', networkStats('*')),
    ]);
    return {
      load: finiteOrNull(loadavg()[0]),
      cpuPercent: finiteOrNull(cpu?.currentLoad),
      memoryUsedBytes: finiteOrNull(memory?.active),
      memoryFreeBytes: finiteOrNull(memory?.available),
      uptimeSeconds: finiteOrNull(Math.floor(time().uptime)),
      interfaces: networks?.flatMap(countersOf) ?? null,
      failures,
    };
  }
}

/** An interface that does not count (a tunnel of some systems) is left out. */
function countersOf(network: {
  readonly iface: string;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
}): readonly InterfaceCounters[] {
  const rxBytes = finiteOrNull(network.rx_bytes);
  const txBytes = finiteOrNull(network.tx_bytes);
  return rxBytes === null || txBytes === null ? [] : [{ name: network.iface, rxBytes, txBytes }];
}

function finiteOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
