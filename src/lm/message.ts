/** What goes to a language model and what comes back: plain structured-cloneable data, so that a port can carry it. */
import type { Json } from '../base/index.ts';

export interface LmTextPart {
  readonly type: 'text';
  readonly text: string;
}

/** An image by address; `data:` addresses carry the bytes themselves. */
export interface LmImageUrlPart {
  readonly type: 'image-url';
  readonly url: string;
  /** How closely the model looks, where the provider knows such a switch. */
  readonly detail?: 'auto' | 'low' | 'high';
}

export type LmContentPart = LmTextPart | LmImageUrlPart;

export type LmRole = 'system' | 'user' | 'assistant' | 'developer' | 'tool';

export interface LmMessage {
  readonly role: LmRole;
  readonly content: string | readonly LmContentPart[];
  readonly name?: string;
}

/** How the model is asked to write its answer. */
export type LmResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json-object' }
  | { readonly type: 'json-schema'; readonly name: string; readonly schema: Json; readonly strict?: boolean };

/** Settings of one call. What is absent is left to the provider. */
export interface LmConfig {
  readonly temperature?: number;
  /** The most tokens of each answer. */
  readonly maxTokens?: number;
  /** How many answers; default 1. */
  readonly n?: number;
  readonly topP?: number;
  readonly stop?: string | readonly string[];
  readonly responseFormat?: LmResponseFormat;
  readonly seed?: number;
  /** Members that go into the provider's request as they are, under the provider's own names. */
  readonly extensions?: { readonly [name: string]: Json };
}

export interface LmRequest {
  readonly messages: readonly LmMessage[];
  readonly config: LmConfig;
}

/** Tokens of one call as the provider counted them; 0 where it did not say. */
export interface LmUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

/** One answer. `finishReason` is the provider's word: `'stop'`, `'length'` when the answer was cut off, or null when it did not say. */
export interface LmOutput {
  readonly text: string;
  readonly finishReason: string | null;
}

export interface LmResponse {
  /** The model that answered, as the provider names it. */
  readonly model: string;
  /** In the order of their index; never empty. */
  readonly outputs: readonly LmOutput[];
  readonly usage: LmUsage;
  readonly responseId?: string;
}

/** `index` says which answer a piece belongs to. Exactly one `response-end` comes, and it comes last. */
export type LmStreamPart =
  | { readonly type: 'text-delta'; readonly index: number; readonly text: string }
  | { readonly type: 'response-end'; readonly response: LmResponse };
