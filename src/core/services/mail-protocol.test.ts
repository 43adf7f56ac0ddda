import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceSpec } from '../../../test/services/applied.ts';
import { dovecot } from './dovecot.ts';
import { postfix } from './postfix.ts';

test('TLS comes first at 993 and 465, after STARTTLS elsewhere, and as the stack file says', () => {
  const at = (kind: typeof dovecot, port: number, protocol?: string) =>
    kind.protocolOf?.(
      serviceSpec(kind, port, { settings: { config: '/etc/x', ...(protocol !== undefined && { protocol }) } }),
    );
  assert.deepEqual(
    [at(dovecot, 993), at(dovecot, 143), at(dovecot, 143, 'imaps'), at(dovecot, 993, 'imap')],
    ['imaps', 'imap', 'imaps', 'imap'],
  );
  assert.deepEqual(
    [at(postfix, 465), at(postfix, 25), at(postfix, 587), at(postfix, 2465, 'smtps')],
    ['smtps', 'smtp', 'smtp', 'smtps'],
  );
});
