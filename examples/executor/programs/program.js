import { readFileSync } from 'node:fs';

const [, ...lines] = readFileSync('animals.csv', 'utf8').trim().split('\n');
const names = lines.map((line) => line.split(',')[0]);
console.log(`asking the page about ${names.length} animals at once`);

// a tool of the page answers a promise
const celsius = await Promise.all(names.map((name) => temperature(name)));

const bars = names.map((name, at) => {
  const [warmth, y] = [celsius[at], 24 * at];
  const bar = `y="${y}" width="${8 * warmth}" height="20" rx="4"`;
  return `<rect ${bar} fill="hsl(${220 - 6 * warmth} 60% 75%)"/>
    <text x="8" y="${y + 14}">${name}, ${warmth} °C</text>`;
});
const svg = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12"';
display({ 'image/svg+xml': `<svg ${svg} width="320" height="150">${bars.join('')}</svg>` });
