export interface ServeOptions {
  /** First port to try. Default 4173; 0 lets the system choose. */
  readonly port?: number;
  readonly isStrictPort?: boolean;
  readonly shouldOpen?: boolean;
  /** False drops every Content-Security-Policy: for controls alone. */
  readonly isDefended?: boolean;
  /** Default `dist-app`. */
  readonly outDir?: string;
}

/** Serves the built app as `npm start` does; `url` ends with a slash. */
export function serveApp(options?: ServeOptions): Promise<{ url: string; close: () => Promise<void> }>;
