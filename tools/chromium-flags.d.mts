export const chromiumFlags: string[];
export const softwareWebGpuFlags: string[];
