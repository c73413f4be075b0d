-- animals.csv is the table animals; tables that are made here stay
CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY);
INSERT INTO runs DEFAULT VALUES;

SELECT house, species, length_cm,
  rank() OVER (PARTITION BY house ORDER BY length_cm DESC) AS rank,
  (SELECT count(*) FROM runs) AS runs
FROM animals ORDER BY house, rank;
