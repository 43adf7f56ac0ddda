/** The agent: looks again and again, renews what is due, retries what failed with back-off, and never fights another one. */
import { resolve } from 'node:path';
import pino from 'pino';
import { OperatorFault } from '../../core/faults/operator-faults.ts';
import { backOffSeconds } from '../../core/renewal/back-off.ts';
import { takeLock } from '../../edge/system/exclusive-lock.ts';
import { applyService } from '../../flow/agent/apply-service.ts';
import type { Context } from '../cli/context.ts';
import type { StackFlags } from '../cli/stack.ts';
import { agentLockPath, planned, withWorld } from './stack.ts';

/** @throws OperatorFault agent-busy when another agent runs on this host's state */
export async function agent(context: Context, flags: StackFlags): Promise<void> {
  const lock = takeLock(agentLockPath(context));
  if (!lock) throw new OperatorFault('agent-busy', 'another agent runs on this host', { path: context.paths.root });
  const logger = pino(
    { level: context.quiet ? 'error' : 'info', base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  /** When a failed service may be tried again, and how often it has failed in a row. */
  const failures = new Map<string, { count: number; notBefore: number }>();
  try {
    while (!stopping.signal.aborted) {
      await withWorld(context, flags, async (stack, world) => {
        for (const service of stack.services) {
          const failure = failures.get(service.name);
          if (stopping.signal.aborted || (failure && performance.now() < failure.notBefore)) continue;
          const result = await applyService(world, await planned(world, service, false));
          if (result.ok) {
            failures.delete(service.name);
            if (result.action !== 'none')
              logger.info(
                { service: service.name, action: result.action, ...result.certificate },
                'brought to what the stack file says',
              );
            continue;
          }
          const count = (failure?.count ?? 0) + 1;
          const waitSeconds = backOffSeconds(count);
          failures.set(service.name, { count, notBefore: performance.now() + waitSeconds * 1000 });
          logger.error(
            {
              service: service.name,
              failed: result.steps.find((step) => !step.ok),
              tries: count,
              nextTryInSeconds: waitSeconds,
            },
            'could not be brought to what the stack file says',
          );
        }
      }).catch((fault: unknown) => {
        // A stopped authority, a stack file that is being edited: the next look may be better.
        logger.error({ err: fault }, 'looking at the stack failed; it will be tried again');
      });
      await pause((flags.interval ?? 60) * 1000, stopping.signal);
    }
  } finally {
    lock.release();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A unit that may write where certificates and configuration are, and nothing else of the system's. */
export function printUnit(context: Context, flags: StackFlags): void {
  const program = resolve(process.argv[1] ?? 'fullchain');
  process.stdout.write(`[Unit]
Description=Fullchain agent: certificates of this host's services
Documentation=https://www.rfc-editor.org/rfc/rfc8555
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=${process.execPath} ${program} agent --file ${resolve(flags.file)} --state ${context.paths.root}
Restart=always
RestartSec=10
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=read-only
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID

[Install]
WantedBy=multi-user.target
`);
}
