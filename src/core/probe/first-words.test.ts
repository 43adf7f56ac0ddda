import assert from 'node:assert/strict';
import { test } from 'node:test';
import { speakerOf } from './first-words.ts';

const GREETINGS: readonly (readonly [words: string, protocol: string | null])[] = [
  ['220 mx.internal ESMTP Postfix\r\n', 'smtp'],
  ['220 ftp.internal ESMTP\r\n', 'smtp'],
  ['220 mx.internal Cyrus LMTP 3.6.1 server ready\r\n', 'lmtp'],
  ['220-Welcome\r\n220 ftp.internal\r\n', 'ftp'],
  ['220 (vsFTPd 3.0.3)\r\n', 'ftp'],
  ['220 ProFTPD Server ready, FTP\r\n', 'ftp'],
  ['* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n', 'imap'],
  ['+OK Dovecot ready.\r\n', 'pop3'],
  ['SSH-2.0-OpenSSH_9.2\r\n', 'ssh'],
  ['HTTP/1.1 400 Bad Request\r\n', 'http'],
  ['-NOAUTH Authentication required.\r\n', 'redis'],
  ['\u004a\0\0\0\u000a10.11.6-MariaDB\0', 'mysql'],
  ["<?xml version='1.0'?><stream:stream>", 'xmpp'],
  ['hello', null],
  ['', null],
];

for (const [words, protocol] of GREETINGS)
  test(`${JSON.stringify(words)}: ${protocol ?? 'nobody who is known'}`, () => {
    assert.equal(speakerOf(Buffer.from(words, 'latin1'))?.protocol ?? null, protocol);
  });
