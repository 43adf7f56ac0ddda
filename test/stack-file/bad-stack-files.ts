/**
 * Stack files with something wrong, and exactly what is said and where: `LINE:COLUMN path: what → nearest`. Where the
 * JSON Schema cannot know (names of other sections, YAML itself), `schema` says so.
 */
export interface BadStackFile {
  readonly title: string;
  readonly text: string;
  readonly problems: readonly string[];
  /** "refuses" unless said otherwise; "cannot see": the text is no YAML that an editor would hand to a schema. */
  readonly schema?: 'accepts' | 'cannot see';
}

/** Seven good lines; what is added to the service begins on line 8. */
const SITE = `stack: shop
services:
  site:
    kind: nginx
    names: [shop.test]
    address: 127.0.0.1:443
    config: /etc/nginx/conf.d
`;
const service = (lines: string): string => `${SITE}${lines.replace(/^/gm, '    ')}\n`;
/** Instead of the good lines of the service that begin with the same key. */
const instead = (line: string): string =>
  SITE.replace(new RegExp(`^    ${line.split(':', 1)[0]}:.*$`, 'm'), `    ${line}`);
const top = (lines: string): string => `${SITE}${lines}\n`;
/** An issuer called "public"; its keys begin on line 10. */
const issuer = (lines: string): string => top(`issuers:\n  public:\n${lines.replace(/^/gm, '    ')}`);
const ACME = 'acme: letsencrypt\nchallenge: { http-01: { webroot: /var/www } }\n';
const files = (lines: string): string =>
  `stack: shop\nservices:\n  app:\n    kind: files\n    names: [a.test]\n    certificate: /a.crt\n${lines.replace(/^/gm, '    ')}\n`;
const FINGERPRINT = 'ab'.repeat(32);

const NOT_YAML: readonly BadStackFile[] = [
  { title: 'an empty file', text: '', problems: ['1:1 the file is empty'] },
  { title: 'comments only', text: '# stack: shop\n', problems: ['1:1 the file is empty'] },
  {
    title: 'a tab in the indentation',
    text: 'stack: shop\nservices:\n\tsite: {}\n',
    problems: ['3:1 a tab in the indentation; YAML wants spaces'],
  },
  {
    title: 'a quote that is not closed',
    text: 'stack: "shop\nservices: {}\n',
    problems: ['1:8 this " is never closed'],
  },
  {
    title: 'a bracket that is not closed',
    text: `${SITE}    clients: { required: [a, b }\n`,
    problems: ['8:26 this [ is never closed'],
  },
  {
    title: 'a second ": " on a line',
    text: instead('names: shop.test: yes'),
    problems: ['5:12 a second ":" on the line, or keys below a value; check quotes and indentation'],
  },
  {
    title: 'indentation that does not fit',
    text: `${SITE}   tls: modern\n`,
    problems: ['8:1 the indentation does not fit, or a bracket is not closed'],
  },
  {
    title: 'a value that begins with @',
    text: instead('config: @etc'),
    problems: ['7:13 no value begins with this character; put the value in quotes'],
  },
  {
    title: 'an unknown escape',
    text: instead('config: "C:\\quux"'),
    problems: ['7:16 unknown escape in double quotes; between single quotes a backslash is only itself'],
  },
  {
    title: 'a key without a colon',
    text: `${SITE}clients\n`,
    problems: ['8:1 something is missing here, most likely the ":" behind a key'],
  },
  {
    title: 'two documents',
    text: `${SITE}---\n${SITE}`,
    problems: ['8:1 a second document begins here; a stack file has one'],
  },
  {
    title: 'an unknown directive',
    text: `%YAMELOT\n---\n${SITE}`,
    problems: ['1:1 directives are not used in a stack file'],
  },
  {
    title: 'a directive for tags',
    text: `%TAG !t! tag:t,2025:\n---\n${SITE}`,
    problems: ['1:1 directives are not used in a stack file'],
  },
  { title: 'a directive', text: `%YAML 1.1\n---\n${SITE}`, problems: ['1:1 directives are not used in a stack file'] },
  { title: 'brackets in brackets without end', text: '['.repeat(5000), problems: ['1:1 nested too deeply'] },
  { title: 'more than 1 MiB', text: `${SITE}#${'x'.repeat(1 << 20)}`, problems: ['1:1 the file is larger than 1 MiB'] },
].map((row) => ({ ...row, schema: 'cannot see' }));

