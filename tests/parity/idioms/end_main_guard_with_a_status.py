import sys


def main(arguments):
    print(len(arguments))
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv))
