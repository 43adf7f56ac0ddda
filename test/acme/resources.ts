/** ACME resources as a client reads them (RFC 8555 §7.1), and what every refusal must look like. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { pemBlocksLabelled } from '../../src/core/bytes/pem.ts';
import { ACME_PROBLEMS, type AcmeProblemType } from '../../src/core/faults/acme-problems.ts';
import { type Certificate, parseCertificate } from '../../src/core/x509/certificate.ts';
import type { AcmeClient, Answer } from './client.ts';
import { csrFor } from './csr.ts';
import type { TestAuthority } from './server.ts';

export interface Identifier {
  readonly type: string;
  readonly value: string;
}

export interface Problem {
  readonly type: string;
  readonly detail: string;
  readonly status: number;
  readonly algorithms?: readonly string[];
  readonly subproblems?: readonly { readonly type: string; readonly detail: string; readonly identifier: Identifier }[];
}

export interface Order {
  /** Of the Location header. */
  readonly url: string;
  readonly status: string;
  readonly expires: string;
  readonly identifiers: readonly Identifier[];
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string;
  readonly error?: Problem;
  readonly notBefore?: string;
  readonly notAfter?: string;
}

export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly token: string;
  readonly status: string;
  readonly validated?: string;
  readonly error?: Problem;
}

export interface Authorization {
  readonly url: string;
  readonly status: string;
  readonly expires: string;
  readonly identifier: Identifier;
  readonly challenges: readonly Challenge[];
  readonly wildcard?: boolean;
}

export const dns = (value: string): Identifier => ({ type: 'dns', value });
export const ip = (value: string): Identifier => ({ type: 'ip', value });

/** A nonce as the authority makes them (RFC 8555 §6.5.1: base64url). */
const NONCE = /^[A-Za-z0-9_-]{22,}$/;

/** What is true of every answer to a POST: a nonce that is not cached (§6.5), and the way to the directory (§7.1). */
export function assertPostAnswer(answer: Answer): void {
  assert.match(String(answer.headers['replay-nonce']), NONCE, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.match(String(answer.headers.link), /<https:\/\/[^>]+\/directory>;\s*rel="index"/);
}

/** A refusal: the type of RFC 8555 §6.7, its status, its words, and a fresh nonce. */
export function assertProblem(answer: Answer, type: AcmeProblemType, detail: RegExp, status?: number): Problem {
  const problem = answer.body as unknown as Problem;
  assert.equal(problem.type, `urn:ietf:params:acme:error:${type}`, answer.text);
  assert.equal(answer.status, status ?? ACME_PROBLEMS[type].status, answer.text);
  assert.equal(problem.status, answer.status);
  assert.match(problem.detail, detail);
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  assert.doesNotMatch(answer.text, /:null/);
  assertPostAnswer(answer);
  return problem;
}

function urlOf(answer: Answer): string {
  return String(answer.headers.location);
}

export function orderOf(answer: Answer): Order {
  assert.ok(answer.status === 200 || answer.status === 201, answer.text);
  return { ...(answer.body as unknown as Omit<Order, 'url'>), url: urlOf(answer) };
}

export async function newOrder(client: AcmeClient, ...identifiers: readonly Identifier[]): Promise<Order> {
  return orderOf(await client.post(client.resources.newOrder, { identifiers }));
}

export async function readOrder(client: AcmeClient, url: string): Promise<Order> {
  return orderOf(await client.post(url, null));
}

export async function readAuthorization(client: AcmeClient, url = ''): Promise<Authorization> {
  const answer = await client.post(url, null);
  assert.equal(answer.status, 200, answer.text);
  return { ...(answer.body as unknown as Omit<Authorization, 'url'>), url };
}

export function challengeOf({ challenges }: Authorization, type: string): Challenge {
  return challenges.find((challenge) => challenge.type === type) ?? assert.fail(`no ${type} challenge`);
}

/** Says that a challenge is in place, and polls its authorization until it is decided (§7.5.1). */
export async function decide(client: AcmeClient, authorization: Authorization, type: string): Promise<Authorization> {
  const answer = await client.post(challengeOf(authorization, type).url, {});
  assert.equal(answer.status, 200, answer.text);
  for (;;) {
    const read = await readAuthorization(client, authorization.url);
    if (read.status !== 'pending') return read;
    await sleep(50);
  }
}

/** Proves one authorization with http-01. Names resolve to the responder's address. */
export async function proveByHttp(authority: TestAuthority, client: AcmeClient, url: string): Promise<Authorization> {
  const authorization = await readAuthorization(client, url);
  if (authorization.identifier.type === 'dns') authority.dns.set(authorization.identifier.value, { A: ['127.0.0.1'] });
  const { token } = challengeOf(authorization, 'http-01');
  authority.http.present(token, `${token}.${client.key.thumbprint}`);
  const proven = await decide(client, authorization, 'http-01');
  assert.equal(proven.status, 'valid', JSON.stringify(proven));
  return proven;
}

/** An order whose authorizations are all proven by http-01. */
export async function readyOrder(
  authority: TestAuthority,
  client: AcmeClient,
  ...identifiers: readonly Identifier[]
): Promise<Order> {
  const order = await newOrder(client, ...identifiers);
  for (const url of order.authorizations) await proveByHttp(authority, client, url);
  const ready = await readOrder(client, order.url);
  assert.equal(ready.status, 'ready');
  return ready;
}

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

export async function finalize(client: AcmeClient, order: Order, csr: Uint8Array): Promise<Order> {
  return orderOf(await client.post(order.finalize, { csr: base64url(csr) }));
}

export interface Issued {
  readonly order: Order;
  readonly chain: readonly Certificate[];
  readonly leaf: Certificate;
}

/** The chain of a valid order. */
export async function download(client: AcmeClient, order: Order): Promise<Issued> {
  const answer = await client.post(order.certificate ?? assert.fail(`no certificate: ${order.status}`), null);
  assert.equal(answer.status, 200, answer.text);
  const chain = pemBlocksLabelled(answer.text, 'CERTIFICATE').map(({ der }) => parseCertificate(der));
  return { order, chain, leaf: chain[0] ?? assert.fail('an empty chain') };
}

/** From new order to certificate, by http-01. */
export async function issue(
  authority: TestAuthority,
  client: AcmeClient,
  identifiers: readonly Identifier[],
  csr = csrFor(identifiers.map(({ value }) => value)),
): Promise<Issued> {
  const order = await readyOrder(authority, client, ...identifiers);
  let done = await finalize(client, order, csr);
  while (done.status === 'processing') {
    await sleep(20);
    done = await readOrder(client, order.url);
  }
  return download(client, done);
}
