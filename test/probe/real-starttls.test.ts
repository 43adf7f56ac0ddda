/** Servers of other people whose TLS begins after a request, in the TLS libraries that they come with: as sslscan and openssl see them. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StarttlsWord } from '../../src/core/probe/protocol.ts';
import { scratch } from '../ca/command-line.ts';
import { assertCause, assertHealthy, diagnose } from '../diagnose/world.ts';
import { acceptsConnections } from '../servers/accepts-connections.ts';
import { pathOf, skipWithout } from '../servers/available.ts';
import { run, startServer } from '../servers/process.ts';
import { IS_ROOT } from '../services/applied.ts';
import { cleanup } from '../services/cleanup.ts';
import { startDovecot } from '../services/start-dovecot.ts';
import { startPostfix } from '../services/start-postfix.ts';
import { freePort } from '../world/free-port.ts';
import { opensslPairs } from './openssl-pairs.ts';
import { idsOf, probeOne } from './run-probe.ts';
import { sslscan, suitesOf } from './sslscan.ts';

const pairs = opensslPairs();

interface RealServer {
  readonly program: string;
  readonly word: StarttlsWord;
  /** sslscan 2.0 does not get through slapd's answer. */
  readonly isScanned: boolean;
  /** @returns its port */
  readonly start: (t: TestContext, hasTls: boolean) => Promise<number>;
}

/** @param prepare its arguments; files that it needs are written */
function byItself(
  program: string,
  prepare: (directory: string, port: number, hasTls: boolean) => readonly string[],
): RealServer['start'] {
  return async (t, hasTls) => {
    const port = await freePort();
    const args = prepare(scratch(t), port, hasTls);
    const server = await startServer(pathOf(program) ?? program, args, { isReady: () => acceptsConnections(port) });
    cleanup(t).use(server);
    return port;
  };
}

async function reloaded(program: string, ...args: readonly string[]): Promise<void> {
  const { status, output } = await run(pathOf(program) ?? program, args);
  assert.equal(status, 0, output);
}

