/** node_exporter, and any other program with the exporter toolkit: give `restart` its command. */
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

export const nodeExporter: ServiceKind = {
  name: 'node-exporter',
  settings: { config: WEB_CONFIG_SETTING, directory: DIRECTORY_SETTING },
  protocol: 'https',
  users: ['node_exporter', 'node-exp', 'prometheus'],
  profile: () => 'server',

  facts: (service) => ({
    files: [requiredSetting(service, 'config')],
    version: ['/bin/sh', '-c', 'node_exporter --version || prometheus-node-exporter --version'],
  }),

  impossible: (service) => awkwardText(service, 'config', 'directory'),

  unsupported: (service, facts) =>
    firstOf(
      ownServerConfig(service, facts, requiredSetting(service, 'config')),
      versionAtLeast(facts.version, '1.7')
        ? null
        : clientsUnsupported(service, ['none', 'optional', 'required'], 'looks at names only from 1.7 on'),
    ),

  desired(service, facts, trust) {
    const config = requiredSetting(service, 'config');
    const { paths, ...install } = pairLayout(service, facts, config);
    return {
      install,
      configuration: [webConfigBlock(service, config, paths)],
      // promtool may not be on this host; nothing here but paths can be wrong.
      check: null,
      reload: reloadOf(service, null),
      restart: restartFromPlaintext(service, facts, config, 'prometheus-node-exporter'),
      ...restartAfterRemoval(service, 'prometheus-node-exporter'),
      notes: noRevocation('node_exporter', trust),
    };
  },
};
