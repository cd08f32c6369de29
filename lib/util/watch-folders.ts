import type { FSWatcher } from 'node:fs';
import { existsSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Tells when something in a folder changes: one watcher a folder, none for what lies below it.
 *
 * Not recursive, since Node's recursive watcher on Linux takes one for each file, and goes into
 * `node_modules` as well. What changed is not said: whoever asks looks by itself.
 */
export interface FolderWatch {
  /**
   * From now on these count, and no others. One that is not there is waited for in the folder above it.
   *
   * @returns whether one is among them that was not watched until now
   */
  follow(folders: Iterable<string>): boolean;
  /** Resolves when something has changed since the last call, and then been quiet for a moment. */
  changed(): Promise<void>;
  close(): void;
}

/** Editors and programs write several files at a time. */
const QUIET_MS = 30;

/** @param onTrouble a folder cannot be watched: its path, and why */
export function watchFolders(onTrouble: (folder: string, error: unknown) => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let hasChanged = false;
  let tell: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const refused = new Set<string>();

  function onEvent(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      hasChanged = true;
      tell?.();
    }, QUIET_MS);
  }

  function add(folder: string): boolean {
    try {
      const watcher = watch(folder, onEvent);
      // The folder itself went: those who follow will find that out.
      watcher.on('error', () => {
        drop(folder);
        onEvent();
      });
      watchers.set(folder, watcher);
      return true;
    } catch (error) {
      if (!refused.has(folder)) onTrouble(folder, error);
      refused.add(folder);
      return false;
    }
  }

  function drop(folder: string): void {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  }

  return {
    follow(folders) {
      const wanted = new Set([...folders].map(nearestThere));
      for (const folder of watchers.keys()) if (!wanted.has(folder)) drop(folder);
      const added = [...wanted].filter((folder) => !watchers.has(folder) && add(folder));
      return added.length > 0;
    },
    async changed() {
      if (!hasChanged) {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
      hasChanged = false;
      tell = undefined;
    },
    close() {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function nearestThere(folder: string): string {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  return path;
}
