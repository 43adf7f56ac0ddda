/** The three challenge validators as the configuration wants them. */

import { AddressRangeError, addressPolicy } from '../../core/acme/address-policy.ts';
import type { ChallengeType } from '../../core/acme/authorization.ts';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { dns01Validator } from '../../edge/net/dns-01.ts';
import { http01Validator } from '../../edge/net/http-01.ts';
import { dnsResolver, systemResolver } from '../../edge/net/resolver.ts';
import { tlsAlpn01Validator } from '../../edge/net/tls-alpn-01.ts';
import type { ValidateChallenge } from '../../flow/ca/validation-ports.ts';
import type { AuthorityConfig } from '../config.ts';

/** @throws OperatorFault usage, naming the address or the network that is not one */
export function challengeValidators(
  validation: AuthorityConfig['validation'],
): Record<ChallengeType, ValidateChallenge> {
  try {
    const policy = addressPolicy({ allow: validation.allowAddresses, deny: validation.denyAddresses });
    const resolver = validation.resolvers.length > 0 ? dnsResolver(validation.resolvers) : systemResolver();
    return {
      'http-01': http01Validator({ resolver, policy, httpPort: validation.httpPort }),
      'dns-01': dns01Validator({ resolver }),
      'tls-alpn-01': tlsAlpn01Validator({ resolver, policy, port: validation.tlsAlpnPort }),
    };
  } catch (cause) {
    if (cause instanceof AddressRangeError || cause instanceof RangeError)
      throw new OperatorFault('usage', cause.message, {}, cause);
    throw cause;
  }
}
