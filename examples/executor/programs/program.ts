import { readFileSync } from 'node:fs';

type Animal = Readonly<Record<'species' | 'house', string>>;
declare function temperature(species: string): Promise<number>;

function read(line: string): Animal {
  const [species = '', house = ''] = line.split(',');
  return { species, house };
}

const [, ...lines] = readFileSync('animals.csv', 'utf8').trim().split('\n');
console.log(`asking the page about ${lines.length} animals, one by one`);

const table: (Animal & { celsius: number })[] = [];
for (const animal of lines.map(read)) {
  table.push({ ...animal, celsius: await temperature(animal.species) });
}

// a list of objects is a table
display(table);
