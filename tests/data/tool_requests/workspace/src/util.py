import csv


def load_seeds(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def due_this_week(seeds):
    # TODO: ask the calendar instead of the file
    return [seed["name"] for seed in seeds if seed["due"] == "yes"]