const YAML_BEYOND: readonly BadStackFile[] = [
  {
    title: 'a key twice',
    text: service('config: /etc/nginx'),
    problems: ['8:5 services.site.config: this key was there before'],
    schema: 'cannot see',
  },
  {
    title: 'a service twice',
    text: `${SITE}  site:\n    kind: nginx\n`,
    problems: ['8:3 services.site: this key was there before'],
    schema: 'cannot see',
  },
  {
    title: 'a tag',
    text: instead('config: !!str /etc'),
    problems: ['7:19 services.site.config: tags are not used in a stack file'],
    schema: 'accepts',
  },
  {
    title: 'an unknown tag on a section',
    text: top('defaults: !include other.yaml'),
    problems: ['8:20 defaults: tags are not used in a stack file'],
    schema: 'cannot see',
  },
  {
    title: 'a merge',
    text: service('<<: { tls: modern }'),
    problems: ['8:5 services.site: "<<" merges are not known here; defaults, or an alias for a whole value, are'],
  },
  {
    title: 'a number as a key',
    text: top('clients:\n  1: {}'),
    problems: ['9:3 clients: a key must be text; put it in quotes'],
  },
  {
    title: 'a list as a key',
    text: top('? [a]\n: b'),
    problems: ['8:3 a key must be text; put it in quotes'],
    schema: 'cannot see',
  },
  {
    title: 'an alias without an anchor',
    text: instead('names: *all'),
    problems: [
      '5:12 services.site.names: this alias names no anchor above it; for a text that begins with *, use quotes',
    ],
    schema: 'cannot see',
  },
  {
    title: 'an alias inside of its anchor',
    text: instead('names: &all [*all]'),
    problems: [
      '5:18 services.site.names[0]: this alias is inside of what it names; for a text that begins with *, use quotes',
    ],
    schema: 'cannot see',
  },
  {
    title: 'a hundred and one aliases',
    text: `${instead('names: &all [a.test]')}clients: [${Array.from({ length: 101 }, () => '*all').join(', ')}]\n`,
    problems: ['8:611 clients[100]: more than 100 aliases'],
    schema: 'cannot see',
  },
  {
    title: 'aliases of aliases that expand to billions',
    text: `a: &a [${'x,'.repeat(50)}]\n${['b', 'c', 'd', 'e', 'f']
      .map((name, index) => `${name}: &${name} [${`*${'abcde'[index]},`.repeat(15)}]\n`)
      .join('')}`,
    problems: ['4:29 d[7]: more than 100000 values, aliases counted'],
    schema: 'cannot see',
  },
  {
    title: 'levels without end',
    text: `stack: ${'['.repeat(30)}${']'.repeat(30)}\n`,
    problems: [
      '1:1 "services" is missing: services by name',
      '1:8 stack: wanted a name of letters, digits, "-" and "_", found a list',
      '1:27 nested too deeply',
    ],
  },
];

