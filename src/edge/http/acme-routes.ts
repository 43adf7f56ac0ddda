/** ACME over HTTP (RFC 8555 §6, §7): bytes → signed request → flow → resource or problem document. */
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Account } from '../../core/acme/account.ts';
import { type Authorization, authorizationStatus, type ChallengeType } from '../../core/acme/authorization.ts';
import { type OrderSnapshot, orderStatus } from '../../core/acme/order.ts';
import { requireEmptyPayload } from '../../core/acme/payload.ts';
import { askAgainAfterSeconds, parseCertId, renewalInfoWire, suggestedWindow } from '../../core/acme/renewal-info.ts';
import {
  type AcmeUrls,
  accountWire,
  acmeUrls,
  authorizationWire,
  challengeWire,
  directoryWire,
  orderWire,
} from '../../core/acme/wire.ts';
import { pemFromDer } from '../../core/bytes/pem.ts';
import {
  type AcmeProblem,
  problemDocument,
  problemStatus,
  type Refused,
  refused,
} from '../../core/faults/acme-problems.ts';
import type { Instant } from '../../core/time/instant.ts';
import { changeAccountKey, newAccount, updateAccount } from '../../flow/ca/accounts.ts';
import {
  type Authenticated,
  type AuthenticatePorts,
  authenticate,
  authenticateAccount,
  authenticateKey,
  type ByAccount,
  type SignedRequest,
} from '../../flow/ca/authenticate-request.ts';
import { finalizeOrder } from '../../flow/ca/finalize-order.ts';
import type { IssuePorts } from '../../flow/ca/issue-certificate.ts';
import { listOrders, newOrder, notFound, readOrDeactivateAuthorization, readOrder } from '../../flow/ca/orders.ts';
import type { Challenges } from '../../flow/ca/respond-to-challenge.ts';
import { revokeByAcme } from '../../flow/ca/revoke-certificate.ts';
import type { ProvisionerRecord, Store } from '../../flow/ca/store-ports.ts';
import { externalBase, type OwnAddress } from './external-url.ts';

export interface AcmeRoutePorts {
  readonly store: Store;
  readonly issuing: IssuePorts;
  readonly challenges: Challenges;
  readonly authentication: AuthenticatePorts;
  readonly issueNonce: () => string;
  readonly own: OwnAddress;
  readonly clock: () => Instant;
  /** Certificates between the leaf and the root, DER, for the chain that is handed out. */
  readonly chainAbove: (issuerKeyId: string) => readonly Uint8Array[];
}

/** RFC 8555 §6.2. */
const JOSE_JSON = 'application/jose+json';

/** The largest request body: a finalize with a CSR for 100 names and an RSA-8192 key stays well below. */
export const BODY_LIMIT_BYTES = 64 * 1024;

type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly links?: readonly string[];
  readonly type?: string;
};

interface Params {
  readonly provisioner: string;
  readonly id?: string;
  readonly type?: string;
}

/** One request in its surroundings: which provisioner, under which URLs, and as what the client signed it. */
interface Exchange {
  readonly provisioner: ProvisionerRecord;
  readonly urls: AcmeUrls;
  readonly signed: SignedRequest;
  readonly params: Params;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly now: Instant;
}

