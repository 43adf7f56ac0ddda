/** A pair of certificate and key as it lies on disk: what was read and measured, judged nowhere here. */
import type { Instant } from '../time/instant.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { PublicKeyInfo } from '../x509/public-key.ts';
import type { FormFlawId } from './pem-form.ts';

export interface PairFacts {
  readonly certificate: FileFacts<readonly CertificateBlock[]>;
  readonly key: FileFacts<KeyBlock>;
  /** Both names lead to one file, as HAProxy and Postfix take it. */
  readonly isOneFile: boolean;
  /** As whom the service reads them; null: nobody said. */
  readonly reader: Reader | null;
}

export interface Reader {
  readonly user: string;
  readonly uid: number;
  /** All of them. */
  readonly gids: readonly number[];
}

export interface FileFacts<Content> {
  /** As it was given. */
  readonly path: string;
  readonly status: FileStatus<Content>;
  /** null: there is no file, or it could not be seen. */
  readonly rights: FileRights | null;
  /** Each that has to be passed through, links followed, from the root on. */
  readonly directories: readonly DirectoryRights[];
  /** When its content, or a link on the way to it, was last changed. */
  readonly modifiedAt: Instant | null;
}

export type FileStatus<Content> =
  /** `at`: the first name on the way that does not exist; `link`: the link that leads there. */
  | { readonly kind: 'missing'; readonly at: string; readonly link: string | null }
  /** Not for this process: nothing is known of the content. */
  | { readonly kind: 'closed'; readonly at: string }
  | { readonly kind: 'flawed'; readonly flaw: ContentFlaw; readonly line: number }
  | { readonly kind: 'usable'; readonly content: Content; readonly hasMark: boolean };

export type ContentFlaw =
  | FormFlawId
  | 'damaged'
  | 'encrypted'
  | 'no-file'
  | 'too-large'
  /** PEM of something else. */
  | 'private-key'
  | 'certificate'
  | 'request'
  | 'public-key'
  | 'other-object';

export interface CertificateBlock {
  readonly certificate: Certificate;
  readonly line: number;
}

export interface KeyBlock {
  /** The public half; the private one is read and forgotten. */
  readonly publicKey: PublicKeyInfo;
  readonly line: number;
}

export interface FileRights {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names where the host has them, else numbers. */
  readonly owner: string;
  readonly group: string;
  /** Users of the group besides the owner and the reader; null: not known. */
  readonly others: readonly string[] | null;
  /** Whether it holds a private key. */
  readonly holdsKey: boolean;
  /** What the reader met when it really tried; null: nobody tried. */
  readonly isReadable: boolean | null;
}

export interface DirectoryRights {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Who listens where the pair should be served. */
export interface ListeningProcess {
  readonly pid: number;
  /** "nginx" */
  readonly program: string;
  /** As whom it reads its files: of nginx's master, root. */
  readonly uid: number;
  /** Of systemd, where it runs in one; null: none, or another host's (a container's). */
  readonly unit: string | null;
  readonly startedAt: Instant;
  /** Of the youngest that holds the same socket, such as a worker after a reload. */
  readonly youngestStartedAt: Instant;
}
