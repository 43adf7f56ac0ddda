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

test('a public mail exchanger takes plaintext where TLS comes after STARTTLS, and never where it comes first', () => {
  const takenAt = (port: number): string | undefined => {
    const service = serviceSpec(postfix, port, { settings: { config: '/etc/postfix/main.cf', security: 'may' } });
    const facts = { files: {}, version: '3.7.11', openssl: '3.0.19', user: 'root', uid: 0, gid: 0 };
    return postfix.desired(service, facts, { verifyClients: false }).plaintextTaken;
  };
  assert.match(takenAt(25) ?? '', /lets clients go on in plaintext/);
  assert.equal(takenAt(465), undefined);
});
