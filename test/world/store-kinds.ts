/** The implementations of the store port: the suite in src/edge/store runs over each of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openSqliteStore } from '../../src/edge/store/sqlite-store.ts';
import type { Store } from '../../src/flow/ca/store-ports.ts';

/** A store without records, closed and removed with its test. */
export interface OpenedStore {
  readonly store: Store;
  /** Another store over the same records, as a second process has it; the same one where only one can be. */
  readonly another: () => Promise<Store>;
}

export interface StoreKind {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<OpenedStore>;
}

export const STORE_KINDS: readonly StoreKind[] = [
  {
    name: 'SQLite in memory',
    open: async (t) => {
      const store = openSqliteStore(':memory:');
      t.after(store.close);
      return { store, another: async () => store };
    },
  },
  {
    name: 'SQLite in a file',
    open: async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'fullchain-store-'));
      const opened: Store[] = [];
      const openOne = (): Store => {
        const store = openSqliteStore(join(directory, 'records.db'));
        opened.push(store);
        return store;
      };
      t.after(() => {
        for (const store of opened) store.close();
        rmSync(directory, { recursive: true });
      });
      return { store: openOne(), another: async () => openOne() };
    },
  },
];
