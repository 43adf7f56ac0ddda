/**
 * A few commands to Redis over RESP: in TLS or in plaintext, whichever answers, because the port may be about to
 * change from one to the other. The peer is this host's own service, named by the stack file; its certificate is not
 * verified here (it is what is being installed), and the password goes only to loopback or over TLS.
 *
 * A server that asks for a certificate does so by what it was told last, which may be another policy and other roots than
 * the pair in use was made for: older versions are shown after it, and none at last.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { CHAIN_FILE, KEY_FILE } from '../../core/services/pair-layout.ts';
import type { Action } from '../../core/services/service-kind.ts';

type RedisAction = Extract<Action, { kind: 'redis' }>;

const TIMEOUT_MS = 5000;

export async function redisCommands(action: RedisAction): Promise<{ ok: boolean; output: string }> {
  const faults: string[] = [];
  for (const port of action.ports) {
    for (const tls of action.first === 'tls' ? [true, false] : [false, true]) {
      const result = tls ? await overTls(action, port) : await inPlaintext(action, port);
      if (result.kind === 'answered') return { ok: result.error === null, output: result.error ?? '' };
      faults.push(`port ${port}${tls ? ' with TLS' : ''}: ${result.why}`);
    }
  }
  return { ok: false, output: faults.join('; ') };
}

type Attempt =
  | { readonly kind: 'answered'; readonly error: string | null }
  /** Ended by the other side. */
  | { readonly kind: 'turned-away'; readonly why: string }
  | { readonly kind: 'silent'; readonly why: string };

async function overTls(action: RedisAction, port: number): Promise<Attempt> {
  const tried = async (identity: SecureContext): Promise<Attempt> =>
    attempt(
      action,
      () => connectTls({ host: action.host, port, rejectUnauthorized: false, secureContext: identity }),
      'secureConnect',
    );
  for (const identity of identitiesIn(action.pair)) {
    const result = await tried(identity);
    if (result.kind !== 'turned-away') return result;
  }
  const last = await tried(createSecureContext());
  const isAsked = last.kind === 'turned-away' && /certificate required|handshake failure/.test(last.why);
  return isAsked ? { ...last, why: `${last.why}: ${letIn(action, port)}` } : last;
}

async function inPlaintext(action: RedisAction, port: number): Promise<Attempt> {
  const { host, passwordFile } = action;
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  return passwordFile !== null && !loopback
    ? { kind: 'silent', why: 'the password is not sent in plaintext to another host' }
    : attempt(action, () => connectTcp({ host, port }), 'connect');
}

function attempt(action: RedisAction, connect: () => Socket, connected: string): Promise<Attempt> {
  const commands = [...authentication(action), ...action.commands];
  return new Promise((resolve) => {
    const socket = connect();
    let received = '';
    const settle = (result: Attempt): void => {
      socket.destroy();
      resolve(result);
    };
    const turnedAway = (why: string): void => settle({ kind: 'turned-away', why });
    socket.setTimeout(TIMEOUT_MS, () => settle({ kind: 'silent', why: 'no answer' }));
    // Of an alert, OpenSSL's own words without its file and line.
    socket.on('error', (fault: Error & { readonly reason?: string }) => turnedAway(fault.reason ?? fault.message));
    socket.on('close', () => turnedAway('closed without an answer'));
    socket.once(connected, () => socket.write(commands.map(encode).join('')));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.length > 65_536) return turnedAway('the answer is too long');
      if (!/^[-+:$*]/.test(received)) return turnedAway('the answer is not that of a Redis server');
      const replies = received.split('\r\n').slice(0, -1);
      const error = replies.find((reply) => reply.startsWith('-'));
      if (error !== undefined) settle({ kind: 'answered', error: error.slice(1) });
      else if (replies.length >= commands.length) settle({ kind: 'answered', error: null });
    });
  });
}

function authentication({ passwordFile }: RedisAction): string[][] {
  return passwordFile === null ? [] : [['AUTH', readFileSync(passwordFile, 'utf8').trim()]];
}

/** The pair in use, then the other versions, newest first; what cannot be shown is left out. */
function* identitiesIn(pair: string): Generator<SecureContext> {
  for (const version of ['current', ...versionsIn(pair).map((number) => join('versions', number))]) {
    const identity = readIdentity(join(pair, version));
    if (identity !== null) yield identity;
  }
}

function versionsIn(pair: string): readonly string[] {
  try {
    return readdirSync(join(pair, 'versions')).sort((a, b) => Number(b) - Number(a));
  } catch {
    // Before the first installation.
    return [];
  }
}

/** null: missing, or certificate and key do not belong together. */
function readIdentity(version: string): SecureContext | null {
  try {
    const [cert, key] = [CHAIN_FILE, KEY_FILE].map((name) => readFileSync(join(version, name)));
    return createSecureContext({ cert, key });
  } catch {
    return null;
  }
}

/** For a server whose clients another authority certifies, such as one that had TLS before: only a person has a pair for it. */
function letIn({ host }: RedisAction, port: number): string {
  return `the server insists on a client certificate and takes none of its own pair; with a pair that it takes, let it ask for none: redis-cli -h ${host} -p ${port} --tls --insecure --cert CLIENT.crt --key CLIENT.key CONFIG SET tls-auth-clients no; then: fullchain apply`;
}

/** RESP array of bulk strings. */
function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
}
