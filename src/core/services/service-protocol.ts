/** What a service speaks at its address: its kind says it, for some by the service. */
import type { ServiceSpec } from '../stack/stack.ts';
import type { ServiceKind, ServiceProtocol } from './service-kind.ts';

export function serviceProtocol(
  { protocol, protocolOf }: Pick<ServiceKind, 'protocol' | 'protocolOf'>,
  service: ServiceSpec,
): ServiceProtocol {
  return protocolOf?.(service) ?? protocol;
}
