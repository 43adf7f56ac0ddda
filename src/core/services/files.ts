/**
 * Any other program: certificate, key and bundle in fixed places with a given owner and mode, and a command that makes
 * the program read them. Each file is replaced by a rename, the key last; between the two renames a program that reads
 * live would see the new certificate with the old key, so one that does should be pointed at `directory`/current.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf } from './declared-action.ts';
import { ownerNotes } from './owner-note.ts';
import { DIRECTORY_SETTING, pairLayout } from './pair-layout.ts';
import type { Action, Objection, ServiceKind } from './service-kind.ts';
import { awkwardText, firstOf, requiredSetting, setting } from './setting.ts';
import { tlsPolicy } from './tls-policy.ts';

export const files: ServiceKind = {
  name: 'files',
  settings: {
    certificate: { type: 'path', isOwn: true, required: true, description: 'Gets the chain, leaf first.' },
    key: { type: 'path', isOwn: true, required: true, description: 'Gets the private key.' },
    ca: { type: 'path', required: false, description: 'Gets the roots that this service trusts.' },
    owner: { type: 'string', required: false, description: 'Owner of the files, user or user:group; else runAs.' },
    mode: { type: 'mode', required: false, description: 'Mode of the key; else 0600.' },
    check: { type: 'string', required: false, description: 'Shell command that must succeed before the reload.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'tls',
  users: [],
  profile: () => 'server',

  facts(service) {
    const owner = setting(service, 'owner');
    return { files: [], version: null, ...(owner !== null && { owner }) };
  },

  impossible: (service) =>
    firstOf(awkwardText(service, 'certificate', 'key', 'ca', 'directory', 'owner'), sameFile(service)),

  unsupported: () => null,

  desired(service, facts) {
    const certificate = requiredSetting(service, 'certificate');
    const ca = setting(service, 'ca');
    const mode = Number.parseInt(setting(service, 'mode') ?? '0600', 8);
    const check = setting(service, 'check');
    const { paths: _, ...install } = pairLayout(service, facts, certificate);
    const reload = reloadOf(service, restarted(service));
    return {
      install: {
        ...install,
        files: install.files.map((file) => (file.name === 'tls.key' ? { ...file, mode } : file)),
        copies: [
          ...(ca === null ? [] : [{ file: 'ca.crt', to: ca, mode: 0o644 }]),
          { file: 'tls.crt', to: certificate, mode: 0o644 },
          { file: 'tls.key', to: requiredSetting(service, 'key'), mode },
        ],
      },
      configuration: [],
      check: check === null ? null : { kind: 'shell', command: check, why: 'the stack file says so (check)' },
      reload,
      restart: null,
      byHand: {
        where: 'the configuration of the program itself',
        write: byHand(service, certificate),
      },
      notes: [
        ...ownerNotes(facts),
        ...(reload === null ? ['nothing makes the program read its new files: give "reload" a command'] : []),
        ...(service.clients.kind === 'none'
          ? []
          : ['whether clients are verified is for the program itself to say; verify looks whether it does']),
      ],
    };
  },
};

/** In plain words: how a program says it is its own. */
function byHand(service: ServiceSpec, certificate: string): string {
  const { versions, suites12 } = tlsPolicy(service.tls);
  const ca = setting(service, 'ca');
  return [
    `set: certificate ${certificate}, key ${requiredSetting(service, 'key')}`,
    `${versions.join(' and ')} alone`,
    ...(suites12.length > 0 ? [`the suites ${suites12.join(':')} for TLS 1.2`] : []),
    ...(service.clients.kind === 'none'
      ? []
      : [`client certificates verified against ${ca ?? 'the bundle that "ca" gives a place'}`]),
  ].join('; ');
}

function restarted({ restart }: ServiceSpec): Action | null {
  return restart === null ? null : { kind: 'shell', command: restart, why: 'the stack file says so (restart)' };
}

function sameFile(service: ServiceSpec): Objection | null {
  const places = new Map<string, string>();
  for (const key of ['certificate', 'key', 'ca']) {
    const place = setting(service, key);
    const other = place === null ? undefined : places.get(place);
    if (other !== undefined) return { key, why: `also the place of "${other}"; each needs a file of its own` };
    if (place !== null) places.set(place, key);
  }
  return null;
}
