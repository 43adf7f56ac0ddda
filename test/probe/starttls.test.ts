/** Protocols whose TLS begins after a request: servers that openssl s_client accepts as such, and what they answer when they have none. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { StarttlsWord } from '../../src/core/probe/protocol.ts';
import { skipWithout } from '../servers/available.ts';
import { run } from '../servers/process.ts';
import { startTcpServer } from '../world/tcp-server.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, probeJson, probeOne } from './run-probe.ts';

const pairs = opensslPairs();
const secureContext = createSecureContext({ cert: readFileSync(pairs.ecdsa.cert), key: readFileSync(pairs.ecdsa.key) });

/** What a server says first, and to each thing that it hears; `tls` says that TLS begins behind it. */
interface Dialogue {
  readonly greeting: string | Buffer;
  readonly turns: readonly {
    readonly hears: RegExp;
    readonly says: string | Buffer;
    readonly tls?: true;
  }[];
}

const LDAP_DONE = Buffer.from('300c02010178070a010004000400', 'hex');
/** As Active Directory writes lengths. */
const LDAP_DONE_LONG = Buffer.from('30840000001002010178840000000 70a010004000400'.replace(' ', ''), 'hex');
const STREAM =
  "<?xml version='1.0'?><stream:stream from='localhost' id='1' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

const DIALOGUES: Readonly<Record<string, readonly [StarttlsWord, Dialogue]>> = {
  smtp: [
    'smtp',
    {
      greeting: '220-mx.internal\r\n220 ESMTP\r\n',
      turns: [
        { hears: /^EHLO /, says: '250-mx.internal\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 8BITMIME\r\n' },
        { hears: /^STARTTLS/, says: '220 go ahead\r\n', tls: true },
      ],
    },
  ],
  lmtp: [
    'lmtp',
    {
      greeting: '220 mx.internal LMTP\r\n',
      turns: [
        { hears: /^LHLO /, says: '250-mx.internal\r\n250 STARTTLS\r\n' },
        { hears: /^STARTTLS/, says: '220 go ahead\r\n', tls: true },
      ],
    },
  ],
  imap: [
    'imap',
    {
      greeting: '* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n',
      turns: [
        { hears: /^\S+ CAPABILITY/, says: '* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n' },
        { hears: /^a STARTTLS/, says: '* a remark\r\na OK begin\r\n', tls: true },
        { hears: /^\. STARTTLS/, says: '. OK begin\r\n', tls: true },
      ],
    },
  ],
  pop3: ['pop3', { greeting: '+OK ready\r\n', turns: [{ hears: /^STLS/, says: '+OK begin\r\n', tls: true }] }],
  ftp: [
    'ftp',
    {
      greeting: '220-Welcome\r\n220 ftp.internal\r\n',
      turns: [
        { hears: /^FEAT/, says: '211-Features\r\n AUTH TLS\r\n211 End\r\n' },
        { hears: /^AUTH TLS/, says: '234 go ahead\r\n', tls: true },
      ],
    },
  ],
  ldap: ['ldap', { greeting: '', turns: [{ hears: /1466\.20037/, says: LDAP_DONE, tls: true }] }],
  'ldap with long lengths': [
    'ldap',
    { greeting: '', turns: [{ hears: /1466\.20037/, says: LDAP_DONE_LONG, tls: true }] },
  ],
  xmpp: [
    'xmpp',
    {
      greeting: '',
      turns: [
        {
          hears: /<stream:stream/,
          says: `${STREAM}<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`,
        },
        { hears: /<starttls/, says: "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", tls: true },
      ],
    },
  ],
};

/** @param isBusy whether the next client is turned away */
async function serve(t: TestContext, { greeting, turns }: Dialogue, isBusy = (): boolean => false): Promise<number> {
  const server = createServer((socket: Socket) => {
    if (isBusy()) {
      socket.end('421 too many connections\r\n');
      return;
    }
    if (greeting.length > 0) socket.write(greeting);
    const hear = (chunk: Buffer): void => {
      const turn = turns.find(({ hears }) => hears.test(chunk.toString('latin1')));
      if (turn === undefined) {
        socket.end();
        return;
      }
      socket.write(turn.says);
      if (!turn.tls) return;
      socket.off('data', hear);
      const tls = new TLSSocket(socket, { isServer: true, secureContext });
      tls.on('error', () => socket.destroy());
      tls.resume();
    };
    socket.on('data', hear);
  });
  const started = await startTcpServer(server, '127.0.0.1', 0);
  t.after(started.close);
  return started.port;
}