const SHAPE: readonly BadStackFile[] = [
  {
    title: 'a list instead of sections',
    text: '- stack: shop\n',
    problems: ['1:1 wanted a stack file: stack, services and more, found a list'],
  },
  {
    title: 'text instead of sections',
    text: 'shop\n',
    problems: ['1:1 wanted a stack file: stack, services and more, found text'],
  },
  {
    title: 'no section at all',
    text: '{}\n',
    problems: [
      '1:1 "stack" is missing: a name of letters, digits, "-" and "_"',
      '1:1 "services" is missing: services by name',
    ],
  },
  { title: 'no services', text: 'stack: shop\n', problems: ['1:1 "services" is missing: services by name'] },
  {
    title: 'services without any',
    text: 'stack: shop\nservices: {}\n',
    problems: ['2:11 services: wanted services by name, found none'],
  },
  {
    title: 'services left empty',
    text: 'stack: shop\nservices:\n',
    problems: ['2:1 services: wanted services by name, found nothing'],
  },
  {
    title: 'a list of services',
    text: 'stack: shop\nservices:\n  - site\n',
    problems: ['2:1 services: wanted services by name, found a list'],
  },
  {
    title: 'a section misspelt',
    text: SITE.replace('services', 'service'),
    problems: ['2:1 service: unknown key → services'],
  },
  {
    title: 'a key misspelt',
    text: instead('address: 127.0.0.1:443').replace('address', 'adress'),
    problems: ['6:5 services.site.adress: unknown key → address'],
  },
  {
    title: 'a key in another case',
    text: service('redirect_http: 80'),
    problems: ['8:5 services.site.redirect_http: unknown key → redirectHttp'],
  },
  {
    title: 'a key of another kind',
    text: service('data: /var/lib'),
    problems: ['8:5 services.site.data: not a key of kind nginx, but of postgresql'],
  },
  {
    title: 'a key that is near to nothing',
    text: service('password: hunter2'),
    problems: [
      '8:5 services.site.password: unknown key; known here: kind, names, address, issuer, lifetime, key, tls, clients, reload, restart, runAs, config, upstream, redirectHttp',
    ],
  },
  {
    title: 'a key with a space and a quote',
    text: service('"a b\\"": 1'),
    problems: [
      '8:5 services.site["a b\\""]: unknown key; known here: kind, names, address, issuer, lifetime, key, tls, clients, reload, restart, runAs, config, upstream, redirectHttp',
    ],
  },
  {
    title: 'no kind',
    text: SITE.replace('    kind: nginx\n', ''),
    problems: [
      '3:3 services.site: "kind" is missing: nginx, postgresql, mysql, redis, caddy, haproxy, prometheus, grafana, node-exporter, postfix, dovecot or files',
    ],
  },
  {
    title: 'a kind misspelt',
    text: instead('kind: postgres'),
    problems: [
      '4:11 services.site.kind: "postgres" is none of nginx, postgresql, mysql, redis, caddy, haproxy, prometheus, grafana, node-exporter, postfix, dovecot, files → postgresql',
    ],
  },
  {
    title: 'a kind that nobody knows',
    text: instead('kind: oracle'),
    problems: [
      '4:11 services.site.kind: "oracle" is none of nginx, postgresql, mysql, redis, caddy, haproxy, prometheus, grafana, node-exporter, postfix, dovecot, files',
    ],
  },
  {
    title: 'no names',
    text: SITE.replace(/ {4}names.*\n/, ''),
    problems: ['3:3 services.site: "names" is missing: a list of DNS names and IP addresses'],
  },
  {
    title: 'no address',
    text: SITE.replace(/ {4}address.*\n/, ''),
    problems: [
      '3:3 services.site: "address" is missing: an address as host:port, such as 127.0.0.1:5432 or [::1]:5432',
    ],
  },
  {
    title: 'a key of the kind is missing',
    text: SITE.replace(/ {4}config.*\n/, ''),
    problems: ['3:3 services.site: "config" is missing: a path'],
  },
  {
    title: 'the stack has no name',
    text: SITE.replace('shop', ''),
    problems: ['1:1 stack: wanted a name of letters, digits, "-" and "_", found nothing'],
  },
  {
    title: 'a stack name with a space',
    text: SITE.replace('shop', 'my shop'),
    problems: ['1:8 stack: "my shop" is no name; names have letters, digits, "-" and "_", up to 63'],
  },
  {
    title: 'a service name with a slash',
    text: SITE.replace('  site:', '  ../site:'),
    problems: ['3:3 services["../site"]: "../site" is no name; names have letters, digits, "-" and "_", up to 63'],
  },
  {
    title: 'a number where text belongs',
    text: instead('config: 7'),
    problems: ['7:13 services.site.config: wanted a path, found a number; quotes make it text'],
  },
  {
    title: 'true where text belongs',
    text: service('reload: true'),
    problems: [
      '8:13 services.site.reload: wanted a shell command such as "systemctl reload app", found true or false; quotes make it text',
    ],
  },
  {
    title: 'empty text',
    text: service("reload: ''"),
    problems: ['8:13 services.site.reload: wanted a shell command such as "systemctl reload app", found empty text'],
  },
  {
    title: 'several lines of text',
    text: service('reload: |\n  nginx -t\n  nginx -s reload'),
    problems: ['8:13 services.site.reload: wanted one line of text; here is a line break, or something unprintable'],
    schema: 'accepts',
  },
];

