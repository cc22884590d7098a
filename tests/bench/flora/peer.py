#!/usr/bin/env python3
"""peer.py import NAMES.csv | find NAMES.csv TAXA.jsonl N: what one would write instead: csv and a dict to read and resolve
names; sqlite's trigram index, ranked by difflib, to find one in spite of typing errors. Prints seconds of CPU and MiB."""
import csv, difflib, json, random, resource, sqlite3, sys, time


def done(**figures):
    figures["cpu_s"] = round(time.process_time(), 3)
    figures["peak_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    print(json.dumps(figures))


def names_of(path):
    csv.field_size_limit(1 << 20)
    with open(path, encoding="utf-8") as file:
        yield from csv.DictReader(file, delimiter="|", quoting=csv.QUOTE_NONE)


def read(path):
    names = {row["plant_name_id"]: row for row in names_of(path)}
    synonyms = {}
    for row in names.values():
        accepted = names.get(row["accepted_plant_name_id"])
        if accepted is not None and accepted is not row:
            synonyms.setdefault(accepted["plant_name_id"], []).append((row["taxon_name"], row["taxon_authors"]))
    with open("/dev/null", "w") as out:
        for key, row in names.items():
            if row["accepted_plant_name_id"] == key:
                json.dump({"_id": "taxon:" + key, "scientificName": row["taxon_name"], "taxonRank": row["taxon_rank"],
                           "parent": row["parent_plant_name_id"], "synonyms": synonyms.get(key, [])}, out)
    done(names=len(names))


def mistype(rng, name):
    at = rng.randrange(len(name) - 1)
    return name[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + name[at + 1:]


def find(path, taxa, n):
    store = sqlite3.connect(":memory:")
    store.execute("create virtual table names using fts5(name, tokenize='trigram')")
    store.executemany("insert into names values (?)", ((row["taxon_name"],) for row in names_of(path)))
    rng, times, right = random.Random(11), [], 0
    wanted = [json.loads(line).get("scientificName", "") for line in open(taxa, encoding="utf-8")]
    wanted = [name for name in wanted if " " in name]
    for name in wanted[:: max(1, len(wanted) // n)][:n]:
        query, start = mistype(rng, name), time.process_time()
        parts = " OR ".join('"%s"' % query[i:i + 3].replace('"', '""') for i in range(len(query) - 2))
        rows = store.execute("select name from names where names match ? order by rank limit 100", (parts,))
        best = max((row[0] for row in rows), default="", key=lambda x: difflib.SequenceMatcher(None, query, x).ratio())
        times.append(time.process_time() - start)
        right += best == name
    times.sort()
    done(p50_us=round(times[len(times) // 2] * 1e6), p99_us=round(times[len(times) * 99 // 100] * 1e6),
         first=round(100 * right / len(times), 1))


if sys.argv[1] == "import":
    read(sys.argv[2])
else:
    find(sys.argv[2], sys.argv[3], int(sys.argv[4]))
