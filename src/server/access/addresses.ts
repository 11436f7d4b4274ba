import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const LOOPBACK_IPV4 = /^127\.\d+\.\d+\.\d+$/;
/** Groups of an IPv6 address that name a network; the rest any host in it chooses freely. */
const NETWORK_GROUP_COUNT = 4;

/** Whether the address is this host's own. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || LOOPBACK_IPV4.test(plain);
}

/** Whether a `Host` or the host of an `Origin` names this host, so that no other page can stand behind it. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || isLoopback(name);
}

/** What guesses from one place have in common: the IPv4 address, or the /64 network of an IPv6 address. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(8 - left.length - right.length, 0) }, () => '0');
  const groups = tail === undefined ? left : [...left, ...zeros, ...right];
  return `${groups.slice(0, NETWORK_GROUP_COUNT).join(':')}::/64`;
}

/** IPv4 as IPv4, without a zone. */
function plainAddress(address: string): string {
  const [withoutZone = ''] = address.split('%');
  return MAPPED_IPV4.exec(withoutZone)?.[1] ?? withoutZone;
}
