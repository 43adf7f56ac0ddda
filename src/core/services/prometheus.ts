/** Prometheus: its own server side. What it scrapes over TLS is said in prometheus.yml, by its owner. */
import { reloadOf } from './declared-action.ts';
import { DIRECTORY_SETTING, pairLayout } from './pair-layout.ts';
import { noRevocation } from './revocation-lists.ts';
import { type ServiceKind, versionAtLeast } from './service-kind.ts';
import { awkwardText, clientsUnsupported, firstOf, requiredSetting } from './setting.ts';
import {
  ownServerConfig,
  restartAfterRemoval,
  restartFromPlaintext,
  WEB_CONFIG_SETTING,
  webConfigBlock,
} from './web-config.ts';

export const prometheus: ServiceKind = {
  name: 'prometheus',
  settings: { config: WEB_CONFIG_SETTING, directory: DIRECTORY_SETTING },
  protocol: 'https',
  users: ['prometheus'],
  profile: () => 'server',

  facts: (service) => ({ files: [requiredSetting(service, 'config')], version: ['prometheus', '--version'] }),

  impossible: (service) => awkwardText(service, 'config', 'directory'),

  unsupported: (service, facts) =>
    firstOf(
      ownServerConfig(service, facts, requiredSetting(service, 'config')),
      versionAtLeast(facts.version, '2.45')
        ? null
        : clientsUnsupported(service, ['none', 'optional', 'required'], 'looks at names only from 2.45 on'),
    ),

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config);
    return {
      install,
      configuration: [webConfigBlock(service, config, paths)],
      check: {
        kind: 'command',
        argv: ['promtool', 'check', 'web-config', config],
        why: 'promtool reads the file as Prometheus will',
      },
      reload: reloadOf(service, null),
      restart: restartFromPlaintext(service, facts, config, 'prometheus'),
      ...restartAfterRemoval(service, 'prometheus'),
      notes: noRevocation('Prometheus', trust),
    };
  },
};
