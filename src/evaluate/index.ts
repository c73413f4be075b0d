export type { Metric } from './metric.ts';
