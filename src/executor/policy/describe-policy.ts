/** A policy in words, and the difference between two. */
import type { Policy } from './policy.ts';

/** Lists of a policy. */
export type PolicyList = Exclude<keyof Policy, 'version'>;

/** The entries of one list as text, one for each thing that can be added or taken away alone. */
function entriesOf(policy: Policy, list: PolicyList): readonly string[] {
  if (list === 'packages') {
    return policy.packages.flatMap(({ origin, names }) => names.map((name) => `${name} from ${origin}`));
  }
  if (list !== 'network') return policy[list];
  return policy.network.flatMap(({ origin, methods }) => methods.map((method) => `${method} ${origin}`));
}

const words: Readonly<
  Record<PolicyList, { readonly some: string; readonly none: string; readonly all?: string }>
> = {
  network: { some: 'May reach, through a tool of the page: ', none: 'May reach nothing on the network.' },
  files: {
    some: 'May be given these files: ',
    none: 'May be given no files.',
    all: 'May be given any file that the page hands over.',
  },
  environment: {
    some: 'May be given these variables of the environment: ',
    none: 'May be given no variables of the environment.',
    all: 'May be given any variable of the environment that the page hands over.',
  },
  tools: {
    some: 'May call these tools of the page: ',
    none: 'May call no tools of the page.',
    all: 'May call any tool that the page hands over.',
  },
  packages: { some: 'May install these packages: ', none: 'May install no packages.' },
  deniedModules: { some: 'May not import: ', none: 'May import every module that is there.' },
  deniedGlobals: { some: 'May not use: ', none: 'May use every global that is there.' },
};

// a list without words does not compile
const lists = Object.keys(words) as readonly PolicyList[];

/** One sentence for each list, for the person who has to agree. Plain text: show it as text, names in it may come from anywhere. */
export function describePolicy(policy: Policy): readonly string[] {
  return lists.map((list) => {
    const { some, none, all } = words[list];
    const entries = entriesOf(policy, list);
    if (entries.length === 0) return none;
    if (all !== undefined && entries.some((entry) => entry === '*' || entry === '**')) return all;
    return `${some}${entries.join(', ')}.`;
  });
}

/** One entry that only one of two policies has. */
export interface PolicyChange {
  readonly list: PolicyList;
  /** From the first policy to the second. */
  readonly change: 'added' | 'removed';
  /** As it stands in the list; in `network`, a method and an origin: `GET https://example.com`; in `packages`, `six from https://index.example`. */
  readonly entry: string;
  /**
   * Whether the entry by itself gives the guest more: added to what is allowed, or removed from what is denied. It may give nothing new when
   * another entry covers it.
   */
  readonly isWidening: boolean;
}

/** What has to change in `before` to get `after`; empty when they say the same, in whatever order. */
export function comparePolicies(before: Policy, after: Policy): readonly PolicyChange[] {
  return lists.flatMap((list) => {
    const [old, next] = [new Set(entriesOf(before, list)), new Set(entriesOf(after, list))];
    const isDenial = list === 'deniedModules' || list === 'deniedGlobals';
    const added = [...next].filter((entry) => !old.has(entry));
    const removed = [...old].filter((entry) => !next.has(entry));
    return [
      ...added.map((entry) => ({ list, change: 'added' as const, entry, isWidening: !isDenial })),
      ...removed.map((entry) => ({ list, change: 'removed' as const, entry, isWidening: isDenial })),
    ];
  });
}
