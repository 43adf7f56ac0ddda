/** Which process of this host listens on a TCP port, by /proc; null wherever that is not to be seen. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { ListeningProcess } from '../../core/diagnosis/pair-facts.ts';
import { type Instant, instantFromSeconds } from '../../core/time/instant.ts';

/** A host with more is not searched to its end. */
const MOST_PROCESSES = 10_000;
const MOST_DESCRIPTORS = 10_000;
/** They hold the socket for a service and know nothing of its files. */
const FORWARDERS = /^(?:systemd|docker-proxy|rootlessport|conmon|containerd|slirp4netns|pasta|passt)/;
/** USER_HZ, which the kernel shows to programs on every architecture of today. */
const TICKS_A_SECOND = 100;

/** @param address that was connected to; null: of another host, no process of this one */
export function listeningProcess(address: string, port: number): ListeningProcess | null {
  if (!isOwn(address)) return null;
  try {
    const inodes = listeningInodes(address, port);
    const holders = inodes.size === 0 ? [] : processesHolding(inodes);
    const services = holders.filter(({ program }) => !FORWARDERS.test(program));
    const [oldest] = services.toSorted((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
    if (oldest === undefined) return null;
    const youngestStartedAt = instantFromSeconds(Math.max(...services.map(({ startedAt }) => startedAt)));
    return { ...oldest, youngestStartedAt };
  } catch (cause) {
    // No /proc, or another kernel's.
    if (cause instanceof Error && 'code' in cause) return null;
    throw cause;
  }
}

function isOwn(address: string): boolean {
  if (/^127\./.test(address) || address === '::1') return true;
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address));
}

const LISTEN = '0A';

/** Of the sockets on this very address where there are any, else of those on all addresses. */
function listeningInodes(address: string, port: number): ReadonlySet<string> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const exact = new Set<string>();
  const wildcard = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of textOf(table).split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      const [host = '', localPort] = local.split(':');
      if (state !== LISTEN || localPort !== hexPort || inode === undefined) continue;
      if (/^0+$/.test(host)) wildcard.add(inode);
      else if (host === procAddress(address)) exact.add(inode);
    }
  }
  return exact.size > 0 ? exact : wildcard;
}

/** As the kernel prints it: words of four octets in the byte order of the host, which is little-endian. */
function procAddress(address: string): string {
  const octets = address.includes(':') ? octets6(address) : address.split('.').map(Number);
  let text = '';
  for (let at = 0; at < octets.length; at += 4) {
    text += octets
      .slice(at, at + 4)
      .reverse()
      .map((octet) => octet.toString(16).padStart(2, '0'))
      .join('');
  }
  return text.toUpperCase();
}

function octets6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const [before, after] = [words(head), words(tail ?? '')];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  return [...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 0xff]);
}

type Holder = Omit<ListeningProcess, 'youngestStartedAt'>;

function processesHolding(inodes: ReadonlySet<string>): Holder[] {
  const wanted = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const bootedAt = Number(/^btime (\d+)$/m.exec(textOf('/proc/stat'))?.[1]);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.slice(0, MOST_PROCESSES).flatMap((pid) => {
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`).slice(0, MOST_DESCRIPTORS);
      if (!descriptors.some((name) => wanted.has(linkOf(`/proc/${pid}/fd/${name}`)))) return [];
      return [holder(Number(pid), textOf(`/proc/${pid}/stat`), bootedAt)];
    } catch (cause) {
      // Another user's, or one that has just ended.
      if (cause instanceof Error && 'code' in cause) return [];
      throw cause;
    }
  });
}

/** proc(5): the name stands in brackets and may hold anything; field 22 is the start, in ticks since the boot. */
function holder(pid: number, stat: string, bootedAt: number): Holder {
  const program = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startedAt: Instant = instantFromSeconds(Math.floor(bootedAt + Number(fields[19]) / TICKS_A_SECOND));
  // Not the owner of the directory, which is root for a program that has given up root.
  const uid = Number(/^Uid:\t\d+\t(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1]);
  // Whatever was started from another program's unit is in that unit as well.
  const isService = fields[1] === '1';
  return { pid, program, uid, unit: isService ? unitOf(pid) : null, startedAt };
}

/** The innermost of its control group: "0::/system.slice/nginx.service". */
function unitOf(pid: number): string | null {
  const path = /^0::(.*)$/m.exec(textOf(`/proc/${pid}/cgroup`))?.[1] ?? '';
  return path.split('/').findLast((part) => /^[\w@:.\\-]+\.service$/.test(part) && !part.startsWith('user@')) ?? null;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return '';
    throw cause;
  }
}

function textOf(path: string): string {
  return readFileSync(path, 'latin1');
}
