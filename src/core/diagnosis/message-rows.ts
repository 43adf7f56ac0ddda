/** Everything that is known to be said, in order: an earlier row takes its words away from a later one. */
import { ACME_ROWS } from './message-acme.ts';
import { ALERT_ROWS } from './message-alerts.ts';
import { CERTIFICATE_ROWS } from './message-certificates.ts';
import { DATABASE_ROWS } from './message-databases.ts';
import { FILE_ROWS } from './message-files.ts';
import { HANDSHAKE_ROWS } from './message-handshakes.ts';
import { NAME_ROWS } from './message-names.ts';
import { NETWORK_ROWS } from './message-network.ts';
import type { MessageRow } from './message-row.ts';

export const MESSAGE_ROWS: readonly MessageRow[] = [
  ...ACME_ROWS,
  ...ALERT_ROWS,
  ...HANDSHAKE_ROWS.filter(({ rank }) => rank === 'particular'),
  ...DATABASE_ROWS,
  ...FILE_ROWS,
  ...NAME_ROWS,
  ...CERTIFICATE_ROWS,
  ...HANDSHAKE_ROWS.filter(({ rank }) => rank !== 'particular'),
  ...NETWORK_ROWS,
];
