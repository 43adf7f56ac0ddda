/**
 * Anti-replay nonces without storage (RFC 8555 §6.5): a counter under an AES block, and one bit of memory for
 * each nonce of a sliding window that says whether it may still be spent.
 *
 * A nonce is the encryption of mark ‖ counter under a key drawn at start, so none can be guessed, none of an
 * earlier process or of another node is taken for ours, and giving one out costs no write. Memory is fixed.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

/** How many of the newest nonces can be spent: at 10,000 requests a second they live for 100 s. */
const WINDOW = 1 << 20;
const MARK_LENGTH = 8;

export interface Nonces {
  readonly issue: () => string;
  /** True at most once for each issued nonce, and only while it is among the newest WINDOW. */
  readonly redeem: (nonce: string) => boolean;
}

/** @param random as crypto.randomBytes; read once */
export function nonces(random: (byteLength: number) => Uint8Array): Nonces {
  const key = random(16);
  const mark = Buffer.from(random(MARK_LENGTH));
  // ECB over exactly one block is a permutation: what is wanted here, and no block repeats as the counter never does.
  const encrypt = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const decrypt = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false);
  const spendable = new Uint8Array(WINDOW / 8);
  const block = Buffer.alloc(16);
  let next = 0;

  return {
    issue() {
      const counter = next++;
      const slot = counter % WINDOW;
      spendable[slot >> 3] = (spendable[slot >> 3] ?? 0) | (1 << (slot & 7));
      mark.copy(block);
      block.writeBigUInt64BE(BigInt(counter), MARK_LENGTH);
      return encrypt.update(block).toString('base64url');
    },
    redeem(nonce) {
      if (nonce.length !== 22 || !/^[A-Za-z0-9_-]+$/.test(nonce)) return false;
      const sealed = Buffer.from(nonce, 'base64url');
      // One spelling a nonce: the last character carries four bits that decoding would drop.
      if (sealed.byteLength !== 16 || sealed.toString('base64url') !== nonce) return false;
      const opened = decrypt.update(sealed);
      if (!opened.subarray(0, MARK_LENGTH).equals(mark)) return false;
      const counter = Number(opened.readBigUInt64BE(MARK_LENGTH));
      if (counter >= next || counter < next - WINDOW) return false;
      const slot = counter % WINDOW;
      const bit = 1 << (slot & 7);
      const octet = spendable[slot >> 3] ?? 0;
      if ((octet & bit) === 0) return false;
      spendable[slot >> 3] = octet & ~bit;
      return true;
    },
  };
}