function written(directory: string, name: string, lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

const SERVERS: readonly RealServer[] = [
  {
    program: 'slapd',
    word: 'ldap',
    isScanned: false,
    // GnuTLS, in Debian.
    start: byItself('slapd', (directory, port, hasTls) => {
      const tls = [`TLSCertificateFile ${pairs.ecdsa.cert}`, `TLSCertificateKeyFile ${pairs.ecdsa.key}`];
      const file = written(directory, 'slapd.conf', [`pidfile ${directory}/pid`, ...(hasTls ? tls : [])]);
      return ['-f', file, '-h', `ldap://127.0.0.1:${port}`, '-d', '0'];
    }),
  },
  {
    program: 'vsftpd',
    word: 'ftp',
    isScanned: true,
    start: byItself('vsftpd', (directory, port, hasTls) => {
      mkdirSync(join(directory, 'empty'));
      return [
        written(directory, 'vsftpd.conf', [
          ...['listen=YES', 'background=NO', 'listen_address=127.0.0.1', `listen_port=${port}`],
          ...['anonymous_enable=YES', `secure_chroot_dir=${directory}/empty`, `anon_root=${directory}/empty`],
          `ssl_enable=${hasTls ? 'YES' : 'NO'}`,
          ...[`rsa_cert_file=${pairs.rsa.cert}`, `rsa_private_key_file=${pairs.rsa.key}`, 'ssl_ciphers=HIGH'],
        ]),
      ];
    }),
  },
  {
    program: 'prosody',
    word: 'xmpp',
    isScanned: true,
    start: byItself('prosody', (directory, port, hasTls) => [
      '--config',
      written(directory, 'prosody.cfg.lua', [
        'run_as_root = true',
        `pidfile = "${directory}/pid"; data_path = "${directory}"; log = { error = "*console" }`,
        `modules_enabled = { ${hasTls ? '"tls", ' : ''}"saslauth" }; modules_disabled = { "s2s"${hasTls ? '' : ', "tls"'} }`,
        `interfaces = { "127.0.0.1" }; c2s_ports = { ${port} }; s2s_ports = {}; c2s_require_encryption = false`,
        'VirtualHost "localhost"',
        ...(hasTls ? [`ssl = { certificate = "${pairs.ecdsa.cert}"; key = "${pairs.ecdsa.key}" }`] : []),
      ]),
      '-F',
    ]),
  },
  {
    program: 'dovecot',
    word: 'imap',
    isScanned: true,
    async start(t, hasTls) {
      const { port, config } = await startDovecot(t);
      if (!hasTls) return port;
      const { cert, key } = pairs.ecdsa;
      written(config, '10-tls.conf', [
        'ssl = required',
        'disable_plaintext_auth = yes',
        `ssl_cert = <${cert}`,
        `ssl_key = <${key}`,
      ]);
      await reloaded('doveadm', '-c', join(config, '../dovecot.conf'), 'reload');
      return port;
    },
  },
  {
    program: 'postfix',
    word: 'smtp',
    isScanned: true,
    async start(t, hasTls) {
      const { port, config, text } = await startPostfix(t);
      if (!hasTls) return port;
      const { cert, key } = pairs.ecdsa;
      const settings = [
        'smtpd_tls_security_level = encrypt',
        `smtpd_tls_cert_file = ${cert}`,
        `smtpd_tls_key_file = ${key}`,
      ];
      writeFileSync(config, `${text.replace('smtpd_tls_security_level = none', '')}${settings.join('\n')}\n`);
      await reloaded('postfix', '-c', dirname(config), 'reload');
      return port;
    },
  },
];

const needRoot = IS_ROOT ? false : 'skipped: these servers start as root only';

for (const { program, word, isScanned, start } of SERVERS) {
  const skip = skipWithout(program, 'sslscan') || needRoot;

  test(`${program} with TLS: as sslscan and openssl have it, and nothing is wrong`, { skip }, async (t) => {
    const port = await start(t, true);
    const at = [`localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.ca];
    const target = await probeOne(...at, '--starttls', word);
    assert.ok(target.protocols.includes('TLSv1.2') && target.suites.length > 3, JSON.stringify(target));
    if (isScanned) {
      const scan = await sslscan(t, port, `--starttls-${word}`);
      assert.deepEqual([target.protocols, suitesOf(target)], [scan.protocols, scan.suites]);
    }
    assert.deepEqual([target.trust, target.untried], [{ ok: true, why: null, anchor: 'CN=probe-root' }, []]);
    assert.ok(!idsOf(target).some((id) => id !== 'suites-weak' && id !== 'protocols-weak'), idsOf(target).join());
    for (const [version, flag] of Object.entries({ 'TLSv1.2': '-tls1_2', 'TLSv1.3': '-tls1_3' })) {
      const other = await run('openssl', [
        ...['s_client', flag, '-connect', `127.0.0.1:${port}`, '-starttls', word, '-CAfile', pairs.ca],
        ...(word === 'xmpp' ? ['-xmpphost', 'localhost'] : []),
      ]);
      const isTaken = /Cipher is (?!\(NONE\))/.test(other.output);
      assert.equal(
        isTaken,
        target.protocols.some((known) => known === version),
        other.output,
      );
      if (isTaken) assert.match(other.output, /Verify return code: 0 \(ok\)/);
    }
    // Nobody says what is spoken: it is found out.
    assert.equal((await probeOne(...at)).starttls, word);
    assertHealthy(await diagnose(at));
    assertHealthy(await diagnose([...at, '--starttls', word]));
    const foreign = [`localhost:${port}`, '--connect', '127.0.0.1', '--ca', pairs.otherCa, '--starttls', word];
    assertCause(await diagnose(foreign), 'unknown-ca');
  });

  test(`${program} without TLS: it is said to be off`, { skip }, async (t) => {
    const port = await start(t, false);
    const at = [`localhost:${port}`, '--connect', '127.0.0.1'];
    assert.deepEqual(idsOf(await probeOne(...at, '--starttls', word)), ['tls-off']);
    assertCause(await diagnose([...at, '--starttls', word]), 'tls-off');
  });
}
