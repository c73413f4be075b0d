import csv


class Warmth(dict):
    """Has a form in HTML, so it is shown in it, as in a notebook."""

    def _repr_html_(self):
        rows = (
            f"<tr><td>{name}<td><meter max=40 value={c}></meter><td>{c} °C"
            for name, c in self.items()
        )
        return f"<table><tr><th>animal<th colspan=2>likes{''.join(rows)}</table>"


names = [row["species"] for row in csv.DictReader(open("animals.csv"))]
print(f"asking the page about {len(names)} animals")

# a tool of the page: Python waits for its answer
Warmth((name, temperature(name)) for name in names)
