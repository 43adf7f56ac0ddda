/** A small file over HTTP from an address that a stranger named: bounded in size and time, and never led on to another one. */

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** @throws Error when it is no http address, cannot be had, or is larger */
export async function fetchBytes(url: string, { timeoutMs, maxBytes }: FetchLimits): Promise<Uint8Array> {
  if (!/^https?:\/\//i.test(url)) throw new Error('only http and https are fetched');
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
