export interface OpenAiServerOptions {
  /** What pages of other origins may do. Default 'allow'; 'no-preflight' answers plain requests only. */
  readonly cors?: 'allow' | 'refuse' | 'no-preflight';
  /** When given, requests without `Authorization: Bearer <apiKey>` get 401, with the wrong key in the message. */
  readonly apiKey?: string;
  readonly port?: number;
  /** Pause between two streamed words. Default 0 ms. */
  readonly wordDelayMs?: number;
  /** Answers models that are no mode. Undefined falls back to `echo`. */
  readonly respond?: (messages: readonly ChatMessage[], body: ChatBody) => Answer | Promise<Answer>;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly text?: string }[];
}

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream?: boolean;
  readonly n?: number;
  readonly [name: string]: unknown;
}

export type Answer =
  | string
  | { readonly text: string; readonly finishReason?: string }
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | undefined;

export interface OpenAiServerStats {
  /** POSTs of chat completions. */
  readonly requests: number;
  /** Those still being answered. */
  readonly open: number;
  /** Those whose client left before the end. */
  readonly abandoned: number;
  /** Every request of any kind. */
  readonly all: number;
}

export interface OpenAiServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/v1` */
  readonly baseUrl: string;
  readonly origin: string;
  readonly stats: OpenAiServerStats;
  /** The last bodies received, newest last; at most 100. */
  readonly bodies: readonly ChatBody[];
  /** Headers of the last request for a completion. */
  readonly lastHeaders: Readonly<Record<string, string | string[] | undefined>>;
  close(): Promise<void>;
}

/** A real HTTP server that speaks OpenAI's chat completions, on 127.0.0.1. See the modes in the source. */
export function startOpenAiServer(options?: OpenAiServerOptions): Promise<OpenAiServer>;

/** An address at which nothing listens. */
export function closedPort(): Promise<string>;
