/** What handles get of their runtime. */
import type { Store } from '../../state/index.ts';
import type { ForwardHost } from './forward-call.ts';
import type { HandleHost } from './handle.ts';
import type { RuntimeLimits } from '../limits.ts';
import type { ModuleHost } from '../host/module-host.ts';
import type { ModuleVersions } from '../version/module-versions.ts';

export interface HandleParts {
  readonly host: ModuleHost;
  readonly forward: ForwardHost;
  readonly store: Store;
  readonly limits: RuntimeLimits;
  readonly versions: ModuleVersions;
  readonly handleOf: HandleHost['handleOf'];
}

export function createHandleHost({ host, forward, ...rest }: HandleParts): HandleHost {
  return {
    ...forward,
    ...rest,
    committer: host.committer,
    hotSwap: host.hotSwap,
    onStateChange: (changed) => host.onStateChange(changed),
    sharedOf: (module, name) => host.shared.sharedOf(module, name),
    onParameterChange: (changed, record) => host.onParameterChange(changed, record),
    stop: async (stopped) => void (await host.stop(stopped)),
  };
}
