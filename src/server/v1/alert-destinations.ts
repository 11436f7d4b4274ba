import { type Identity, isAdminWithin } from '../access/identity.ts';
import type { Destination, RuleDefinition } from '../alerts/rule-definition.ts';
import type { ServiceConfig } from '../config/service-config.ts';
import { Problem } from '../http/problem.ts';

/**
 * The service reaches addresses that its users do not, and sends mail in its own name: where to, admins decide.
 * @throws {Problem} 403 naming the destination.
 */
export function assertDestinations(
  { webhookHosts, emailDomains }: ServiceConfig['alerts'],
  identity: Identity,
  { destinations }: RuleDefinition,
): void {
  if (isAdminWithin(identity)) return;
  for (const [index, destination] of destinations.entries()) {
    const refused = placesOf(destination).find((place) => {
      const allowed = destination.kind === 'webhook' ? webhookHosts : emailDomains;
      return !allowed.some((name) => name.toLowerCase() === place);
    });
    if (refused === undefined) continue;
    const setting = destination.kind === 'webhook' ? 'alerts.webhookHosts' : 'alerts.emailDomains';
    throw new Problem(
      403,
      `Alerts go to ${refused} only where an admin allows it, by the setting ${setting}.`,
      { code: 'NOT_ALLOWED', field: `destinations.${index}` },
    );
  }
}

function placesOf(destination: Destination): readonly string[] {
  switch (destination.kind) {
    case 'log':
      return [];
    case 'webhook':
      return [new URL(destination.url).hostname];
    case 'email':
      return destination.to.map((address) =>
        address.slice(address.lastIndexOf('@') + 1).toLowerCase(),
      );
  }
}
