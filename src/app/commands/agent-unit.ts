/**
 * A systemd unit for the agent: it may write below /etc only where the stack file says that something lies, and below /usr
 * nowhere. /var and /run stay writable, since the services' own checkers write there (`nginx -t` opens logs and a pid file).
 *
 * It runs as root: it reads keys as other users' services do, gives files to them and signals them.
 */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { SERVICE_KIND_TABLE } from '../../core/services/service-kinds.ts';
import type { Stack } from '../../core/stack/stack.ts';
import type { Context } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { readStack } from '../programs/read-stack.ts';

/** @throws OperatorFault input-unreadable, stack-file-invalid: the unit depends on what the file names */
export function printUnit(context: Context, flags: StackFlags): void {
  const program = resolve(process.argv[1] ?? 'fullchain');
  const file = resolve(flags.file);
  const password = flags.passwordFile === undefined ? [] : ['--password-file', resolve(flags.passwordFile)];
  const state = resolve(context.paths.root);
  const command = [process.execPath, program, 'agent', '--file', file, '--state', state, ...password];
  process.stdout.write(unitText(command, writablePaths(readStack(flags.file), state)));
}

/**
 * Directories below /etc, /usr and home directories that the agent writes to; all others are writable or not needed. What is not there yet is made: then
 * the nearest directory that is.
 */
function writablePaths(stack: Stack, state: string): string[] {
  const services = stack.services.flatMap(({ kind, settings }) =>
    Object.entries(SERVICE_KIND_TABLE[kind].settings)
      .filter(([name, { type }]) => type === 'path' && settings[name] !== undefined)
      .flatMap(([name]) => placesFor(name, String(settings[name]))),
  );
  const webroots = Object.values(stack.issuers).flatMap((issuer) =>
    issuer.kind === 'acme' && issuer.challenge.kind === 'http-01-webroot' ? [issuer.challenge.webroot] : [],
  );
  const clients = stack.clients.map(({ directory }) => directory);
  const directories = [...services, ...webroots, ...clients, state].map(existing);
  return [...new Set(directories)].filter((path) => /^\/(etc|usr|home|root)(\/|$)/.test(path)).sort();
}

/** A file is replaced beside itself, and the pair of a service lies beside its configuration, be that a file or a directory. */
function placesFor(setting: string, path: string): readonly string[] {
  if (setting === 'directory') return [path];
  return isDirectory(path) ? [path, dirname(path)] : [dirname(path)];
}

function existing(path: string): string {
  return isDirectory(path) || path === '/' ? path : existing(dirname(path));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function unitText(command: readonly string[], writable: readonly string[]): string {
  return `[Unit]
Description=Fullchain agent: certificates of this host's services
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=${command.map(quoted).join(' ')}
Restart=always
RestartSec=10
TimeoutStopSec=90
NoNewPrivileges=yes
ProtectSystem=full
${writable.map((path) => `ReadWritePaths=${quoted(`-${path}`)}\n`).join('')}ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID

[Install]
WantedBy=multi-user.target
`;
}

/** As systemd.syntax(7) wants words with spaces, quotes, backslashes, and % and $ that stand for themselves. */
function quoted(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(escaped) ? escaped : `"${escaped.replace(/["\\]/g, '\\$&')}"`;
}
