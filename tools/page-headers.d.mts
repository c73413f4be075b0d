export function pagePolicy(path: string): string;
export function stableEntries(): Record<string, string>;