for (const [what, [word, dialogue]] of Object.entries(DIALOGUES))
  test(`${what}: TLS behind its request`, { skip: skipWithout('openssl') }, async (t) => {
    const port = await serve(t, dialogue);
    const target = await probeOne(`localhost:${port}`, '--connect', '127.0.0.1', '--starttls', word, '--ca', pairs.ca);
    assert.deepEqual([target.starttls, target.protocols, target.untried], [word, ['TLSv1.2', 'TLSv1.3'], []]);
    assert.deepEqual([target.trust.ok, target.names[0]], [true, 'localhost']);
    assert.ok(!idsOf(target).some((id) => id !== 'suites-weak'), idsOf(target).join());
    const other = await run('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-starttls',
      word,
      '-CAfile',
      pairs.ca,
    ]);
    assert.match(other.output, /Verify return code: 0 \(ok\)/, 'openssl s_client takes this server for one');
  });

const OFF: Readonly<Record<string, readonly [StarttlsWord, Dialogue]>> = {
  'an SMTP server without STARTTLS': [
    'smtp',
    { greeting: '220 mx\r\n', turns: [{ hears: /^EHLO/, says: '250-mx\r\n250 XSTARTTLSX\r\n' }] },
  ],
  'an IMAP server that refuses': [
    'imap',
    { greeting: '* OK ready\r\n', turns: [{ hears: /STARTTLS/, says: 'a BAD what?\r\n' }] },
  ],
  'an LDAP server that refuses': [
    'ldap',
    { greeting: '', turns: [{ hears: /./s, says: Buffer.from('300c02010178070a013504000400', 'hex') }] },
  ],
  'an XMPP server without STARTTLS': [
    'xmpp',
    { greeting: '', turns: [{ hears: /<stream/, says: `${STREAM}<stream:features/>` }] },
  ],
  'an FTP server without AUTH': [
    'ftp',
    { greeting: '220 ftp\r\n', turns: [{ hears: /^AUTH/, says: '502 no such command\r\n' }] },
  ],
};

test(`${Object.keys(OFF).join(', ')}: TLS is off`, async (t) => {
  const probed = await Promise.all(
    Object.values(OFF).map(async ([word, dialogue]) =>
      probeOne(`127.0.0.1:${await serve(t, dialogue)}`, '--starttls', word),
    ),
  );
  for (const target of probed)
    assert.deepEqual([target.reachable, idsOf(target), target.protocols], [true, ['tls-off'], []], target.target);
});

test('a mail server that has had enough is no server without TLS: what was seen is told', async (t) => {
  const [, dialogue] = DIALOGUES.smtp ?? assert.fail();
  let connections = 0;
  const port = await serve(t, dialogue, () => ++connections > 8);
  const target = await probeOne(`127.0.0.1:${port}`, '--starttls', 'smtp', '--ca', pairs.ca, '--rate', '50');
  assert.match(target.untried.join(), /turns clients away \(421 too many connections\)/);
  assert.ok(target.suites.length > 0, `${target.suites.length} suites`);
  const [finding] = (await probeOne(`127.0.0.1:${port}`, '--starttls', 'smtp')).findings;
  assert.equal(finding?.id, 'closed-by-peer');
});

test('TLS from the first byte is insisted on, and another protocol answers: it is named, and how to go on', async (t) => {
  const port = await serve(t, { greeting: '220 mx.internal ESMTP\r\n', turns: [] });
  const target = await probeOne(`smtps://127.0.0.1:${port}`);
  const [finding] = target.findings;
  assert.equal(finding?.id, 'starttls-needed');
  assert.equal(finding?.remedy.command, `fullchain probe 127.0.0.1:${port} --starttls smtp`);
});

test('protocols at ports that nobody knows are recognised by what is answered', async (t) => {
  const known = ['smtp', 'imap', 'pop3', 'ftp', 'ldap'].map((what) => DIALOGUES[what] ?? assert.fail(what));
  const ports = await Promise.all(known.map(([, dialogue]) => serve(t, dialogue)));
  const { targets } = await probeJson(...ports.map((port) => `127.0.0.1:${port}`), '--ca', pairs.ca);
  assert.deepEqual(
    targets.map(({ starttls, protocols }) => [starttls, protocols]),
    known.map(([word]) => [word, ['TLSv1.2', 'TLSv1.3']]),
  );
});
