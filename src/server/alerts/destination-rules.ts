import type { Destination } from './rule-definition.ts';

/** Where rules of users may send their alerts to. */
export interface DestinationRules {
  /** With a port where that is not the usual one. */
  readonly webhookHosts: readonly string[];
  readonly emailDomains: readonly string[];
}

/** The host, or the domain, of a destination that is not allowed; null where all of it is. */
export function refusedPlace(
  destination: Destination,
  { webhookHosts, emailDomains }: DestinationRules,
): string | null {
  const allowed = destination.kind === 'webhook' ? webhookHosts : emailDomains;
  const isAllowed = (place: string): boolean =>
    allowed.some((name) => name.toLowerCase() === place);
  return placesOf(destination).find((place) => !isAllowed(place)) ?? null;
}

function placesOf(destination: Destination): readonly string[] {
  switch (destination.kind) {
    case 'log':
      return [];
    case 'webhook':
      return [new URL(destination.url).host];
    case 'email':
      return destination.to.map((address) =>
        address.slice(address.lastIndexOf('@') + 1).toLowerCase(),
      );
  }
}
