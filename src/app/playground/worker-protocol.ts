/** What the playground's page and its worker say to each other beside the runtime. */

/** Whether an edited module loads. */
export type ModuleCheck =
  | { readonly type: 'module-check'; readonly isLoadable: true }
  | {
      readonly type: 'module-check';
      readonly isLoadable: false;
      readonly message: string;
      /** Names the line of the edited text. */
      readonly stack: string;
    };

/** Guards against other messages of the worker. */
export function isModuleCheck(message: unknown): message is ModuleCheck {
  return (
    typeof message === 'object' && message !== null && 'type' in message && message.type === 'module-check'
  );
}

/** The channel on which a worker of that name hears the kill buttons. */
export function killChannel(workerName: string): string {
  return `vivarium-playground-kill-${workerName}`;
}
