from util import load_seeds, due_this_week

TIMEOUT_SECONDS = 45


def main():
    for seed in due_this_week(load_seeds("data/seeds.csv")):
        print("sow:", seed)


if __name__ == "__main__":
    main()
