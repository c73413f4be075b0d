/**
 * What the scripted model knows: questions, the Python that finds each answer, and a sentence with gaps. No answer is
 * here: the gaps are filled from what Python found in the rows.
 */

export interface PreparedQuestion {
  readonly question: string;
  /** How the model says it will go about it. */
  readonly reasoning: string;
  /** Columns the code needs; a table without them is not offered the question. */
  readonly columns: readonly string[];
  readonly code: string;
  /** Second try, written when the first was shown to raise. */
  readonly repairedCode?: string;
  /** `{name}` is replaced by that member of the result. */
  readonly sentence: string;
}

const means = `groups = {}
for row in rows:
    if row["body_mass_g"] is not None:
        groups.setdefault(row["species"], []).append(row["body_mass_g"])

means = {name: sum(values) / len(values) for name, values in groups.items()}
for name, mean in sorted(means.items()):
    print(f"{name:<10} {len(groups[name]):>4} birds  {mean:8.1f} g")

ranked = sorted(means, key=means.get, reverse=True)
{
    "heaviest": ranked[0],
    "mean": round(means[ranked[0]], 1),
    "second": ranked[1],
    "difference": round(means[ranked[0]] - means[ranked[1]], 1),
}`;

const flippers = `pairs = [
    (row["flipper_length_mm"], row["body_mass_g"])
    for row in rows
    if row["flipper_length_mm"] is not None and row["body_mass_g"] is not None
]
n = len(pairs)
mean_x = sum(x for x, _ in pairs) / n
mean_y = sum(y for _, y in pairs) / n
sxy = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
sxx = sum((x - mean_x) ** 2 for x, _ in pairs)
syy = sum((y - mean_y) ** 2 for _, y in pairs)
r = sxy / (sxx * syy) ** 0.5
print(f"{n} birds, r = {r:.4f}, slope = {sxy / sxx:.2f} g per mm")
{"n": n, "r": round(r, 3), "slope": round(sxy / sxx, 1), "share": round(100 * r * r)}`;

const islands = `counts = {}
for row in rows:
    counts.setdefault(row["island"], {}).setdefault(row["species"], 0)
    counts[row["island"]][row["species"]] += 1

for island, species in sorted(counts.items()):
    print(island, species)

island = max(counts, key=lambda name: sum(counts[name].values()))
kinds = sorted(counts[island].items(), key=lambda item: -item[1])
{
    "island": island,
    "count": sum(counts[island].values()),
    "kinds": ", ".join(f"{number} {name}" for name, number in kinds),
}`;

const sexes = `groups = {}
for row in rows:
    if row["sex"] is not None and row["body_mass_g"] is not None:
        groups.setdefault(row["species"], {}).setdefault(row["sex"], []).append(row["body_mass_g"])

gaps = {}
for species, by_sex in sorted(groups.items()):
    mean = {sex: sum(values) / len(values) for sex, values in by_sex.items()}
    gaps[species] = mean["male"] - mean["female"]
    print(f"{species:<10} male {mean['male']:7.1f} g   female {mean['female']:7.1f} g")

widest = max(gaps, key=gaps.get)
narrowest = min(gaps, key=gaps.get)
{
    "widest": widest,
    "widest_gap": round(gaps[widest]),
    "narrowest": narrowest,
    "narrowest_gap": round(gaps[narrowest]),
}`;

const median = `from statistics import median

masses = {}
for row in rows:
    masses.setdefault(row["species"], []).append(row["body_mass_g"])

medians = {name: median(values) for name, values in masses.items()}
print(medians)
{"list": ", ".join(f"{name} {value:g} g" for name, value in sorted(medians.items()))}`;

const medianRepaired = median.replace(
  `for row in rows:
    masses`,
  `for row in rows:
    if row["body_mass_g"] is None:
        continue
    masses`,
);

const summary = `names = [name for name in rows[0] if any(isinstance(row[name], (int, float)) for row in rows)]
lines = []
for name in names:
    values = [row[name] for row in rows if isinstance(row[name], (int, float))]
    mean = sum(values) / len(values)
    lines.append(f"{name}: {len(values)} values from {min(values):g} to {max(values):g}, mean {mean:.4g}")
print("\\n".join(lines))
{"rows": len(rows), "columns": len(names), "list": "; ".join(lines)}`;

/** In the order in which they are offered. */
export const preparedQuestions: readonly PreparedQuestion[] = [
  {
    question: 'Which species is the heaviest on average, and by how much?',
    reasoning: 'I group body mass by species, skip missing values, and compare the means.',
    columns: ['species', 'body_mass_g'],
    code: means,
    sentence:
      '{heaviest} penguins are the heaviest: {mean} g on average, {difference} g more than {second}, which come second.',
  },
  {
    question: 'How does flipper length relate to body mass?',
    reasoning: 'I compute Pearson’s r and the least-squares slope over rows that have both numbers.',
    columns: ['flipper_length_mm', 'body_mass_g'],
    code: flippers,
    sentence:
      'Over {n} birds the correlation of flipper length with body mass is {r}: each millimetre of flipper goes with {slope} g, and a straight line accounts for {share} % of the variance.',
  },
  {
    question: 'Which island has the most penguins, and of which species?',
    reasoning: 'I count rows by island and species and take the island with the largest total.',
    columns: ['island', 'species'],
    code: islands,
    sentence: '{island} has the most penguins, {count} of them: {kinds}.',
  },
  {
    question: 'In which species do males and females differ most in weight?',
    reasoning: 'I compare the mean body mass of the sexes within each species.',
    columns: ['species', 'sex', 'body_mass_g'],
    code: sexes,
    sentence:
      'The sexes differ most in {widest}, where males are {widest_gap} g heavier on average, and least in {narrowest} ({narrowest_gap} g).',
  },
  {
    question: 'What is the median body mass of each species?',
    reasoning: 'I collect body mass by species and take the median of each list.',
    columns: ['species', 'body_mass_g'],
    code: median,
    repairedCode: medianRepaired,
    sentence: 'The median body masses are: {list}.',
  },
  {
    question: 'Summarise every numeric column.',
    reasoning: 'I look for columns that hold numbers and report range and mean of each.',
    columns: [],
    code: summary,
    sentence: '{rows} rows with {columns} numeric columns. {list}.',
  },
];

/** The questions a table with these columns can be asked. */
export function questionsFor(columns: readonly string[]): readonly string[] {
  return preparedQuestions
    .filter((prepared) => prepared.columns.every((column) => columns.includes(column)))
    .map(({ question }) => question);
}
