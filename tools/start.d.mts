/** What is sent for a header, `undefined` for leaving it out. `name` is in small letters. */
export type RewriteHeader = (name: string, value: string, path: string) => string | undefined;

export interface ServeOptions {
  /** First port to try. Default 4173; 0 lets the system choose. */
  readonly port?: number;
  readonly isStrictPort?: boolean;
  readonly shouldOpen?: boolean;
  /** False drops every Content-Security-Policy: for controls alone. */
  readonly isDefended?: boolean;
  /** Changes headers before they are sent. Default: none is changed. */
  readonly rewrite?: RewriteHeader;
  /** Default `dist-app`. */
  readonly outDir?: string;
}

/** Serves the built app as `npm start` does; `url` ends with a slash. */
export function serveApp(options?: ServeOptions): Promise<{ url: string; close: () => Promise<void> }>;