const VALUES: readonly BadStackFile[] = [
  {
    title: 'names as text',
    text: instead('names: shop.test'),
    problems: ['5:12 services.site.names: wanted a list of DNS names and IP addresses, found text'],
  },
  {
    title: 'an empty list of names',
    text: instead('names: []'),
    problems: ['5:12 services.site.names: wanted a list of DNS names and IP addresses, found an empty list'],
  },
  {
    title: 'an empty item',
    text: instead('names: [shop.test, ]').replace(', ]', ', ~]'),
    problems: ['5:24 services.site.names[1]: wanted a DNS name or an IP address, found nothing'],
  },
  {
    title: 'an underscore in a name',
    text: instead('names: [shop.test, shop_db]'),
    problems: ['5:24 services.site.names[1]: "shop_db" has an underscore, which no DNS name in a certificate may have'],
  },
  {
    title: 'a name with a port',
    text: instead('names: ["shop.test:443"]'),
    problems: ['5:13 services.site.names[0]: "shop.test:443" has a port; names are without → shop.test'],
  },
  {
    title: 'a name that ends with a dot',
    text: instead('names: [shop.test.]'),
    problems: ['5:13 services.site.names[0]: "shop.test." ends with a dot; leave the dot out'],
  },
  {
    title: 'a name twice',
    text: instead('names: [shop.test, www.shop.test, SHOP.test]'),
    problems: ['5:39 services.site.names[2]: the same as item 1 of this list'],
    schema: 'accepts',
  },
  {
    title: 'a web address as a name',
    text: instead('names: ["https://shop.test"]'),
    problems: ['5:13 services.site.names[0]: "https://shop.test" is a web address; write its name alone'],
    schema: 'accepts',
  },
  {
    title: 'an e-mail address as the name of a server',
    text: instead('names: [a@shop.test]'),
    problems: ['5:13 services.site.names[0]: "a@shop.test" is an e-mail address; wanted a DNS name or an IP address'],
  },
  {
    title: 'a number as a name',
    text: instead('names: [10]'),
    problems: ['5:13 services.site.names[0]: wanted a DNS name or an IP address, found a number; quotes make it text'],
  },
  {
    title: 'an IPv4 address that is none',
    text: instead('names: [127.0.0.256]'),
    problems: ['5:13 services.site.names[0]: "127.0.0.256" is neither a DNS name nor an IP address'],
    schema: 'accepts',
  },
  {
    title: 'a lifetime without a unit',
    text: service('lifetime: 24'),
    problems: ['8:15 services.site.lifetime: a duration needs a unit, such as 24h, 90d or 1h30m'],
  },
  {
    title: 'a lifetime in words',
    text: service('lifetime: 24 hours'),
    problems: ['8:15 services.site.lifetime: "24 hours" is no duration; write 24h, 90d or 1h30m'],
  },
  {
    title: 'a lifetime of nothing',
    text: service('lifetime: 0h'),
    problems: ['8:15 services.site.lifetime: "0h" is no duration; write 24h, 90d or 1h30m'],
    schema: 'accepts',
  },
  {
    title: 'a key kind misspelt',
    text: service('key: ecdsa-p265'),
    problems: [
      '8:10 services.site.key: "ecdsa-p265" is none of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-4096, ed25519 → ecdsa-p256',
    ],
  },
  {
    title: 'a key kind that stacks do not have',
    text: service('key: ml-dsa-65'),
    problems: ['8:10 services.site.key: "ml-dsa-65" is none of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-4096, ed25519'],
  },
  {
    title: 'a policy misspelt',
    text: service('tls: intermediat'),
    problems: ['8:10 services.site.tls: "intermediat" is none of modern, intermediate → intermediate'],
  },
  {
    title: 'an issuer that is not there',
    text: service('issuer: publik'),
    problems: ['8:13 services.site.issuer: no issuer is called "publik"; there is internal'],
    schema: 'accepts',
  },
  {
    title: 'a user that is none',
    text: service('runAs: "www data"'),
    problems: ['8:12 services.site.runAs: "www data" is no name of a user'],
  },
  {
    title: 'an address without a host',
    text: instead('address: ":443"'),
    problems: ['6:14 services.site.address: ":443" has no host: say where a client connects to → 127.0.0.1:443'],
  },
  {
    title: 'an address without a port',
    text: instead('address: localhost'),
    problems: ['6:14 services.site.address: "localhost" has no port; write host:port'],
  },
  {
    title: 'an address that is a port',
    text: instead('address: 443'),
    problems: ['6:14 services.site.address: an address needs a host and a port, such as 127.0.0.1:5432'],
  },
  {
    title: 'an IPv6 address without brackets',
    text: instead('address: "::1:443"'),
    problems: ['6:14 services.site.address: "::1:443": an IPv6 address stands in brackets, as in [::1]:443'],
  },
  {
    title: 'a port too large',
    text: instead('address: localhost:65536'),
    problems: ['6:14 services.site.address: 65536 is no port number; they go from 1 to 65535'],
    schema: 'accepts',
  },
  {
    title: 'port 0',
    text: instead('address: localhost:0'),
    problems: ['6:14 services.site.address: 0 is no port number; they go from 1 to 65535'],
    schema: 'accepts',
  },
  {
    title: 'every address of a host',
    text: instead('address: 0.0.0.0:443'),
    problems: [
      '6:14 services.site.address: "0.0.0.0:443" means every address of a host; say one that a client connects to → 127.0.0.1:443',
    ],
    schema: 'accepts',
  },
  {
    title: 'a URL as an address',
    text: instead('address: https://shop.test:443/'),
    problems: ['6:14 services.site.address: an address is host:port, without a scheme or a path → shop.test:443'],
  },
  {
    title: 'brackets around a name',
    text: instead('address: "[localhost]:443"'),
    problems: ['6:14 services.site.address: brackets are for IPv6 addresses, and "localhost" is none'],
  },
  {
    title: 'a wildcard as an address',
    text: instead('address: "*.shop.test:443"'),
    problems: ['6:14 services.site.address: "*.shop.test" is neither a DNS name nor an IP address'],
  },
  {
    title: 'a port in quotes',
    text: service('redirectHttp: "80"'),
    problems: ['8:19 services.site.redirectHttp: wanted a port number without quotes'],
  },
  {
    title: 'a port out of range',
    text: service('redirectHttp: 70000'),
    problems: ['8:19 services.site.redirectHttp: 70000 is no port number; they go from 1 to 65535'],
  },
  {
    title: 'an upstream without a scheme',
    text: service('upstream: 127.0.0.1:8080'),
    problems: ['8:15 services.site.upstream: "127.0.0.1:8080" is not an http:// or https:// address'],
  },
  {
    title: 'an upstream with a password',
    text: service('upstream: http://me:hunter2@127.0.0.1'),
    problems: ['8:15 services.site.upstream: no user and no password in an address: this file is no place for secrets'],
  },
  {
    title: 'a path from the home directory',
    text: instead('config: ~/nginx'),
    problems: [
      '7:13 services.site.config: a path here begins with "/", or at the directory of this file; "~" is only known to shells',
    ],
  },
  {
    title: 'client policy as true',
    text: service('clients: true'),
    problems: [
      '8:14 services.site.clients: wanted none, optional, required, or { required: [NAME, …] }, found true or false; quotes make it text',
    ],
  },
  {
    title: 'client policy misspelt',
    text: service('clients: requierd'),
    problems: ['8:14 services.site.clients: "requierd" is none of none, optional, required → required'],
  },
  {
    title: 'client policy as a list',
    text: service('clients: [alice]'),
    problems: ['8:14 services.site.clients: a list alone is not enough: write { required: [NAME, …] }'],
  },
  {
    title: 'client policy with another key',
    text: service('clients: { require: [alice] }'),
    problems: ['8:16 services.site.clients.require: unknown key → required'],
  },
  {
    title: 'client policy that names nobody',
    text: service('clients: { required: [] }'),
    problems: ['8:26 services.site.clients.required: wanted a list of clients or users, found an empty list'],
  },
  {
    title: 'a client name with a quote',
    text: service(`clients: { required: ["o'hara"] }`),
    problems: [
      '8:27 services.site.clients.required[0]: "o\'hara" is no name of a client; letters, digits and _ . @ : / - are allowed',
    ],
  },
  {
    title: 'a mode without quotes',
    text: files('key: /a.key\nmode: 0640'),
    problems: ['8:11 services.app.mode: a file mode needs quotes, as in "0640"; without them it is another number'],
  },
  {
    title: 'a mode in letters',
    text: files('key: /a.key\nmode: u=rw'),
    problems: ['8:11 services.app.mode: "u=rw" is no file mode; write three octal digits after a 0, such as "0640"'],
  },
  {
    title: 'a mode of too many digits',
    text: files('key: /a.key\nmode: "100640"'),
    problems: ['8:11 services.app.mode: "100640" is no file mode; write three octal digits after a 0, such as "0640"'],
  },
  {
    title: 'the kind of key where its path belongs',
    text: files('key: ecdsa-p384'),
    problems: [
      '7:10 services.app.key: here "key" is the path of the key file; the kind of key comes from defaults.key',
    ],
    schema: 'accepts',
  },
];

