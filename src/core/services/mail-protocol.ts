/** Mail servers have ports at which TLS begins after STARTTLS and others at which it comes first (RFC 8314 §7.3); `address` is one of them. */
import type { ServiceSpec } from '../stack/stack.ts';
import type { Objection, ServiceProtocol, SettingShape } from './service-kind.ts';
import { setting } from './setting.ts';

export interface MailProtocols {
  readonly starttls: ServiceProtocol & ('imap' | 'smtp');
  readonly direct: ServiceProtocol & ('imaps' | 'smtps');
  /** At which TLS comes first unless the stack file says otherwise. */
  readonly directPort: number;
}

export function protocolSetting({ starttls, direct, directPort }: MailProtocols) {
  return {
    type: 'string',
    required: false,
    description: `"${starttls}": TLS after STARTTLS; "${direct}": from the first byte; else ${direct} at port ${directPort}, and ${starttls} at others.`,
  } as const satisfies SettingShape;
}

export function mailProtocol(service: ServiceSpec, { starttls, direct, directPort }: MailProtocols): ServiceProtocol {
  const declared = setting(service, 'protocol');
  if (declared !== null) return declared === direct ? direct : starttls;
  return service.address?.port === directPort ? direct : starttls;
}

export function unknownMailProtocol(service: ServiceSpec, { starttls, direct }: MailProtocols): Objection | null {
  const declared = setting(service, 'protocol');
  if (declared === null || declared === starttls || declared === direct) return null;
  return { key: 'protocol', why: `${JSON.stringify(declared)} is neither ${starttls} nor ${direct}` };
}