export function acmeRoutes(app: FastifyInstance, ports: AcmeRoutePorts): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(JOSE_JSON, { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((fault: Error & { statusCode?: number }, request, reply) => {
    send(ports, request, reply, problemAnswer(problemOfFault(fault, request)));
  });

  const prefix = '/acme/:provisioner';

  app.get<{ Params: Params }>(`${prefix}/directory`, async (request, reply) => {
    const { provisioner, urls } = await surroundings(ports, request);
    reply.header('cache-control', 'public, max-age=0, no-cache');
    return provisioner
      ? directoryWire(urls, {})
      : reply
          .code(404)
          .type('application/problem+json')
          .send(problemDocument(noProvisioner(request).problem));
  });
  app.route<{ Params: Params }>({
    method: ['GET', 'HEAD'],
    url: `${prefix}/new-nonce`,
    handler: async (request, reply) => {
      const { provisioner, urls } = await surroundings(ports, request);
      if (provisioner === null)
        return reply
          .code(404)
          .type('application/problem+json')
          .send(problemDocument(noProvisioner(request).problem));
      // §7.2: 200 to HEAD, 204 to GET.
      reply.code(request.method === 'HEAD' ? 200 : 204).headers({
        'replay-nonce': ports.issueNonce(),
        'cache-control': 'no-store',
        link: `<${urls.directory}>;rel="index"`,
      });
      return reply.send();
    },
  });

  // RFC 9773 §4.1: an unauthenticated GET.
  app.get<{ Params: Params }>(`${prefix}/renewal-info/:id`, async (request, reply) => {
    const certId = parseCertId(request.params.id ?? '');
    const record = certId && (await ports.store.findCertificate(certId.serial));
    if (!record?.der || record.issuerKeyId !== certId?.issuerKeyId) {
      return reply
        .code(404)
        .type('application/problem+json')
        .send(problemDocument(notFound('certificate').problem));
    }
    const window = suggestedWindow(record, record.revokedAt !== null, ports.clock());
    return reply.header('retry-after', String(askAgainAfterSeconds(record))).send(renewalInfoWire(window));
  });

  const refuseMethods = (url: string, method: HTTPMethods[], allow: string): void => {
    app.route({
      method,
      url,
      exposeHeadRoute: false,
      handler: (request, reply) =>
        send(
          ports,
          request,
          reply.header('allow', allow),
          problemAnswer(
            refused(
              'malformed',
              allow === 'POST'
                ? `${request.method} is not allowed here; resources are fetched with POST-as-GET (RFC 8555 §6.3)`
                : `${request.method} is not allowed here; this is fetched with GET`,
              { status: 405 },
            ).problem,
          ),
        ),
    });
  };
  for (const path of ['/directory', '/new-nonce'])
    refuseMethods(`${prefix}${path}`, ['POST', 'PUT', 'PATCH', 'DELETE'], 'GET, HEAD');

  const post = (path: string, handle: (exchange: Exchange) => Promise<Answer | Refused>): void => {
    const url = `${prefix}${path}`;
    app.post<{ Params: Params; Querystring: Record<string, string> }>(url, async (request, reply) => {
      const { provisioner, urls, base } = await surroundings(ports, request);
      const body = parseBody(request.body);
      if (provisioner === null || body === undefined) {
        return send(
          ports,
          request,
          reply,
          problemAnswer(
            (provisioner === null ? noProvisioner(request) : refused('malformed', 'the body is not JSON')).problem,
          ),
        );
      }
      const signed = {
        body,
        url: base + request.url,
        provisioner: provisioner.name,
        accountIdOf: accountIdReader(urls),
      };
      const answer = await handle({
        provisioner,
        urls,
        signed,
        params: request.params,
        query: request.query,
        now: ports.clock(),
      });
      return send(ports, request, reply, 'kind' in answer ? problemAnswer(answer.problem) : answer);
    });
    refuseMethods(url, ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'], 'POST');
  };

  /** Most resources: signed by an account, named by a number. */
  const postByAccount = (
    path: string,
    handle: (request: Authenticated<ByAccount>, exchange: Exchange, id: number) => Promise<Answer | Refused>,
  ): void => {
    post(path, async (exchange) => {
      const request = await authenticateAccount(ports.authentication, exchange.signed);
      return request.kind === 'refused' ? request : handle(request, exchange, idOf(exchange.params.id));
    });
  };

  post('/new-account', async (exchange) => {
    const request = await authenticateKey(ports.authentication, exchange.signed);
    if (request.kind === 'refused') return request;
    const result = await newAccount(ports.store, request, exchange.provisioner.name, exchange.now);
    return result.kind === 'refused'
      ? result
      : accountAnswer(result.account, exchange.urls, result.created ? 201 : 200);
  });
  postByAccount('/account/:id', async (request, { urls, now }, id) => {
    const result = await updateAccount(ports.store, request, id, now);
    return result.kind === 'refused' ? result : accountAnswer(result.account, urls, 200);
  });
  postByAccount('/account/:id/orders', async (request, { urls, query }, id) => {
    const result = await listOrders(ports.store, request, id, idOf(query.after ?? '0'));
    if (result.kind === 'refused') return result;
    const links = result.next === null ? [] : [`<${urls.orders(id)}?after=${result.next}>;rel="next"`];
    return { status: 200, body: { orders: result.ids.map(urls.order) }, links };
  });
  postByAccount('/key-change', async (request, { urls }) => {
    const result = await changeAccountKey(ports.store, request, urls.account);
    return result.kind === 'refused' ? result : accountAnswer(result.account, urls, 200);
  });

  postByAccount('/new-order', async (request, { provisioner, urls, now }) => {
    const result = await newOrder(ports.store, ports.issuing.random, request, provisioner, now);
    return result.kind === 'refused' ? result : orderAnswer(result.snapshot, urls, now, 201);
  });
  postByAccount('/order/:id', async (request, { urls, now }, id) => {
    const result = await readOrder(ports.store, request, id);
    return result.kind === 'refused' ? result : orderAnswer(result.snapshot, urls, now, 200);
  });
  postByAccount('/order/:id/finalize', async (request, { provisioner, urls, now }, id) => {
    const result = await finalizeOrder({ ...ports.issuing, store: ports.store }, request, id, provisioner, now);
    return result.kind === 'refused' ? result : orderAnswer(result.snapshot, urls, now, 200);
  });

  postByAccount('/authz/:id', async (request, { urls, now }, id) => {
    const result = await readOrDeactivateAuthorization(ports.store, request, id, now);
    return result.kind === 'refused' ? result : authorizationAnswer(result.authorization, urls, now);
  });
  postByAccount('/challenge/:id/:type', async (request, { urls, params }, id) => {
    const type = params.type ?? '';
    const result = await ports.challenges.respond(request, id, type);
    if (result.kind === 'refused') return result;
    const body = challengeWire(result.authorization, type as ChallengeType, urls);
    // §7.5.1: the link to the authorization; §8.2: Retry-After while the authority is still looking.
    return {
      status: 200,
      body,
      links: [`<${urls.authorization(id)}>;rel="up"`],
      ...(body.status === 'processing' && { headers: { 'retry-after': '1' } }),
    };
  });

  postByAccount('/certificate/:id', async (request, _exchange, id) => {
    const refusal = requireEmptyPayload(request.payload);
    if (refusal) return refusal;
    const record = await ports.store.loadCertificate(id);
    if (!record?.der || record.accountId !== request.by.account.id) return notFound('certificate');
    const chain = [record.der, ...ports.chainAbove(record.issuerKeyId)]
      .map((der) => pemFromDer('CERTIFICATE', der))
      .join('');
    return { status: 200, body: chain, type: 'application/pem-certificate-chain' };
  });
  post('/revoke-cert', async (exchange) => {
    const request = await authenticate(ports.authentication, exchange.signed);
    if (request.kind === 'refused') return request;
    const result = await revokeByAcme(ports.store, request, exchange.now);
    return result.kind === 'refused' ? result : { status: 200, body: '' };
  });
}

async function surroundings(
  ports: AcmeRoutePorts,
  request: FastifyRequest<{ Params: Params }>,
): Promise<{ provisioner: ProvisionerRecord | null; urls: AcmeUrls; base: string }> {
  const base = externalBase(request.headers.host, ports.own);
  const record = await ports.store.loadProvisioner(request.params.provisioner);
  const provisioner = record?.kind === 'acme' ? record : null;
  return { provisioner, urls: acmeUrls(`${base}/acme/${encodeURIComponent(request.params.provisioner)}`), base };
}

function noProvisioner(request: FastifyRequest<{ Params: Params }>): Refused {
  return refused(
    'malformed',
    `there is no ACME provisioner named ${JSON.stringify(request.params.provisioner.slice(0, 60))}`,
    { status: 404 },
  );
}

function parseBody(body: unknown): unknown {
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return undefined;
  }
}

/** "https://…/account/7" → 7, only for URLs that we would make ourselves. */
function accountIdReader(urls: AcmeUrls): (kid: string) => number | null {
  const start = urls.account(0).slice(0, -1);
  return (kid) => {
    const id = kid.startsWith(start) ? idOf(kid.slice(start.length)) : 0;
    return id > 0 && urls.account(id) === kid ? id : null;
  };
}

/** Path parameter → number; 0, which no resource has, for anything that is not one. */
function idOf(text: string | undefined): number {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0;
}

function accountAnswer(account: Account, urls: AcmeUrls, status: number): Answer {
  return { status, body: accountWire(account, urls), headers: { location: urls.account(account.id) } };
}

function orderAnswer(snapshot: OrderSnapshot, urls: AcmeUrls, now: Instant, status: number): Answer {
  const processing = orderStatus(snapshot, now) === 'processing';
  return {
    status,
    body: orderWire(snapshot, urls, now),
    headers: { location: urls.order(snapshot.order.id), ...(processing && { 'retry-after': '1' }) },
  };
}

function authorizationAnswer(authorization: Authorization, urls: AcmeUrls, now: Instant): Answer {
  const looking = authorizationStatus(authorization, now) === 'pending' && authorization.attempt !== null;
  return {
    status: 200,
    body: authorizationWire(authorization, urls, now),
    ...(looking && { headers: { 'retry-after': '1' } }),
  };
}

function problemAnswer(problem: AcmeProblem): Answer {
  return {
    status: problemStatus(problem),
    body: problemDocument(problem),
    type: 'application/problem+json',
    headers: {
      ...(problem.location !== undefined && { location: problem.location }),
      ...(problem.retryAfterSeconds !== undefined && { 'retry-after': String(problem.retryAfterSeconds) }),
    },
  };
}

/** What the framework or a flow threw → a problem; causes of ours stay in the log, under the request's id. */
function problemOfFault(fault: Error & { statusCode?: number }, request: FastifyRequest): AcmeProblem {
  const status = fault.statusCode ?? 500;
  if (status === 415)
    return refused('malformed', `the content type of a request is ${JOSE_JSON} (RFC 8555 §6.2)`, { status }).problem;
  if (status === 413)
    return refused('malformed', `the body is larger than ${BODY_LIMIT_BYTES} bytes`, { status }).problem;
  if (status < 500) return refused('malformed', 'the request is not well formed', { status }).problem;
  request.log.error({ err: fault }, 'an ACME request failed');
  return refused('serverInternal', `the authority failed; its log has the cause under request ${request.id}`).problem;
}

/** Every answer: a fresh nonce also with errors (§6.5), the index link (§7.1), never cached. */
function send(ports: AcmeRoutePorts, request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply {
  const { provisioner = '' } = request.params as Partial<Params>;
  const directory = `${externalBase(request.headers.host, ports.own)}/acme/${encodeURIComponent(provisioner)}/directory`;
  return reply
    .code(answer.status)
    .headers({
      'replay-nonce': ports.issueNonce(),
      'cache-control': 'no-store',
      link: [`<${directory}>;rel="index"`, ...(answer.links ?? [])],
      ...answer.headers,
    })
    .type(answer.type ?? 'application/json')
    .send(answer.body);
}
