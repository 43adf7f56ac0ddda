/**
 * Grafana: a block at the end of grafana.ini, where a section may be taken up again and the last value wins. From 11 on
 * it looks every minute whether the pair has changed; before, a new pair takes a restart. Not packaged in Debian: from its
 * documentation and source, not run.
 */

import type { ServiceSpec } from '../stack/stack.ts';
import { reloadOf, restartOf } from './declared-action.ts';
import { DIRECTORY_SETTING, type PairPaths, pairLayout } from './pair-layout.ts';
import { type Action, type Facts, type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsOtherThan, firstOf, missingFile, requiredSetting } from './setting.ts';
import { oldestVersion, SUITES_12, tlsPolicy } from './tls-policy.ts';

export const grafana: ServiceKind = {
  name: 'grafana',
  settings: {
    config: { type: 'path', isOwn: true, required: true, description: 'grafana.ini.' },
    directory: DIRECTORY_SETTING,
  },
  protocol: 'https',
  users: ['grafana'],
  profile: () => 'server',

  facts: (service) => ({
    files: [requiredSetting(service, 'config')],
    version: ['/bin/sh', '-c', 'grafana server -v || grafana-server -v'],
  }),

  impossible: (service) =>
    firstOf(
      awkwardText(service, 'config', 'directory'),
      clientsOtherThan(service, ['none'], 'asks no client for a certificate; put nginx in front of it'),
    ),

  unsupported: (service, { files }) =>
    missingFile(files, requiredSetting(service, 'config'), 'is "config" grafana.ini?'),

  desired(service, facts) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config);
    const restart: Action = {
      kind: 'command',
      argv: ['systemctl', 'restart', 'grafana-server'],
      why: 'Grafana reads its configuration at a start',
    };
    const declared = restartOf(service, restart);
    return {
      install,
      configuration: [
        {
          kind: 'block',
          path: config,
          lines: serverLines(service, facts, paths),
          place: 'end',
          comment: '#',
          mode: 0o640,
          why: 'serves TLS with the installed pair',
        },
      ],
      check: null,
      reload: reloadOf(service, watchesPair(facts) ? null : declared),
      restart: declared,
      notes: watchesPair(facts) ? ['a new pair is served within a minute, without a reload'] : [],
    };
  },
};

function watchesPair({ version }: Facts): boolean {
  return versionAtLeast(version, '11');
}

function serverLines({ tls }: ServiceSpec, facts: Facts, { certificate, key }: PairPaths): string[] {
  const policy = tlsPolicy(tls);
  return [
    '[server]',
    'protocol = https',
    `cert_file = ${certificate}`,
    `cert_key = ${key}`,
    `min_tls_version = ${oldestVersion(policy).replace('v', '')}`,
    ...(policy.suites12.length > 0
      ? [`tls_ciphers = ${policy.suites12.map((suite) => SUITES_12[suite]).join(',')}`]
      : []),
    ...(watchesPair(facts) ? ['certs_watch_interval = 1m'] : []),
  ];
}
