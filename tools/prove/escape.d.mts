/** `whole`: as the app runs Python. `frame alone`: the guest keeps every global of its realm. `none`: no frame, no rules. */
export type Walls = 'whole' | 'frame alone' | 'none';

export interface EscapeResult {
  readonly attempt: string;
  readonly leaked: boolean;
  readonly leaksUnprotected: boolean;
  readonly detail: string;
}

/** Fills the folder with a copy of the built app that has the escape suite beside its files. */
export function prepareApp(folder: string): Promise<void>;
/** Makes every attempt in the app at `url`, in a browser of its own; throws when one could not be judged. */
export function runIn(url: string, kind: Walls, listenerUrl: string): Promise<readonly EscapeResult[]>;
