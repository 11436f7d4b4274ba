import { type Identity, isAdminWithin } from '../access/identity.ts';
import { type DestinationRules, refusedPlace } from '../alerts/destination-rules.ts';
import type { RuleDefinition } from '../alerts/rule-definition.ts';
import { Problem } from '../http/problem.ts';

/**
 * The service reaches addresses that its users do not, and sends mail in its own name: where to, admins decide.
 * @throws {Problem} 403 naming the destination.
 */
export function assertDestinations(
  rules: DestinationRules,
  identity: Identity,
  { destinations }: RuleDefinition,
): void {
  if (isAdminWithin(identity)) return;
  for (const [index, destination] of destinations.entries()) {
    const refused = refusedPlace(destination, rules);
    if (refused === null) continue;
    const setting = destination.kind === 'webhook' ? 'alerts.webhookHosts' : 'alerts.emailDomains';
    throw new Problem(
      403,
      `Alerts go to ${refused} only where an admin allows it, by the setting ${setting}.`,
      { code: 'NOT_ALLOWED', field: `destinations.${index}` },
    );
  }
}
