/** Sub-modules that are actors of their own, as the page sees them. */
import type { HostedModuleRecord } from '../host/hosted.ts';
import type { PartNames, SubModuleWhenDown } from '../module-protocol.ts';

/** A sub-module that is an actor of its own, seen from the module around it. */
export interface HostedPart {
  readonly path: string;
  readonly module: HostedModuleRecord;
  readonly whenDown: SubModuleWhenDown;
  readonly names: PartNames;
  /** The same the other way round: the name in the module around it → the part's own. */
  readonly ownNames: ReadonlyMap<string, string>;
}

/** Where a part is. */
export interface Surrounding {
  readonly module: HostedModuleRecord;
  readonly path: string;
}