const SECTIONS: readonly BadStackFile[] = [
  {
    title: 'an authority without a fingerprint',
    text: top('authority:\n  url: https://ca.test\n  tokenFile: t'),
    problems: [
      '8:1 authority: "fingerprint" is missing: the SHA-256 of the root in hex, as "fullchain ca status" prints it',
    ],
  },
  {
    title: 'an authority by plain HTTP',
    text: top(`authority:\n  url: http://ca.test\n  fingerprint: ${FINGERPRINT}\n  tokenFile: t`),
    problems: ['9:8 authority.url: "http://ca.test" is not an https:// address'],
  },
  {
    title: 'a fingerprint too short',
    text: top('authority:\n  url: https://ca.test\n  fingerprint: abcdef\n  tokenFile: t'),
    problems: ['10:16 authority.fingerprint: a fingerprint has 64 hex digits (SHA-256), this one 6'],
  },
  {
    title: 'a fingerprint of digits without quotes',
    text: top(`authority:\n  url: https://ca.test\n  fingerprint: ${'12'.repeat(32)}\n  tokenFile: t`),
    problems: [
      '10:16 authority.fingerprint: wanted the SHA-256 of the root in hex, as "fullchain ca status" prints it, found a number; quotes make it text',
    ],
  },
  {
    title: 'an authority and no way in',
    text: top(`authority:\n  url: https://ca.test\n  fingerprint: ${FINGERPRINT}`),
    problems: [
      '8:1 authority: nothing is said of "tokenFile" or "provisioner" with "passwordFile"; one of them must be',
    ],
  },
  {
    title: 'two ways in',
    text: top(
      `authority:\n  url: https://ca.test\n  fingerprint: ${FINGERPRINT}\n  tokenFile: t\n  provisioner: admin`,
    ),
    problems: ['12:3 authority.provisioner: cannot stand beside "tokenFile"; choose one of them'],
  },
  {
    title: 'half a way in',
    text: top(`authority:\n  url: https://ca.test\n  fingerprint: ${FINGERPRINT}\n  provisioner: admin`),
    problems: ['8:1 authority: "passwordFile" is missing; it goes with "provisioner"'],
  },
  {
    title: 'a token where its file belongs',
    text: top(
      `authority:\n  url: https://ca.test\n  fingerprint: ${FINGERPRINT}\n  tokenFile: eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln`,
    ),
    problems: ['11:14 authority.tokenFile: this is the secret itself; wanted the path of a file that holds it'],
    schema: 'accepts',
  },
  {
    title: 'a password that is a number',
    text: top(
      `authority:\n  url: https://ca.test\n  fingerprint: ${FINGERPRINT}\n  provisioner: admin\n  passwordFile: 20251125`,
    ),
    problems: [
      '12:17 authority.passwordFile: wanted the path of a file that holds the secret, never the secret itself, found a number; quotes make it text',
    ],
  },
  {
    title: 'an issuer without a directory',
    text: issuer('challenge: { http-01: { webroot: /var/www } }'),
    problems: [
      '9:3 issuers.public: "acme" is missing: letsencrypt, letsencrypt-staging, or the https:// address of an ACME directory',
    ],
  },
  {
    title: 'an issuer without a challenge',
    text: issuer('acme: letsencrypt'),
    problems: ['9:3 issuers.public: "challenge" is missing: a challenge: http-01 or dns-01'],
  },
  {
    title: 'an issuer misspelt',
    text: issuer('acme: lets-encrypt-stagin\nchallenge: { http-01: { webroot: /var/www } }'),
    problems: [
      '10:11 issuers.public.acme: "lets-encrypt-stagin" is not letsencrypt, letsencrypt-staging, or the https:// address of an ACME directory → letsencrypt-staging',
    ],
  },
  {
    title: 'an ACME directory by plain HTTP',
    text: issuer('acme: http://ca.test/directory\nchallenge: { http-01: { webroot: /var/www } }'),
    problems: ['10:11 issuers.public.acme: "http://ca.test/directory" is not an https:// address'],
  },
  {
    title: 'a root for a public issuer',
    text: issuer(`${ACME}caFile: root.crt`),
    problems: ['12:5 issuers.public.caFile: only for a private ACME server; this one is trusted by the public store'],
    schema: 'accepts',
  },
  {
    title: 'a contact with mailto:',
    text: issuer(`${ACME}contact: mailto:ops@shop.test`),
    problems: ['12:14 issuers.public.contact: write the e-mail address without "mailto:" → ops@shop.test'],
  },
  {
    title: 'a contact that is a name',
    text: issuer(`${ACME}contact: ops`),
    problems: ['12:14 issuers.public.contact: "ops" is no e-mail address'],
  },
  {
    title: 'an unknown fallback',
    text: issuer(`${ACME}fallback: [publi]`),
    problems: ['12:16 issuers.public.fallback[0]: no issuer is called "publi" → public'],
    schema: 'accepts',
  },
  {
    title: 'itself as a fallback',
    text: issuer(`${ACME}fallback: [public]`),
    problems: ['12:16 issuers.public.fallback[0]: this is the issuer itself'],
    schema: 'accepts',
  },
  {
    title: 'an issuer called internal',
    text: issuer(ACME.trimEnd()).replace('public', 'internal'),
    problems: ['9:3 issuers.internal: "internal" is the authority itself; choose another name'],
  },
  {
    title: 'no challenge in the challenge',
    text: issuer('acme: letsencrypt\nchallenge: {}'),
    problems: ['11:5 issuers.public.challenge: nothing is said of "http-01" or "dns-01"; one of them must be'],
  },
  {
    title: 'two challenges',
    text: issuer('acme: letsencrypt\nchallenge: { http-01: { webroot: /w }, dns-01: { exec: /d } }'),
    problems: ['11:44 issuers.public.challenge.dns-01: cannot stand beside "http-01"; choose one of them'],
  },
  {
    title: 'an unknown challenge',
    text: issuer('acme: letsencrypt\nchallenge: { http01: { webroot: /w } }'),
    problems: ['11:18 issuers.public.challenge.http01: unknown key → http-01'],
  },
  {
    title: 'tls-alpn-01',
    text: issuer('acme: letsencrypt\nchallenge: { tls-alpn-01: {} }'),
    problems: ['11:18 issuers.public.challenge.tls-alpn-01: tls-alpn-01 is not supported yet; http-01 and dns-01 are'],
  },
  {
    title: 'http-01 with neither way',
    text: issuer('acme: letsencrypt\nchallenge: { http-01: {} }'),
    problems: ['11:18 issuers.public.challenge.http-01: nothing is said of "webroot" or "listen"; one of them must be'],
  },
  {
    title: 'http-01 with both ways',
    text: issuer('acme: letsencrypt\nchallenge: { http-01: { webroot: /w, listen: ":80" } }'),
    problems: ['11:42 issuers.public.challenge.http-01.listen: cannot stand beside "webroot"; choose one of them'],
  },
  {
    title: 'http-01 listening on a number',
    text: issuer('acme: letsencrypt\nchallenge: { http-01: { listen: 80 } }'),
    problems: ['11:37 issuers.public.challenge.http-01.listen: a port to listen on is text with a colon, as in ":80"'],
  },
  {
    title: 'http-01 listening on words',
    text: issuer('acme: letsencrypt\nchallenge: { http-01: { listen: "port 80" } }'),
    problems: [
      '11:37 issuers.public.challenge.http-01.listen: "port 80" is no place to listen; write ":80" or "127.0.0.1:8080"',
    ],
  },
  {
    title: 'dns-01 by rfc2136, the half of it',
    text: issuer('acme: letsencrypt\nchallenge: { dns-01: { rfc2136: { server: 127.0.0.1:53, zone: shop.test } } }'),
    problems: [
      '11:28 issuers.public.challenge.dns-01.rfc2136: "keyName" is missing: a name in DNS, such as example.test',
      '11:28 issuers.public.challenge.dns-01.rfc2136: "secretFile" is missing: the path of a file that holds the secret, never the secret itself',
    ],
  },
  {
    title: 'dns-01 by rfc2136 without a port, with a wildcard for a zone, with a list for a file',
    text: issuer(
      'acme: letsencrypt\nchallenge: { dns-01: { rfc2136: { server: ns.shop.test, zone: "*.shop.test", keyName: a b, secretFile: [x] } } }',
    ),
    problems: [
      '11:47 issuers.public.challenge.dns-01.rfc2136.server: "ns.shop.test" has no port; write host:port',
      '11:67 issuers.public.challenge.dns-01.rfc2136.zone: "*.shop.test" is no name in DNS',
      '11:91 issuers.public.challenge.dns-01.rfc2136.keyName: "a b" is no name in DNS',
      '11:108 issuers.public.challenge.dns-01.rfc2136.secretFile: wanted the path of a file that holds the secret, never the secret itself, found a list',
    ],
  },
  {
    title: 'dns-01 by rfc2136 with the secret in place of its file',
    text: issuer(
      'acme: letsencrypt\nchallenge: { dns-01: { rfc2136: { server: "[::1]:53", zone: shop.test, keyName: acme, secretFile: c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U= } } }',
    ),
    problems: [
      '11:103 issuers.public.challenge.dns-01.rfc2136.secretFile: this is the secret itself; wanted the path of a file that holds it',
    ],
    schema: 'accepts',
  },
  {
    title: 'dns-01 by two ways',
    text: issuer('acme: letsencrypt\nchallenge: { dns-01: { exec: hook, httpreq: https://dns.test } }'),
    problems: ['11:40 issuers.public.challenge.dns-01.httpreq: cannot stand beside "exec"; choose one of them'],
  },
  {
    title: 'dns-01 by acme.sh',
    text: issuer('acme: letsencrypt\nchallenge: { dns-01: { acmesh: dns_cf } }'),
    problems: [
      '11:28 issuers.public.challenge.dns-01.acmesh: acmesh is not supported yet; its scripts can be called by "exec", a program of yours',
    ],
  },
  {
    title: 'dns-01 by httpreq with a password in the address',
    text: issuer('acme: letsencrypt\nchallenge: { dns-01: { httpreq: https://me:secret@dns.test } }'),
    problems: [
      '11:37 issuers.public.challenge.dns-01.httpreq: no user and no password in an address: this file is no place for secrets',
    ],
  },
  {
    title: 'dns-01 by nothing',
    text: issuer('acme: letsencrypt\nchallenge: { dns-01: {} }'),
    problems: [
      '11:18 issuers.public.challenge.dns-01: nothing is said of "rfc2136" or "exec" or "httpreq"; one of them must be',
    ],
  },
  {
    title: 'defaults with a key of services',
    text: top('defaults:\n  clients: none'),
    problems: ['9:3 defaults.clients: unknown key; known here: issuer, lifetime, key, tls'],
  },
  {
    title: 'a default issuer that is not there',
    text: top('defaults:\n  issuer: external'),
    problems: ['9:11 defaults.issuer: no issuer is called "external" → internal'],
    schema: 'accepts',
  },
  {
    title: 'defaults left empty',
    text: top('defaults:'),
    problems: ['8:1 defaults: wanted keys such as "lifetime: 24h", found nothing'],
  },
  {
    title: 'a client of a service that is not there',
    text: top('clients:\n  app:\n    connects: [sit]\n    names: [app]\n    directory: tls'),
    problems: ['10:16 clients.app.connects[0]: no service is called "sit" → site'],
    schema: 'accepts',
  },
  {
    title: 'a client of nobody',
    text: top('clients:\n  app:\n    connects: []\n    names: [app]\n    directory: tls'),
    problems: ['10:15 clients.app.connects: wanted a list of services of this file, found an empty list'],
  },
  {
    title: 'a client without a directory',
    text: top('clients:\n  app:\n    connects: [site]\n    names: [app]'),
    problems: ['9:3 clients.app: "directory" is missing: the path of a directory'],
  },
  {
    title: 'an owner of three parts',
    text: top('clients:\n  app:\n    connects: [site]\n    names: [app]\n    directory: tls\n    owner: a:b:c'),
    problems: ['13:12 clients.app.owner: "a:b:c" is no owner; write user or user:group'],
  },
  {
    title: 'two clients, one directory',
    text: top(
      'clients:\n  app:\n    connects: [site]\n    names: [app]\n    directory: tls\n  web:\n    connects: [site]\n    names: [web]\n    directory: ./tls/',
    ),
    problems: ['16:16 clients.web.directory: also the directory of clients.app; each needs its own'],
    schema: 'accepts',
  },
  {
    title: 'a wildcard by http-01',
    text: `${instead('names: [shop.test, "*.shop.test"]')}    issuer: public\nissuers:\n  public:\n${ACME.replace(/^(?=.)/gm, '    ')}`,
    problems: ['5:24 services.site.names[1]: issuer public cannot certify *.shop.test: a wildcard needs dns-01'],
    schema: 'accepts',
  },
  {
    title: 'an IP address by dns-01, of a fallback',
    text: `${instead('names: [127.0.0.1]')}    issuer: public\nissuers:\n  public:\n${ACME.replace(/^(?=.)/gm, '    ')}    fallback: [other]\n  other:\n    acme: https://ca.test/directory\n    challenge: { dns-01: { exec: hook } }\n`,
    problems: ['5:13 services.site.names[0]: issuer other cannot certify 127.0.0.1: an IP address needs http-01'],
    schema: 'accepts',
  },
  {
    title: 'a URI by ACME, as by default',
    text: `${instead('names: ["spiffe://shop.test/site"]')}defaults:\n  issuer: public\nissuers:\n  public:\n${ACME.replace(/^(?=.)/gm, '    ')}`,
    problems: [
      '5:13 services.site.names[0]: issuer public cannot certify spiffe://shop.test/site: ACME is for DNS names and IP addresses',
    ],
    schema: 'accepts',
  },
];

const SEVERAL: readonly BadStackFile[] = [
  {
    title: 'everything at once',
    text: `stak: shop
issuers:
  public:
    acme: letsencript
    challenge: { http-01: { webrot: /var/www } }
services:
  site:
    kind: nginx
    issuer: publik
    names: [shop_test, "*.shop.test"]
    address: :443
    config: /etc/nginx
    lifetme: 24h
clients:
  app:
    connects: [site, database]
    names: [app]
`,
    problems: [
      '1:1 stak: unknown key → stack',
      '4:11 issuers.public.acme: "letsencript" is not letsencrypt, letsencrypt-staging, or the https:// address of an ACME directory → letsencrypt',
      '5:29 issuers.public.challenge.http-01.webrot: unknown key → webroot',
      '9:13 services.site.issuer: no issuer is called "publik" → public',
      '10:13 services.site.names[0]: "shop_test" has an underscore, which no DNS name in a certificate may have',
      '11:14 services.site.address: ":443" has no host: say where a client connects to → 127.0.0.1:443',
      '13:5 services.site.lifetme: unknown key → lifetime',
      '15:3 clients.app: "directory" is missing: the path of a directory',
      '16:22 clients.app.connects[1]: no service is called "database"; there is site',
    ],
  },
];

export const BAD_STACK_FILES: readonly BadStackFile[] = [
  ...NOT_YAML,
  ...YAML_BEYOND,
  ...SHAPE,
  ...VALUES,
  ...SECTIONS,
  ...SEVERAL,
];
